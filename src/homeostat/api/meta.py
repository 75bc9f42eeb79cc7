"""The parts that all Kubernetes objects share: metadata, references and conditions."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from msgspec import Struct, field

from homeostat.api.sharing import share, share_values


class OwnerReference(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Points from a dependent object to its owner, for garbage collection."""

    api_version: str = field(name="apiVersion")
    kind: str
    name: str
    uid: str
    controller: bool = False
    block_owner_deletion: bool = False

    def __post_init__(self) -> None:
        share(self, "api_version", "kind", "name", "uid")


class ObjectMeta(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """The metadata fields that homeostat reads; managedFields and selfLink are skipped on purpose (they are bulk)."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    deletion_grace_period_seconds: int | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()

    def __post_init__(self) -> None:
        share(self, "namespace")
        if self.labels:
            share_values(self.labels)

    @property
    def key(self) -> str:
        """`namespace/name`, or the bare name of a cluster-scoped object: how queues and logs name it."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class Object(Protocol):
    """Anything with metadata."""

    @property
    def metadata(self) -> ObjectMeta:
        """The object's metadata."""
        ...


class Condition(Struct, frozen=True, rename="camel", kw_only=True):
    """One aspect of an object's state, as Kubernetes API conventions define it (metav1.Condition)."""

    type: str
    status: str  # "True", "False" or "Unknown"
    reason: str
    message: str = ""
    last_transition_time: datetime | None = None
    observed_generation: int = 0

    def __post_init__(self) -> None:
        share(self, "type", "status", "reason")
