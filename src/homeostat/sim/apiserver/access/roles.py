"""Role-based access: what the roles that are bound to a user let them do.

Roles and bindings are objects like others. They are read anew when one of them has changed, and kept by subject, so
that a request costs what its user's bindings cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from homeostat.sim.apiserver.access.attributes import Attributes, User
from homeostat.sim.apiserver.store.record import key_of
from homeostat.sim.apiserver.store.store import Store

_GROUP = "rbac.authorization.k8s.io"
_ROLES, _CLUSTER_ROLES = (_GROUP, "roles"), (_GROUP, "clusterroles")
_BINDINGS, _CLUSTER_BINDINGS = (_GROUP, "rolebindings"), (_GROUP, "clusterrolebindings")
_ALL = "*"
_ADMINISTRATORS = "system:masters"
_ACCOUNT = "system:serviceaccount"

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
    """A binding: whose rules these are, and in which namespace; an empty one is everywhere."""

    namespace: str
    rules: tuple[Rule, ...]


class Roles:
    """The roles and bindings of one server."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read_at = -1
        self._granted: dict[Subject, list[Granted]] = {}

    def allow(self, user: User, wanted: Attributes) -> bool:
        """Whether a user may do something."""
        if _ADMINISTRATORS in user.groups:
            return True
        self._refresh()
        return any(
            rule.allows(wanted)
            for subject in (("User", user.name), *(("Group", group) for group in user.groups))
            for granted in self._granted.get(subject, ())
            if not granted.namespace or (granted.namespace == wanted.namespace and not wanted.path)
            for rule in granted.rules
        )

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
                granted = Granted(record.namespace, self._rules(record.namespace, binding.get("roleRef") or {}))
                for subject in binding.get("subjects") or ():
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
        return ("User", f"{_ACCOUNT}:{subject.get('namespace') or namespace}:{subject.get('name', '')}")
    return (subject.get("kind", ""), subject.get("name", ""))


def _covers(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith(_ALL) else path == pattern
