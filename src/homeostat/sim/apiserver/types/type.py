"""One type that is served: its address, its words, its schema, and what its objects go through before they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol

from msgspec import Struct

from homeostat.api.kind import Resource
from homeostat.sim.apiserver.printing.columns import Column
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.shape import Shape
from homeostat.sim.apiserver.store.store import Collection
from homeostat.sim.apiserver.types.user import User

Value = dict[str, Any]
NameRule = Literal["subdomain", "label", "label 1035", "segment", "address"]
"""A DNS subdomain, a DNS label by RFC 1123 or 1035, whatever a path can hold, or an IP address."""


# Whose metadata is judged as that of custom types is: by group, and by plural where it is not all of the group.
_PLAIN_FINALIZERS = (
    *("admissionregistration.k8s.io", "apiextensions.k8s.io", "coordination.k8s.io", "node.k8s.io", "policy"),
    ("", "events"),
)


class Schema(Protocol):
    """What a type asks of its objects, as its schema says."""

    @property
    def shape(self) -> Shape:
        """How objects merge."""
        ...

    @property
    def empty(self) -> Value:
        """An object of which nothing was said, with what it cannot be without."""
        ...

    def decode(self, value: Value, before: Value | None = None) -> tuple[Value, list[str]]:
        """The fields that the schema knows, and what is to be said of the others. Raises Refused for wrong types.

        What it has in common with the object as it was kept before may be taken for decoded.
        """
        ...

    def default(self, value: Value) -> None:
        """Fill in what the schema has values for."""
        ...

    def causes(self, value: Value, old: Value | None, *, is_status: bool) -> Iterable[Cause]:
        """Why an object, or the change of its status, is not allowed."""
        ...


class Strategy:
    """What a type does with its objects before they are kept. This one does nothing; kinds with rules inherit it."""

    names: NameRule = "subdomain"
    """What a name must be."""
    keeps_first_status = False
    """Whether a new object may come with a status."""
    returns_deleted = False
    """Whether a deletion is answered by the object that is gone, and not by a Status."""
    keeps_metadata_of_status = False
    """Whether a write of the status leaves the metadata as it is; for custom types it always does."""
    keeps_of_status: tuple[str, ...] = ()
    """What of the metadata a write of the status leaves as it is where it changes the rest."""
    statuses: tuple[str, ...] = ("status",)
    """The subresources by which the status is written."""
    resets: tuple[str, ...] = ()
    """What a write leaves as it is and gives to nobody, where that is not told by which subresource it is."""
    needs_version = False
    """Whether an update must say which version it was made from; those of custom types always must."""
    orphans = False
    """Whether those that an object owns stay when it is deleted and nobody says what is to become of them."""

    def check_use(self) -> None:
        """Whether anybody can use the type. Raises Refused."""

    def below(self, subresource: str) -> Strategy:  # noqa: ARG002
        """What the type does with what is written by a subresource."""
        return self

    def default(self, value: Value) -> None:
        """Fill in what clients may leave out, at every write; whoever writes owns it."""

    def on_asked(self, value: Value, user: User) -> None:
        """Fill in who asked for a new object."""

    def on_create(self, value: Value) -> None:
        """Fill in what a new object has."""

    def on_update(self, value: Value, old: Value) -> None:
        """Put back what an update may not change, when that is done in silence."""

    def on_status(self, value: Value, old: Value) -> None:
        """The same for an update of the status."""

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:  # noqa: ARG002
        """Why an object is not allowed."""
        return ()

    def admit(self, value: Value, old: Value | None, user: User) -> None:
        """Refuse what is allowed, and yet not to this user. Raises Refused."""

    def check(self, value: Value) -> None:
        """Refuse what is allowed, and yet not imitated. Raises Refused."""

    def check_end(self, value: Value) -> None:
        """Refuse an end that is allowed, and yet not imitated. Raises Refused."""

    def on_stored(self, value: Value) -> None:
        """Act on an object that is kept now."""

    def on_gone(self, value: Value) -> None:
        """Act on an object that is kept no more."""

    def on_delete(self, value: Value) -> None:
        """Show in an object that its end was asked for."""

    def is_held(self, value: Value) -> bool:  # noqa: ARG002
        """Whether an object that nobody's finalizer holds must stay all the same when its end is asked for."""
        return False

    def grace_s(self, value: Value, asked_s: int | None) -> int:  # noqa: ARG002
        """How long somebody else has to end what the object stands for; who has, deletes it again with zero."""
        return 0

    def fields(self, value: Value) -> Mapping[str, str]:  # noqa: ARG002
        """What field selectors may ask for, beside name and namespace."""
        return {}

    @property
    def selectable(self) -> tuple[str, ...]:
        """The names of these fields."""
        return ()


class Names(Struct, frozen=True):
    """What people call a type."""

    singular: str = ""
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


class Type(Struct, eq=False, kw_only=True):
    """A resource in one of its versions."""

    resource: Resource
    schema: Schema
    strategy: Strategy
    names: Names = Names()
    list_kind: str = ""
    is_custom: bool = False
    raw: Value = {}  # of a custom type: its version as the definition has it
    columns: tuple[Column, ...] = ()  # of tables; those of built-in types are captured
    subresources: tuple[str, ...] = ()
    counts_generations: bool = False
    verbs: tuple[str, ...] = (
        "create",
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "update",
        "watch",
    )

    @property
    def keeps_metadata_of_status(self) -> bool:
        """Whether a write of the status leaves the metadata as it is."""
        return self.is_custom or self.strategy.keeps_metadata_of_status

    @property
    def qualifies_finalizers(self) -> bool:
        """Whether a finalizer must be one of Kubernetes itself, or name a domain."""
        is_plain = self.resource.group in _PLAIN_FINALIZERS or self.collection in _PLAIN_FINALIZERS
        return not self.is_custom and not is_plain

    @property
    def collection(self) -> Collection:
        """Where objects of all versions are kept."""
        return (self.resource.group, self.resource.plural)

    @property
    def qualified(self) -> str:
        """`plural.group`, as refusals name it."""
        return self.resource.qualified

    @property
    def head(self) -> bytes:
        """What an object that is read begins with."""
        return b'"kind":"%b","apiVersion":"%b",' % (self.resource.kind.encode(), self.resource.api_version.encode())

    @property
    def item_head(self) -> bytes:
        """What an object in a list begins with: lists of built-in types name the kind once."""
        return self.head if self.is_custom else b""
