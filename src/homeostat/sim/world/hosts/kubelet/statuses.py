"""What a kubelet tells of a Pod: phase, conditions, and how each container is. Pure.

Phases and conditions are those of the documentation of Kubernetes (Pod lifecycle); names of reasons and the wording of
messages are as `kubectl get pod -o yaml` shows them on the real data centre.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

_LATE = "Pod was active on the node longer than the specified deadline"
State = dict[str, Any]  # of a container, as the API has it: waiting, running or terminated


class Seen(Struct, frozen=True, kw_only=True):
    """How one container is."""

    name: str
    image: str
    state: State
    last: State
    restarts: int
    ready: bool
    started: bool
    is_done: bool  # an init container that has done its part
    image_id: str = ""
    container_id: str = ""


class Facts(Struct, frozen=True, kw_only=True):
    """All that a Pod's status is made of."""

    policy: str
    inits: Sequence[Seen]
    mains: Sequence[Seen]
    host_ip: str
    pod_ip: str
    started: str  # when the kubelet took it up
    has_sandbox: bool
    gates: Mapping[str, bool | None]  # conditions that others set; None: they are not there
    generation: int = 0
    is_over: bool = False  # it was told to end, and all of it has
    is_late: bool = False  # it ran longer than it may, and all of it has ended


def status_of(facts: Facts, before: Mapping[str, Any], now: str) -> dict[str, Any]:
    """The whole status; conditions that are as before keep their time."""
    phase = phase_of(facts)
    status: dict[str, Any] = {
        "phase": phase,
        "conditions": _conditions(facts, phase, before.get("conditions", ()), now),
        "hostIP": facts.host_ip,
        "hostIPs": [{"ip": facts.host_ip}],
        "startTime": facts.started,
        "containerStatuses": [_told(each) for each in facts.mains],
    }
    if facts.inits:
        status["initContainerStatuses"] = [_told(each) for each in facts.inits]
    if facts.pod_ip:
        status |= {"podIP": facts.pod_ip, "podIPs": [{"ip": facts.pod_ip}]}
    if facts.is_late:
        status |= {"reason": "DeadlineExceeded", "message": _LATE}
    if facts.generation:
        status["observedGeneration"] = facts.generation
    return status


def phase_of(facts: Facts) -> str:
    """Pending, Running, Succeeded or Failed."""
    if facts.is_late:
        return "Failed"
    if facts.is_over:
        return _ended(facts.mains)
    unfinished = [each for each in facts.inits if not each.is_done]
    if unfinished:
        has_failed = any(_has_failed(each) for each in unfinished)
        return "Failed" if has_failed and facts.policy == "Never" else "Pending"
    mains = facts.mains
    if any("waiting" in each.state and not each.last for each in mains):
        return "Pending"
    if facts.policy == "Always" or not all("terminated" in each.state for each in mains):
        return "Running"
    if all(not _has_failed(each) for each in mains):
        return "Succeeded"
    return "Failed" if facts.policy == "Never" else "Running"


def _ended(mains: Sequence[Seen]) -> str:
    return "Failed" if any(_has_failed(each) or "waiting" in each.state for each in mains) else "Succeeded"


def _has_failed(each: Seen) -> bool:
    return bool(each.state.get("terminated", {}).get("exitCode", 0))


def _told(each: Seen) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": each.name,
        "state": each.state,
        "lastState": each.last,
        "ready": each.ready,
        "restartCount": each.restarts,
        "image": each.image,
        "imageID": each.image_id,
        "started": each.started,
    }
    return {**told, "containerID": each.container_id} if each.container_id else told


def _conditions(facts: Facts, phase: str, before: Sequence[Mapping[str, Any]], now: str) -> list[dict[str, Any]]:
    known = {each["type"]: each for each in before}
    made = []
    for type_, (is_true, reason, message) in _claims(facts, phase).items():
        condition: dict[str, Any] = {"type": type_, "status": "True" if is_true else "False"}
        old = known.get(type_, {})
        is_same = old.get("status") == condition["status"]
        condition["lastTransitionTime"] = old.get("lastTransitionTime", now) if is_same else now
        # A patch must name what is gone.
        for name, text in (("reason", reason), ("message", message)):
            if text or name in old:
                condition[name] = text or None
        if facts.generation:
            condition["observedGeneration"] = facts.generation
        made.append(condition)
    return made


def _claims(facts: Facts, phase: str) -> dict[str, tuple[bool, str, str]]:
    initialized, ready = _initialized(facts, phase), _containers_ready(facts, phase)
    return {
        "PodReadyToStartContainers": (facts.has_sandbox, "", ""),
        "Initialized": initialized,
        "Ready": _gated(facts, ready) if ready[0] else ready,
        "ContainersReady": ready,
    }


def _initialized(facts: Facts, phase: str) -> tuple[bool, str, str]:
    if phase == "Succeeded":
        return True, "PodCompleted", ""
    names = [each.name for each in facts.inits if not each.is_done]
    if names:
        return False, "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(names)}]"
    return True, "", ""


def _containers_ready(facts: Facts, phase: str) -> tuple[bool, str, str]:
    if phase == "Succeeded":
        return False, "PodCompleted", ""
    if phase == "Failed":
        return False, "PodFailed", ""
    names = [each.name for each in facts.mains if not each.ready]
    if names:
        return False, "ContainersNotReady", f"containers with unready status: [{' '.join(names)}]"
    return True, "", ""


def _gated(facts: Facts, ready: tuple[bool, str, str]) -> tuple[bool, str, str]:
    texts = {
        None: 'corresponding condition of pod readiness gate "{}" does not exist.',
        False: 'the status of pod readiness gate "{}" is not "True", but False',
    }
    faults = [texts[is_set].format(name) for name, is_set in facts.gates.items() if is_set is not True]
    return (False, "ReadinessGatesNotReady", ", ".join(faults)) if faults else ready
