"""How a workload's status is told: whole, by the one controller that writes it, and only when it has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from homeostat.api.kind import Kind
from homeostat.api.meta import Object
from homeostat.kube.client import Client
from homeostat.sim.world.kinds.workloads import WorkloadCondition

T = TypeVar("T", bound=Object)
Conditions = tuple[WorkloadCondition, ...]
MANAGER = "kube-controller-manager"


async def tell(
    client: Client, kind: Kind[T], obj: T, status: Struct, annotations: Mapping[str, str] | None = None
) -> T:
    """Write a status, and with it annotations. Raises Conflict for another object of that name, and NotFound."""
    meta = obj.metadata
    body: dict[str, Any] = {"metadata": {"uid": meta.uid}, "status": msgspec.to_builtins(status)}
    if annotations:
        body["metadata"]["annotations"] = dict(annotations)
    return await client.merge_patch(kind, meta.name, body, meta.namespace, subresource="status", field_manager=MANAGER)


def whole_seconds(now: datetime) -> datetime:
    """A moment as objects carry it."""
    return now.replace(microsecond=0)


def condition(conditions: Iterable[WorkloadCondition], type_: str) -> WorkloadCondition | None:
    """The condition of a type."""
    return next((each for each in conditions if each.type == type_), None)


def without(conditions: Conditions, type_: str) -> Conditions:
    """All conditions but one."""
    return tuple(each for each in conditions if each.type != type_)


def with_condition(conditions: Conditions, new: WorkloadCondition) -> Conditions:
    """With a condition in place of its former self; one that says the same for the same reason stays."""
    old = condition(conditions, new.type)
    if old is not None and (old.status, old.reason) == (new.status, new.reason):
        return conditions
    if old is not None and old.status == new.status:
        new = replace(new, last_transition_time=old.last_transition_time)
    return (*without(conditions, new.type), new)
