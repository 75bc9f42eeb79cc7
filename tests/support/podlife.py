"""What a kubelet says about a Pod, by how its container behaves."""

from __future__ import annotations

from typing import Any

Whole = dict[str, Any]


def status_of(pod: Whole, behaviour: str) -> Whole:
    """The next status of a Pod: one that runs is first running, then ready."""
    container = pod["spec"]["containers"][0]
    match behaviour:
        case "hold":
            return _status(pod, "Pending", {"waiting": {"reason": "ContainerCreating"}}, ready=False)
        case "start":
            return _status(pod, "Running", {"running": {}}, ready=False)
        case "image":
            said = f"Back-off pulling image {container['image']}"
            return _status(pod, "Pending", {"waiting": {"reason": "ImagePullBackOff", "message": said}}, ready=False)
        case "crash":
            waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting"}}
            last = {"terminated": {"exitCode": 2, "reason": "Error", "message": "bad flag"}}
            return _status(pod, "Running", waiting, ready=False, last=last, restarts=4)
        case "unschedulable":
            said = "0/3 nodes are available: 3 Insufficient memory."
            condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": said}
            return {"phase": "Pending", "conditions": [condition]}
    return _status(pod, "Running", {"running": {}}, ready=pod.get("status", {}).get("phase") == "Running")


def _status(
    pod: Whole, phase: str, state: Whole, *, ready: bool, last: Whole | None = None, restarts: int = 0
) -> Whole:
    container = pod["spec"]["containers"][0]
    condition = {"type": "Ready", "status": "True" if ready else "False"}
    scheduled = {"type": "PodScheduled", "status": "True"}
    told = {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": ready,
        "restartCount": restarts,
        "state": state,
        "lastState": last or {},
    }
    return {"phase": phase, "conditions": [scheduled, condition], "containerStatuses": [told]}
