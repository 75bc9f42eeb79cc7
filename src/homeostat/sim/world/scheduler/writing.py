"""What the scheduler writes: a condition, a Node, a claim's choice, and that somebody must go."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from homeostat.api.events import ObjectReference
from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.runtime.store import split_key
from homeostat.sim.world.kinds.pods import POD, Pod
from homeostat.sim.world.kinds.volumes import BY_CONTROLLER, CLAIM, SELECTED, VOLUME
from homeostat.sim.world.scheduler.asking import Ask
from homeostat.sim.world.scheduler.filters.volumes import Promise, Stock

MANAGER = "kube-scheduler"
PREEMPTED = "default-scheduler: preempting to accommodate a higher priority pod"


def regarding(ask: Ask) -> ObjectReference:
    """What an Event about a Pod is about."""
    namespace, name = split_key(ask.key)
    return ObjectReference("v1", "Pod", namespace, name, ask.uid)


async def bind(client: Client, pod: Pod, node: str) -> None:
    """Give a Pod its Node. Raises KubeError."""
    meta = pod.metadata
    await client.bind(meta.name, meta.namespace, node, uid=meta.uid)


async def tell(client: Client, pod: Pod, text: str, nominated: str, now: datetime) -> None:
    """Say in a Pod's status why it has no Node, unless it says so already. Raises KubeError."""
    said = pod.status.condition("PodScheduled")
    is_same = said is not None and (said.status, said.reason, said.message) == ("False", "Unschedulable", text)
    if is_same and pod.status.nominated_node_name == nominated:
        return
    began = said.last_transition_time if said is not None and said.status == "False" else None
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": text,
        "lastTransitionTime": _time(began or now),
    }
    status: dict[str, Any] = {"conditions": [condition]}
    if nominated:
        status["nominatedNodeName"] = nominated
    await _apply_status(client, ObjectReference("v1", "Pod", pod.metadata.namespace, pod.metadata.name), status)


async def send_away(client: Client, victim: Ask, now: datetime) -> None:
    """End a Pod, so that a more important one can stand in its place. Raises KubeError."""
    condition = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "PreemptionByScheduler",
        "message": PREEMPTED,
        "lastTransitionTime": _time(now),
    }
    about = regarding(victim)
    try:
        if not victim.is_ending:
            await _apply_status(client, about, {"conditions": [condition]})
            await client.delete(POD, about.name, about.namespace, uid=victim.uid)
    except NotFound:
        return  # as wanted


async def keep(client: Client, promise: Promise, node: str, stock: Stock) -> None:
    """Choose a volume for a claim, or a Node for one that is to be provisioned. Raises KubeError."""
    claim = promise.claim.metadata
    if promise.volume:
        volume = stock.volume(promise.volume)
        if volume is None or volume.spec.claim_ref is not None:
            return
        reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": claim.namespace}
        chosen = {"spec": {"claimRef": {**reference, "name": claim.name, "uid": claim.uid}}}
        meta = {"resourceVersion": volume.metadata.resource_version, "annotations": {BY_CONTROLLER: "yes"}}
        await client.merge_patch(VOLUME, promise.volume, {"metadata": meta, **chosen}, field_manager=MANAGER)
        return
    present = stock.claim(claim.key)
    if present is None or present.is_bound or SELECTED in present.metadata.annotations:
        return
    if present.metadata.resource_version != claim.resource_version:
        return  # whoever was to make the volume has given the choice back, or its class is another
    patch = {"metadata": {"annotations": {SELECTED: node}, "resourceVersion": claim.resource_version}}
    await client.merge_patch(CLAIM, claim.name, patch, claim.namespace, field_manager=MANAGER)


async def _apply_status(client: Client, about: ObjectReference, status: dict[str, Any]) -> None:
    meta = {"name": about.name, "namespace": about.namespace}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "status": status}
    await client.apply(POD, body, force=True, subresource="status", field_manager=MANAGER)


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
