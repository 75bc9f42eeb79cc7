"""What an API server serves, and which of it a person means by a word such as `hc` or `deployments.apps`.

Aggregated discovery (two requests) where it is served, the group-by-group way elsewhere. The answer is kept for a
while, and asked for again when a word is not found, because a CRD may have been made since.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from homeostat.api.kind import Resource
from homeostat.kube.calling import decode
from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound, ServiceUnavailable

FRESH_S = 600.0
_RECHECK_S = 2.0  # an unknown word asks again, but not more often than this
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class Served(Struct, frozen=True):
    """A resource with what discovery tells beyond its address."""

    resource: Resource
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    preferred: bool = True  # of the versions of its group, this is the one to use

    def answers_to(self, word: str) -> bool:
        """Whether a person may call it so: plural, singular, kind or short name, with or without version and group."""
        name, _, rest = word.lower().partition(".")
        resource = self.resource
        names = {resource.plural, self.singular, resource.kind.lower(), *self.short_names}
        if name not in names:
            return False
        # plural.group, or plural.version.group
        return rest in ("", resource.group, f"{resource.version}.{resource.group}".rstrip("."))


class AmbiguousName(LookupError):
    """A word that means several resources; the message names them."""


class Discovery:
    """The resources of one API server, cached."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._clock = client.clock
        self._served: tuple[Served, ...] = ()
        self._read_at: float | None = None
        self.unavailable: tuple[str, ...] = ()  # groups whose own server does not answer; their resources are unknown

    async def resources(self, *, fresh: bool = False) -> tuple[Served, ...]:
        """All that is served, preferred versions first. `fresh` asks the server whatever the cache holds."""
        now = self._clock.monotonic()
        if fresh or self._read_at is None or now - self._read_at >= FRESH_S:
            served = await self._read()
            self._served = tuple(sorted(served, key=lambda one: (not one.preferred, one.resource.group != "")))
            self._read_at = now
        return self._served

    async def find(self, word: str) -> Served:
        """The resource that a person means. Raises LookupError with what to do, AmbiguousName when it is not clear."""
        found = [one for one in await self.resources() if one.answers_to(word)]
        if not found and self._clock.monotonic() - (self._read_at or 0.0) >= _RECHECK_S:
            found = [one for one in await self.resources(fresh=True) if one.answers_to(word)]
        if not found:
            lost = f" ({', '.join(self.unavailable)} did not answer)" if self.unavailable else ""
            raise LookupError(f"the server has no resource {word!r}{lost}; see `kubectl api-resources`")
        return _the_one(word, found)

    async def in_category(self, category: str) -> tuple[Served, ...]:
        """The resources of a category such as `all` or `homeostat`."""
        return tuple(one for one in await self.resources() if one.preferred and category in one.categories)

    def invalidate(self) -> None:
        """Ask the server again next time."""
        self._read_at = None

    async def _read(self) -> list[Served]:
        headers = {"Accept": f"{_AGGREGATED},application/json"}
        core = decode(_Aggregated, await self._client.request("GET", "/api", headers=headers), "GET /api")
        rest = decode(_Aggregated, await self._client.request("GET", "/apis", headers=headers), "GET /apis")
        if core.kind == rest.kind == "APIGroupDiscoveryList":
            self.unavailable = tuple(group.metadata.name for group in rest.items if group.is_stale)
            return [one for group in (*core.items, *rest.items) for one in group.served()]
        return await self._read_group_by_group(core.versions, rest.groups)

    async def _read_group_by_group(self, core: Iterable[str], groups: Iterable[_Group]) -> list[Served]:
        served: list[Served] = []
        unavailable = []
        wanted = [("", version, f"/api/{version}", "") for version in core]
        for group in groups:
            best = group.preferred_version.version
            wanted += [(group.name, one.version, f"/apis/{one.group_version}", best) for one in group.versions]
        for name, version, path, best in wanted:
            try:
                body = await self._client.request("GET", path)
            except (NotFound, ServiceUnavailable):
                unavailable.append(name)
                continue
            served += decode(_ResourceList, body, f"GET {path}").served(name, version, preferred=best in ("", version))
        self.unavailable = tuple(unavailable)
        return served


def _the_one(word: str, found: list[Served]) -> Served:
    preferred = [one for one in found if one.preferred] or found
    core = [one for one in preferred if not one.resource.group]
    by_plural = [one for one in core or preferred if one.resource.plural == word.partition(".")[0]]
    best = by_plural or core or preferred
    if len({one.resource.group for one in best}) > 1:
        names = ", ".join(sorted(one.resource.qualified for one in best))
        raise AmbiguousName(f"{word!r} may mean {names}; use one of these names")
    return best[0]


class _GroupVersionKind(Struct):
    group: str = ""
    version: str = ""
    kind: str = ""


class _Subresource(Struct):
    subresource: str = ""


class _Resource(Struct, rename="camel"):
    resource: str
    scope: str = "Namespaced"
    response_kind: _GroupVersionKind | None = None
    singular_resource: str = ""
    verbs: list[str] | None = None
    short_names: list[str] | None = None
    categories: list[str] | None = None
    subresources: list[_Subresource] | None = None


class _Version(Struct):
    version: str
    resources: list[_Resource] | None = None
    freshness: str = ""


class _Name(Struct, frozen=True):
    name: str = ""


class _DiscoveredGroup(Struct):
    metadata: _Name = _Name()
    versions: list[_Version] = []

    @property
    def is_stale(self) -> bool:
        return any(version.freshness == "Stale" for version in self.versions)

    def served(self) -> Iterable[Served]:
        group = self.metadata.name
        known: set[str] = set()
        for version in self.versions:  # in the server's order of preference
            for one in version.resources or ():
                kind = one.response_kind.kind if one.response_kind else ""
                resource = Resource(group, version.version, kind, one.resource, one.scope == "Namespaced")
                yield Served(
                    resource,
                    one.singular_resource,
                    tuple(one.short_names or ()),
                    tuple(one.categories or ()),
                    tuple(one.verbs or ()),
                    tuple(sub.subresource for sub in one.subresources or ()),
                    preferred=one.resource not in known,
                )
                known.add(one.resource)


class _GroupVersion(Struct, rename="camel", frozen=True):
    group_version: str = ""
    version: str = ""


class _Group(Struct, rename="camel"):
    name: str
    versions: list[_GroupVersion] = []
    preferred_version: _GroupVersion = _GroupVersion()


class _Aggregated(Struct):
    """Either answer of /api and /apis: aggregated, or APIVersions and APIGroupList of older servers."""

    kind: str = ""
    items: list[_DiscoveredGroup] = []
    versions: list[str] = []
    groups: list[_Group] = []


class _OldResource(Struct, rename="camel"):
    name: str
    kind: str
    namespaced: bool = False
    singular_name: str = ""
    verbs: list[str] | None = None
    short_names: list[str] | None = None
    categories: list[str] | None = None


class _ResourceList(Struct):
    resources: list[_OldResource] | None = None

    def served(self, group: str, version: str, *, preferred: bool) -> Iterable[Served]:
        subresources: dict[str, list[str]] = {}
        for one in self.resources or ():
            parent, slash, sub = one.name.partition("/")
            if slash:
                subresources.setdefault(parent, []).append(sub)
        for one in self.resources or ():
            if "/" not in one.name:
                yield Served(
                    Resource(group, version, one.kind, one.name, one.namespaced),
                    one.singular_name,
                    tuple(one.short_names or ()),
                    tuple(one.categories or ()),
                    tuple(one.verbs or ()),
                    tuple(subresources.get(one.name, ())),
                    preferred=preferred,
                )
