"""A write as those who are asked about it see it."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from homeostat.sim.apiserver.types.routing import Asked
from homeostat.sim.apiserver.types.type import Type, Value

Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]
_META = "meta.k8s.io/v1"
_OF_QUERY = ("fieldManager", "fieldValidation")


class Write(Struct, frozen=True, kw_only=True):
    """One write of one object. `name` is what the client gave, not what the server made."""

    operation: Operation
    asked: Asked
    object: Value | None = None  # as it would be; None in a deletion
    old: Value | None = None  # as it is; None in a creation
    options: Value = {}
    name: str = ""
    is_dry_run: bool = False

    @property
    def type(self) -> Type:
        """What is written."""
        return self.asked.type

    @property
    def namespace(self) -> str:
        """Where; that of a namespace is itself."""
        if self.is_of_namespace:
            return self.name
        return self.asked.namespace

    @property
    def is_of_namespace(self) -> bool:
        """Whether a namespace is written."""
        return self.asked.type.collection == ("", "namespaces")

    def request(self, uid: str, type_: Type) -> Value:
        """The request of a review, without the objects; `type_` is the version that is asked for."""
        asked, wanted = self.type.resource, type_.resource
        user: Any = self.asked.user.told()
        found = {
            "uid": uid,
            "kind": {"group": wanted.group, "version": wanted.version, "kind": wanted.kind},
            "resource": {"group": wanted.group, "version": wanted.version, "resource": wanted.plural},
            "subResource": self.asked.subresource,
            "requestKind": {"group": asked.group, "version": asked.version, "kind": asked.kind},
            "requestResource": {"group": asked.group, "version": asked.version, "resource": asked.plural},
            "requestSubResource": self.asked.subresource,
            "name": self.name,
            "namespace": self.namespace,
        }
        shown = {key: each for key, each in found.items() if each}
        return shown | {
            "operation": self.operation,
            "userInfo": user,
            "dryRun": self.is_dry_run,
            "options": self.options,
        }


def options_of(asked: Asked, kind: str) -> Value:
    """The options of a create or an update, as the query says them; a patch is one of these, too."""
    said = {name: asked.query[name] for name in _OF_QUERY if asked.query.get(name)}
    dry = {"dryRun": ["All"]} if asked.is_dry_run else {}
    return {"kind": kind, "apiVersion": _META, **dry, **said}


def creation(asked: Asked, value: Value, name: str) -> Write:
    """A new object."""
    options = options_of(asked, "CreateOptions")
    dry = asked.is_dry_run
    return Write(operation="CREATE", asked=asked, object=value, options=options, name=name, is_dry_run=dry)


def update(asked: Asked, value: Value, old: Value) -> Write:
    """Another object in the place of one."""
    options, name = options_of(asked, "UpdateOptions"), asked.name
    dry = asked.is_dry_run
    return Write(operation="UPDATE", asked=asked, object=value, old=old, options=options, name=name, is_dry_run=dry)


def deletion(asked: Asked, old: Value, options: Value, *, is_dry_run: bool) -> Write:
    """The end of an object."""
    told = {"kind": "DeleteOptions", "apiVersion": _META, **options}
    return Write(operation="DELETE", asked=asked, old=old, options=told, name=asked.name, is_dry_run=is_dry_run)
