"""What a quota is to say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from homeostat.api.kind import Resource
from homeostat.kube.discovery import Served
from homeostat.sim.apiserver.quotas.amounts import read, told
from homeostat.sim.apiserver.quotas.counting import counter_of, usage
from homeostat.sim.world.kinds.quotas import Quota

_NEEDED = {"create", "delete", "list", "watch"}
Object = dict[str, Any]


def counts(quota: Quota, resource: Resource) -> bool:
    """Whether objects of a type count for a quota."""
    counter = counter_of((resource.group, resource.plural))
    return counter is not None and bool(counter.tracked(quota.spec.hard))


def counted_types(quota: Quota, served: Iterable[Served]) -> list[Resource]:
    """The types whose objects count for a quota, of those that are served."""
    found = (each.resource for each in served if each.preferred and set(each.verbs) >= _NEEDED)
    return [each for each in found if each.namespaced and counts(quota, each)]


def used(quota: Quota, objects: Mapping[Resource, Iterable[Object]], now: datetime) -> dict[str, str]:
    """How much is used of what is limited; what cannot be counted stays as it was."""
    spec = msgspec.to_builtins(quota.spec)
    found = {name: each for name, each in quota.status.used.items() if name in quota.spec.hard}
    for resource, values in objects.items():
        counter = counter_of((resource.group, resource.plural))
        if counter is not None:
            found |= told(usage(spec, counter, values, now))
    return found


def is_same(left: Mapping[str, str], right: Mapping[str, str]) -> bool:
    """Whether amounts are the same, however they are written."""
    first, second = ({name: each.value for name, each in read(part).items()} for part in (left, right))
    return first == second


def change(quota: Quota, found: Mapping[str, str]) -> dict[str, Any]:
    """The patch that lets a quota say it."""
    said, hard = quota.status, quota.spec.hard
    status = {"hard": {**dict.fromkeys(said.hard), **hard}, "used": {**dict.fromkeys(said.used), **found}}
    return {"metadata": {"resourceVersion": quota.metadata.resource_version}, "status": status}
