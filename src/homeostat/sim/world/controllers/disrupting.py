"""A Pod's status tells why others end it, before they do."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from homeostat.kube.client import Client
from homeostat.sim.world.kinds.pods import POD, Pod

MANAGER = "kube-controller-manager"


async def disrupt(
    client: Client, pod: Pod, reason: str, message: str, now: datetime, *, phase: str = "", note: str = ""
) -> None:
    """Say in a Pod's status that, and why, it is about to be ended; with a phase when it will never run again.

    Raises KubeError.
    """
    said = pod.status.condition("DisruptionTarget")
    if said is not None and said.status == "True" and not phase:
        return
    condition = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": reason,
        "message": message,
        "lastTransitionTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    status: dict[str, Any] = {"conditions": [condition]}
    if phase:
        status |= {"phase": phase, "reason": note} if note else {"phase": phase}
    meta = {"name": pod.metadata.name, "namespace": pod.metadata.namespace, "uid": pod.metadata.uid}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "status": status}
    await client.apply(POD, body, force=True, subresource="status", field_manager=MANAGER)
