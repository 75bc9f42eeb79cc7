"""From a method and a path to what is asked: of which type, about which object, in which way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from msgspec import Struct, field

from homeostat.sim.apiserver.refusing import Cause, NoPage, Refused, invalid
from homeostat.sim.apiserver.schemas.causes import not_supported
from homeostat.sim.apiserver.types.registry import Types
from homeostat.sim.apiserver.types.type import Type
from homeostat.sim.apiserver.types.user import NOBODY, User

_OF_OBJECT = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_OF_STATUS = ("get", "patch", "update")
_OPTIONS = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}
_OPTIONS |= dict.fromkeys(("delete", "deletecollection"), "DeleteOptions")
_OF_COLLECTION = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}


class Asked(Struct, frozen=True, kw_only=True):
    """A request about objects."""

    verb: str
    type: Type
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    query: Mapping[str, str] = {}
    user: User = NOBODY
    agent: str = "unknown"  # what the client calls itself
    media: str = "application/json"
    warnings: list[str] = field(default_factory=list)  # what the client is told beside the answer

    def flag(self, name: str) -> bool:
        """A parameter that is yes or no; as apimachinery reads it, anything but `false` and `0` is yes."""
        return _flag(self.query, name)

    @property
    def writes_status(self) -> bool:
        """Whether it is about the status alone."""
        return self.subresource in self.type.strategy.statuses

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing is to be kept. Raises Refused."""
        text = self.query.get("dryRun", "")
        if text not in ("", "All"):
            raise self.bad_options([not_supported("dryRun", [text], ["All"])])
        return text == "All"

    def bad_options(self, causes: Iterable[Cause]) -> Refused:
        """Parameters that are none."""
        return invalid("meta.k8s.io", _OPTIONS.get(self.verb, "ListOptions"), "", causes)


def not_found_here() -> Refused:
    """There is nothing at that path."""
    return Refused(404, "NotFound", "the server could not find the requested resource")


def route(method: str, path: str, query: Mapping[str, str], types: Types) -> Asked:
    """What a request is about. Raises Refused when nothing is served there, or not in that way."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api":
        group, rest = "", parts[1:]
    elif parts[0] == "apis" and len(parts) > 1:
        group, rest = parts[1], parts[2:]
    else:
        raise not_found_here()
    if len(rest) < 2:
        raise not_found_here()
    version, *rest = rest
    namespace, rest = _namespace(rest)
    plural, name, subresource = (*rest, "", "")[:3]
    found = types.get(group, version, plural)
    if found is None and all(each.resource.group != group for each in types):
        raise NoPage
    if found is None or len(rest) > 3 or (namespace and not found.resource.namespaced):
        raise not_found_here()
    if subresource and subresource not in found.subresources:
        raise not_found_here()
    if name and found.resource.namespaced and not namespace:
        raise not_found_here()
    verb = _verb(method, name, subresource, query)
    is_nowhere = verb == "create" and found.resource.namespaced and not namespace
    if verb is None or is_nowhere or not _takes(found, verb, subresource):
        raise Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    return Asked(verb=verb, type=found, namespace=namespace, name=name, subresource=subresource, query=query)


def _takes(type_: Type, verb: str, subresource: str) -> bool:
    if not subresource:
        return verb in type_.verbs
    return subresource not in type_.strategy.statuses or verb in _OF_STATUS


def _namespace(rest: list[str]) -> tuple[str, list[str]]:
    # Of a namespace itself, `status` and `finalize` are subresources, not collections in it.
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        return rest[1], rest[2:]
    return "", rest


def _verb(method: str, name: str, subresource: str, query: Mapping[str, str]) -> str | None:
    if subresource and method == "POST":
        return "create"
    verb = (_OF_OBJECT if name else _OF_COLLECTION).get(method)
    return "watch" if verb == "list" and _flag(query, "watch") else verb


def _flag(query: Mapping[str, str], name: str) -> bool:
    return name in query and query[name].lower() not in ("false", "0")
