"""Which webhooks want to know of a write: by namespace, labels, rules and conditions, in the order of a real server.

A configuration is read once for each of its versions. With the policy `Equivalent` a rule about another version of the
same resource matches, too, and the webhook is shown the object in that version.
"""

from __future__ import annotations

import functools
from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from homeostat.sim.apiserver.admission.conditions import Condition
from homeostat.sim.apiserver.admission.reviewed import Write
from homeostat.sim.apiserver.refusing import Refused
from homeostat.sim.apiserver.selecting.labels import Requirements, requirements_of, selects
from homeostat.sim.apiserver.store.record import Record, key_of
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.registry import Types
from homeostat.sim.apiserver.types.type import Type

_NAMESPACES = ("", "namespaces")


class Rule(Struct, frozen=True, rename="camel"):
    """Operations on resources."""

    operations: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = msgspec.field(default=(), name="apiGroups")
    api_versions: tuple[str, ...] = msgspec.field(default=(), name="apiVersions")
    resources: tuple[str, ...] = ()
    scope: str = "*"
    resource_names: tuple[str, ...] = ()

    def matches(self, write: Write, type_: Type) -> bool:
        """Whether a write is one of these, if its object were of a type."""
        resource = type_.resource
        return (
            self._is_in_scope(write)
            and _has(self.operations, write.operation)
            and _has(self.api_groups, resource.group)
            and _has(self.api_versions, resource.version)
            and any(_is_of(each, resource.plural, write.asked.subresource) for each in self.resources)
            and (not self.resource_names or write.name in self.resource_names)
        )

    def _is_in_scope(self, write: Write) -> bool:
        if self.scope == "*":
            return True
        is_namespaced = bool(write.namespace) and not write.is_of_namespace
        return is_namespaced if self.scope == "Namespaced" else not is_namespaced


class Selection(Struct, frozen=True):
    """What a webhook or a policy chooses by."""

    rules: tuple[Rule, ...]
    namespaces: Requirements
    objects: Requirements
    is_equivalent: bool = True
    excluded: tuple[Rule, ...] = ()
    is_of_all: bool = False  # whatever the rules say

    def version(self, write: Write, types: Types, store: Store) -> Type | None:
        """The type in which a write is chosen; None when it is not. Raises Refused for an unknown namespace."""
        if self.objects and not any(selects(self.objects, _labels(each)) for each in (write.object, write.old) if each):
            return None
        # What is in no namespace has none to be chosen by.
        if not self.namespaces or (not write.namespace and not write.is_of_namespace):
            return self._ruled(write, types)
        labels = _namespace_labels(write, store)
        if labels is not None:
            return self._ruled(write, types) if selects(self.namespaces, labels) else None
        if self._ruled(write, types) is not None:
            text = f'namespaces "{write.namespace}" not found'
            raise Refused(404, "NotFound", text, kind="namespaces", name=write.namespace)
        return None

    def _ruled(self, write: Write, types: Types) -> Type | None:
        if any(rule.matches(write, write.type) for rule in self.excluded):
            return None
        if self.is_of_all or any(rule.matches(write, write.type) for rule in self.rules):
            return write.type
        if not self.is_equivalent:
            return None
        others = [each for each in types if each.collection == write.type.collection and each is not write.type]
        return next((other for rule in self.rules for other in others if rule.matches(write, other)), None)


class Hook(Struct, frozen=True, kw_only=True):
    """One webhook of one configuration."""

    id: str  # of its own among all, for being asked again
    name: str
    selection: Selection
    conditions: tuple[Condition, ...]
    fails_open: bool
    times_out_after_s: float
    is_without_side_effects: bool
    is_reinvoked: bool
    versions: tuple[str, ...]
    url: str
    service: Mapping[str, Any] | None
    authorities: bytes


def selection_of(
    value: Mapping[str, Any], rules: Iterable[Any], excluded: Iterable[Any] = (), *, is_of_all: bool = False
) -> Selection:
    """What an object says of what it chooses."""
    return Selection(
        tuple(msgspec.convert(each, Rule) for each in rules),
        requirements_of(value.get("namespaceSelector") or {}),
        requirements_of(value.get("objectSelector") or {}),
        value.get("matchPolicy") != "Exact",
        tuple(msgspec.convert(each, Rule) for each in excluded),
        is_of_all,
    )


def hooks_of(kept: Record) -> tuple[Hook, ...]:
    """The webhooks of a configuration."""
    return _hooks(kept.name, kept.shown(b""))


@functools.lru_cache(maxsize=1024)
def _hooks(configuration: str, shown: bytes) -> tuple[Hook, ...]:
    value = msgspec.json.decode(shown)
    seen: dict[str, int] = {}
    found = []
    for each in value.get("webhooks") or ():
        name = each["name"]
        seen[name] = seen.get(name, -1) + 1
        found.append(_hook(f"{configuration}/{name}/{seen[name]}", each))
    return tuple(found)


def _hook(of: str, value: Mapping[str, Any]) -> Hook:
    config = value["clientConfig"]
    return Hook(
        id=of,
        name=value["name"],
        selection=selection_of(value, value.get("rules") or ()),
        conditions=tuple(Condition(each["expression"]) for each in value.get("matchConditions") or ()),
        fails_open=value.get("failurePolicy") == "Ignore",
        times_out_after_s=float(value.get("timeoutSeconds") or 10),
        is_without_side_effects=value.get("sideEffects") in ("None", "NoneOnDryRun"),
        is_reinvoked=value.get("reinvocationPolicy") == "IfNeeded",
        versions=tuple(value.get("admissionReviewVersions") or ()),
        url=config.get("url") or "",
        service=config.get("service"),
        authorities=b64decode(config.get("caBundle") or ""),
    )


def _has(items: tuple[str, ...], wanted: str) -> bool:
    return "*" in items or wanted in items


def _is_of(said: str, plural: str, subresource: str) -> bool:
    resource, _, sub = said.partition("/")
    return resource in ("*", plural) and sub in ("*", subresource)


def _namespace_labels(write: Write, store: Store) -> Mapping[str, str] | None:
    if write.is_of_namespace and not write.asked.subresource and write.object is not None:
        return _labels(write.object)
    found = store.shelf(_NAMESPACES).get(key_of("", write.namespace))
    return found.labels if found is not None else None


def _labels(value: Mapping[str, Any]) -> Mapping[str, str]:
    return value["metadata"].get("labels") or {}
