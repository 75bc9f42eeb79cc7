"""Role-based access: what the roles that are bound to a user let them do.

Roles and bindings are objects like others. They are read anew when one of them has changed, and kept by subject, so
that a request costs what its user's bindings cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from homeostat.sim.apiserver.access.attributes import AUTHENTICATED, UNAUTHENTICATED, Attributes, User
from homeostat.sim.apiserver.store.record import key_of
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.user import ACCOUNT

_GROUP = "rbac.authorization.k8s.io"
_ROLES, _CLUSTER_ROLES = (_GROUP, "roles"), (_GROUP, "clusterroles")
_BINDINGS, _CLUSTER_BINDINGS = (_GROUP, "rolebindings"), (_GROUP, "clusterrolebindings")
_ALL = "*"
_ADMINISTRATORS = "system:masters"

Subject = tuple[str, str]
"""`User` or `Group`, and a name; a service account is the user that it is known as."""


class Rule(Struct, frozen=True):
    """What one rule of a role lets somebody do."""

    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]
    names: frozenset[str]
    paths: tuple[str, ...]

    def allows(self, wanted: Attributes) -> bool:
        """Whether it lets somebody do this."""
        if _ALL not in self.verbs and wanted.verb not in self.verbs:
            return False
        if wanted.path:
            return any(_covers(path, wanted.path) for path in self.paths)
        if _ALL not in self.groups and wanted.group not in self.groups:
            return False
        return self._names_resource(wanted.resource) and (not self.names or wanted.name in self.names)

    def _names_resource(self, resource: str) -> bool:
        _, slash, subresource = resource.partition("/")
        return (
            _ALL in self.resources
            or resource in self.resources
            or bool(slash and f"{_ALL}/{subresource}" in self.resources)
        )


class Granted(Struct, frozen=True):
    """A binding: what its rules are, and in which namespace (empty: everywhere). `told` is how reasons name it."""

    namespace: str
    rules: tuple[Rule, ...]
    told: str


# What a server lets everybody who proves who he is ask about himself. The objects of its first roles are not there.
_BASIC = Granted(
    "",
    (
        Rule(
            verbs=frozenset({"create"}),
            groups=frozenset({"authorization.k8s.io", "authentication.k8s.io"}),
            resources=frozenset({"selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"}),
            names=frozenset(),
            paths=(),
        ),
    ),
    'ClusterRoleBinding "system:basic-user" of ClusterRole "system:basic-user" to Group "system:authenticated"',
)


def _readable(name: str, group: str, *paths: str) -> Granted:
    rule = Rule(frozenset({"get"}), frozenset(), frozenset(), frozenset(), paths)
    return Granted("", (rule,), f'ClusterRoleBinding "{name}" of ClusterRole "{name}" to Group "{group}"')


def _public(group: str) -> Granted:
    paths = ("/healthz", "/livez", "/readyz", "/version", "/version/")
    return _readable("system:public-info-viewer", group, *paths)


_DISCOVERED = ("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*")
_DISCOVERY = _readable("system:discovery", AUTHENTICATED, *_DISCOVERED)


class Roles:
    """The roles and bindings of one server."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read_at = -1
        self._granted: dict[Subject, list[Granted]] = {}

    def allow(self, user: User, wanted: Attributes) -> bool:
        """Whether a user may do something."""
        return self.reason(user, wanted) is not None

    def reason(self, user: User, wanted: Attributes) -> str | None:
        """Why a user may do something; administrators need no reason, and None is for what he may not."""
        if _ADMINISTRATORS in user.groups:
            return ""
        return next(
            (
                f"RBAC: allowed by {granted.told}"
                for granted in self._of(user)
                if not granted.namespace or (granted.namespace == wanted.namespace and not wanted.path)
                if any(rule.allows(wanted) for rule in granted.rules)
            ),
            None,
        )

    def rules_in(self, user: User, namespace: str) -> Iterator[Rule]:
        """All that a user may do in a namespace."""
        if _ADMINISTRATORS in user.groups:
            everything = frozenset({_ALL})
            yield Rule(everything, everything, everything, frozenset(), ())
            yield Rule(everything, frozenset(), frozenset(), frozenset(), (_ALL,))
        for granted in self._of(user):
            if granted.namespace in ("", namespace):
                yield from granted.rules

    def _of(self, user: User) -> Iterator[Granted]:
        self._refresh()
        for group in (AUTHENTICATED, UNAUTHENTICATED):
            if group in user.groups:
                yield _public(group)
        if AUTHENTICATED in user.groups:
            yield from (_BASIC, _DISCOVERY)
        for subject in (("User", user.name), *(("Group", group) for group in user.groups)):
            yield from self._granted.get(subject, ())

    def _refresh(self) -> None:
        collections = (_ROLES, _CLUSTER_ROLES, _BINDINGS, _CLUSTER_BINDINGS)
        newest = max(self._store.shelf(each).history.newest for each in collections)
        if newest == self._read_at:
            return
        self._read_at = newest
        self._granted = {}
        for collection in (_BINDINGS, _CLUSTER_BINDINGS):
            for record in self._store.shelf(collection).within(""):
                binding = record.value(b"")
                rules = self._rules(record.namespace, binding.get("roleRef") or {})
                for subject in binding.get("subjects") or ():
                    granted = Granted(record.namespace, rules, _told(binding, subject))
                    self._granted.setdefault(_subject(subject, record.namespace), []).append(granted)

    def _rules(self, namespace: str, reference: dict[str, Any]) -> tuple[Rule, ...]:
        name = reference.get("name", "")
        is_cluster = reference.get("kind") == "ClusterRole"
        record = (
            self._store.shelf(_CLUSTER_ROLES).get(key_of("", name))
            if is_cluster
            else self._store.shelf(_ROLES).get(key_of(namespace, name))
        )
        return tuple(_read(record.value(b"").get("rules") or ())) if record is not None else ()


def _read(raw: Iterable[dict[str, Any]]) -> Iterator[Rule]:
    for rule in raw:
        yield Rule(
            verbs=frozenset(rule.get("verbs") or ()),
            groups=frozenset(rule.get("apiGroups") or ()),
            resources=frozenset(rule.get("resources") or ()),
            names=frozenset(rule.get("resourceNames") or ()),
            paths=tuple(rule.get("nonResourceURLs") or ()),
        )


def _subject(subject: dict[str, Any], namespace: str) -> Subject:
    if subject.get("kind") == "ServiceAccount":
        return ("User", f"{ACCOUNT}:{subject.get('namespace') or namespace}:{subject.get('name', '')}")
    return (subject.get("kind", ""), subject.get("name", ""))


def _told(binding: dict[str, Any], subject: dict[str, Any]) -> str:
    metadata, role = binding["metadata"], binding.get("roleRef") or {}
    namespace, whom = metadata.get("namespace", ""), subject.get("name", "")
    kind, name = ("RoleBinding", f"{metadata['name']}/{namespace}")
    if not namespace:
        kind, name = "ClusterRoleBinding", metadata["name"]
    if subject.get("kind") == "ServiceAccount":
        whom = f"{whom}/{subject.get('namespace') or namespace}"
    of = f'{role.get("kind", "")} "{role.get("name", "")}"'
    return f'{kind} "{name}" of {of} to {subject.get("kind", "")} "{whom}"'


def _covers(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith(_ALL) else path == pattern
