"""Pods: how many of its containers are ready, and the one word that tells best how it is.

The word is the last of these that is so: the phase, the reason of the status, gates that hold it back, the first of
its starting containers that has not ended well, what the first of its containers waits for or ended by, and that it is
being deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from homeostat.sim.apiserver.printing.ages import age
from homeostat.sim.apiserver.printing.cells.parts import NONE, Cells, age_of, name_of
from homeostat.sim.apiserver.types.type import Value

_OVER = ("Failed", "Succeeded")
_WORDS = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}


class _Look(Struct):
    """What is seen of the containers so far."""

    word: str
    ready: int = 0
    restarts: int = 0
    restarted_at: str = ""

    def count(self, status: Mapping[str, Any]) -> None:
        """Its restarts, and when the latest was."""
        self.restarts += status.get("restartCount") or 0
        ended = (status.get("lastState") or {}).get("terminated") or {}
        self.restarted_at = max(self.restarted_at, ended.get("finishedAt") or "")


def pod(value: Value, now: datetime) -> Cells:
    """One Pod."""
    spec, status = value["spec"], value.get("status") or {}
    look = _looked(spec, status)
    if value["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            look.word = "Unknown"
        elif status.get("phase") not in _OVER:
            look.word = "Terminating"
    sidecars = _sidecars(spec)
    restarts = str(look.restarts)
    if look.restarts and look.restarted_at:
        restarts = f"{restarts} ({age(look.restarted_at, now)} ago)"
    ready = f"{look.ready}/{len(spec.get('containers') or ()) + len(sidecars)}"
    addresses = [each.get("ip", "") for each in status.get("podIPs") or ()]
    return [
        *(name_of(value), ready, look.word, restarts, age_of(value, now)),
        *((addresses or [""])[0] or NONE, spec.get("nodeName") or NONE, status.get("nominatedNodeName") or NONE),
        _gates(spec, status),
    ]


def conditions(value: Value) -> list[Value]:
    """What a row tells of a Pod that is over."""
    phase = (value.get("status") or {}).get("phase", "")
    if phase not in _OVER:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": _WORDS[phase]}]


def _looked(spec: Value, status: Value) -> _Look:
    look = _Look(status.get("reason") or status.get("phase") or "")
    if any(each.get("reason") == "SchedulingGated" for each in _of_type(status, "PodScheduled")):
        look.word = "SchedulingGated"
    of_sidecars = _Look("")
    is_starting = _look_at_starting(spec, status, look, of_sidecars)
    if not is_starting or _is_true(status, "Initialized"):
        look.restarts, look.restarted_at = of_sidecars.restarts, of_sidecars.restarted_at
        _look_at_running(status, look)
    return look


def _look_at_starting(spec: Value, status: Value, look: _Look, of_sidecars: _Look) -> bool:
    """Whether one of the containers that come first has not ended well."""
    sidecars = _sidecars(spec)
    for index, each in enumerate(status.get("initContainerStatuses") or ()):
        look.count(each)
        is_sidecar = each.get("name") in sidecars
        if is_sidecar:
            of_sidecars.count(each)
        state = each.get("state") or {}
        ended, waits_for = state.get("terminated"), (state.get("waiting") or {}).get("reason")
        if ended is not None and not ended.get("exitCode"):
            continue
        if is_sidecar and each.get("started"):
            look.ready += bool(each.get("ready"))
            continue
        if ended is not None:
            look.word = f"Init:{_end(ended)}"
        elif waits_for and waits_for != "PodInitializing":
            look.word = f"Init:{waits_for}"
        else:
            look.word = f"Init:{index}/{len(spec['initContainers'])}"
        return True
    return False


def _look_at_running(status: Value, look: _Look) -> None:
    runs, failure = False, ""
    for each in reversed(status.get("containerStatuses") or ()):
        look.count(each)
        state = each.get("state") or {}
        ended = state.get("terminated")
        if waits_for := (state.get("waiting") or {}).get("reason"):
            look.word = waits_for
        elif ended is not None:
            look.word = _end(ended)
            failure = look.word if ended.get("exitCode") else failure
        elif each.get("ready") and "running" in state:
            runs = True
            look.ready += 1
    if look.word == "Completed":
        if runs and _is_true(status, "Ready"):
            look.word = "Running"
        elif failure or runs:
            look.word = failure or "NotReady"


def _end(ended: Value) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _gates(spec: Value, status: Value) -> str:
    gates = [each.get("conditionType", "") for each in spec.get("readinessGates") or ()]
    return f"{sum(_is_true(status, gate) for gate in gates)}/{len(gates)}" if gates else NONE


def _sidecars(spec: Value) -> dict[str, Value]:
    """Containers that start first and stay."""
    return {each["name"]: each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"}


def _is_true(status: Value, type_: str) -> bool:
    return any(each.get("status") == "True" for each in _of_type(status, type_))


def _of_type(status: Value, type_: str) -> Iterator[Value]:
    return (each for each in status.get("conditions") or () if each.get("type") == type_)
