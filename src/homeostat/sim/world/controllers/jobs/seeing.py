"""What a Job asks of its Pods that no cache of the world holds: codes with which containers ended, and restarts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from homeostat.api.kind import unstructured
from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.sim.world.controllers.jobs.policies import Looked
from homeostat.sim.world.controllers.workloads.templates import read
from homeostat.sim.world.kinds.jobs import Job
from homeostat.sim.world.kinds.pods import POD, Pod

_WHOLE = unstructured(POD.resource)
_LISTS = ("containerStatuses", "initContainerStatuses")


async def look(client: Client, job: Job, pods: Sequence[Pod]) -> Looked:
    """Read those Pods whole that it is asked of. Raises KubeError."""
    policy = job.spec.pod_failure_policy
    asks_codes = policy is not None and any(rule.on_exit_codes is not None for rule in policy.rules)
    restarts = read(job.spec.template).get("spec", {}).get("restartPolicy") == "OnFailure"
    exits, number = {}, 0
    for pod in pods:
        if asks_codes and pod.status.phase == "Failed":
            exits[pod.metadata.uid] = tuple(_ended_badly(await _whole(client, pod)))
        elif restarts and pod.status.phase in ("Running", "Pending"):
            number += sum(each.get("restartCount", 0) for each in _statuses(await _whole(client, pod)))
    return Looked(exits, number if restarts else None)


async def _whole(client: Client, pod: Pod) -> dict[str, Any]:
    try:
        return await client.get(_WHOLE, pod.metadata.name, pod.metadata.namespace)
    except NotFound:
        return {}


def _statuses(pod: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in _LISTS:
        yield from pod.get("status", {}).get(name) or ()


def _ended_badly(pod: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for each in _statuses(pod):
        ended = each.get("state", {}).get("terminated")
        if ended is not None and ended.get("exitCode"):
            yield each["name"], ended["exitCode"]
