"""Pods as controllers make them, and what a kubelet says about one, by how its container behaves."""

from __future__ import annotations

import copy
from typing import Any

from homeostat.kit.clock import Clock

Whole = dict[str, Any]
HOST = "host-1"


def pod_of(workload: Whole, kind: str, name: str, revision: str) -> Whole:
    """The Pod that a controller makes of a workload's template, placed on a host at once."""
    template = copy.deepcopy(workload["spec"]["template"])
    owner = {
        "apiVersion": "apps/v1",
        "kind": kind,
        "name": workload["metadata"]["name"],
        "uid": workload["metadata"]["uid"],
        "controller": True,
    }
    template["metadata"] |= {"name": name, "namespace": workload["metadata"]["namespace"], "ownerReferences": [owner]}
    template["metadata"]["labels"]["controller-revision-hash"] = revision
    spec = template["spec"]
    spec["nodeName"] = HOST
    for claim in workload["spec"].get("volumeClaimTemplates", ()):
        volume = claim["metadata"]["name"]
        spec["volumes"].append({"name": volume, "persistentVolumeClaim": {"claimName": f"{volume}-{name}"}})
    return {"metadata": template["metadata"], "spec": spec}


def status_of(pod: Whole, behaviour: str, clock: Clock) -> Whole:
    """The next status of a Pod: one that runs is first running, then ready."""
    container = pod["spec"]["containers"][0]
    match behaviour:
        case "hold":
            return _status(pod, clock, "Pending", {"waiting": {"reason": "ContainerCreating"}}, ready=False)
        case "start":
            return _status(pod, clock, "Running", {"running": {}}, ready=False)
        case "image":
            said = f"Back-off pulling image {container['image']}"
            return _status(
                pod, clock, "Pending", {"waiting": {"reason": "ImagePullBackOff", "message": said}}, ready=False
            )
        case "crash":
            waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting"}}
            last = {"terminated": {"exitCode": 2, "reason": "Error", "message": "bad flag"}}
            return _status(pod, clock, "Running", waiting, ready=False, last=last, restarts=4)
        case "unschedulable":
            said = "0/3 nodes are available: 3 Insufficient memory."
            condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": said}
            return {"phase": "Pending", "conditions": [condition]}
        case "end":
            return _ended(pod, clock, 0)
        case "fail":
            return _ended(pod, clock, 1)
    return _status(pod, clock, "Running", {"running": {}}, ready=pod.get("status", {}).get("phase") == "Running")


def _ended(pod: Whole, clock: Clock, exit_code: int) -> Whole:
    """A Pod that is not started again has come to its end."""
    state = {"terminated": {"exitCode": exit_code, "message": "no route to the snapshot" if exit_code else ""}}
    return _status(pod, clock, "Failed" if exit_code else "Succeeded", state, ready=False)


def _status(
    pod: Whole, clock: Clock, phase: str, state: Whole, *, ready: bool, last: Whole | None = None, restarts: int = 0
) -> Whole:
    container, uid = pod["spec"]["containers"][0], pod["metadata"]["uid"]
    born = pod["metadata"]["creationTimestamp"]
    if "running" in state:
        state = {"running": {"startedAt": born}}
    condition = _since(pod, clock, {"type": "Ready", "status": "True" if ready else "False"})
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
    conditions = [scheduled, condition]
    place = {"startTime": born, "podIP": address_of(uid)} if phase == "Running" else {}
    return {"phase": phase, "conditions": conditions, "containerStatuses": [told], **place}


def address_of(uid: str) -> str:
    """An address that no other Pod has, nor ever had."""
    number = int(uid.replace("-", "")[:6], 16)
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def _since(pod: Whole, clock: Clock, condition: Whole) -> Whole:
    """The condition with the time of its last change."""
    conditions = pod.get("status", {}).get("conditions", ())
    old: Whole = next((each for each in conditions if each["type"] == condition["type"]), {})
    is_same = old.get("status") == condition["status"] and "lastTransitionTime" in old
    return condition | {"lastTransitionTime": old["lastTransitionTime"] if is_same else _second(clock)}


def _second(clock: Clock) -> str:
    return clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
