"""Pods: filled in and admitted when they are made, hardly changed later, and given time to end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from homeostat.sim.apiserver.kinds.pods.admission import give_priority, give_tolerations, quality
from homeostat.sim.apiserver.kinds.pods.changing import change_causes
from homeostat.sim.apiserver.kinds.pods.defaults import default_pod
from homeostat.sim.apiserver.kinds.pods.judging import spec_causes
from homeostat.sim.apiserver.kinds.pods.runtimes import give_runtime
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.type import Strategy, Value

_OVER = ("Failed", "Succeeded")
_SELECTABLE = (
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
)
_GATED = {
    "type": "PodScheduled",
    "status": "False",
    "lastProbeTime": None,
    "lastTransitionTime": None,
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}


class PodStrategy(Strategy):
    """A Pod waits for a host, and its host's kubelet for it."""

    returns_deleted = True
    keeps_of_status = ("ownerReferences",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def default(self, value: Value) -> None:
        """Of everything that can be left out."""
        default_pod(value.setdefault("spec", {}))

    def on_create(self, value: Value) -> None:
        """Give it a priority, tolerations, what its runtime needs and a class, and let it wait."""
        give_priority(value, self._store)
        give_tolerations(value)
        give_runtime(value, self._store)
        _choose_own_revision(value)
        value["status"] = {"phase": "Pending", "qosClass": quality(value["spec"])}
        if value["spec"].get("schedulingGates"):
            value["status"]["conditions"] = [dict(_GATED)]

    def on_update(self, value: Value, old: Value) -> None:
        """Admission fills in again what an update left out."""
        spec, before = value["spec"], old.get("spec", {})
        for name in ("priority", "preemptionPolicy"):
            if spec.get(name) is None and name in before:
                spec[name] = before[name]
        give_tolerations(value)

    def on_status(self, value: Value, old: Value) -> None:
        """The class is what it was."""
        before = old.get("status", {}).get("qosClass")
        if before is not None and value.get("status") is not None:
            value["status"].setdefault("qosClass", before)

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its spec, or of the change of it."""
        spec = value.get("spec", {})
        if old is None:
            return spec_causes(spec, "spec")
        return _changes(spec, old.get("spec", {}))

    def grace_s(self, value: Value, asked_s: int | None) -> int:
        """None where no kubelet has it, or it is over; else as asked, or as it says itself."""
        if not value["spec"].get("nodeName") or value.get("status", {}).get("phase") in _OVER:
            return 0
        seconds = asked_s if asked_s is not None else value["spec"].get("terminationGracePeriodSeconds", 30)
        return 1 if seconds < 0 else int(seconds)

    def fields(self, value: Value) -> Mapping[str, str]:
        """Where it runs, and how it is."""
        found = {}
        for name in _SELECTABLE:
            part, _, field = name.partition(".")
            found[name] = str(value.get(part, {}).get(field, ""))
        found["spec.hostNetwork"] = "true" if value["spec"].get("hostNetwork") else "false"
        return found

    @property
    def selectable(self) -> tuple[str, ...]:
        """Where it runs, and how it is."""
        return _SELECTABLE


def _changes(spec: Value, old: Value) -> Iterator[Cause]:
    if spec != old:
        yield from spec_causes(spec, "spec")
        yield from change_causes(spec, old)


def _choose_own_revision(value: Value) -> None:
    """Where Pods spread by labels of their own, the values are taken at this moment (`matchLabelKeys`)."""
    labels = value["metadata"].get("labels") or {}
    for constraint in value["spec"].get("topologySpreadConstraints") or ():
        keys = [key for key in constraint.get("matchLabelKeys") or () if key in labels]
        if keys and constraint.get("labelSelector") is not None:
            added = [{"key": key, "operator": "In", "values": [labels[key]]} for key in keys]
            chosen = constraint["labelSelector"]
            chosen["matchExpressions"] = [*(chosen.get("matchExpressions") or ()), *added]
