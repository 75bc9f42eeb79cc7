"""Eviction: a Pod ends if the budget that counts it can spare one.

Follows the eviction handler: a Pod that does not run yet, or no longer, is in no budget. Else `disruptionsAllowed` of
the one budget that chooses the Pod is what may still go; the handler takes one of it and notes the Pod in
`disruptedPods`, and a controller counts again later.
"""

from __future__ import annotations

from typing import Any

import msgspec

from homeostat.kit.clock import Clock
from homeostat.sim.apiserver.answer import Answer, told
from homeostat.sim.apiserver.refusing import Cause, Refused, bad_request
from homeostat.sim.apiserver.selecting.labels import requirements_of, selects
from homeostat.sim.apiserver.store.record import Record, record
from homeostat.sim.apiserver.store.store import Collection, Store
from homeostat.sim.apiserver.types.metadata import is_ending, stamp
from homeostat.sim.apiserver.types.routing import Asked
from homeostat.sim.apiserver.types.type import Value
from homeostat.sim.apiserver.verbs.binding import SUCCESS, with_condition
from homeostat.sim.apiserver.verbs.bodies import yaml_of
from homeostat.sim.apiserver.verbs.deleting import Deleter, read_options
from homeostat.sim.apiserver.verbs.reading import existing

BUDGETS: Collection = ("policy", "poddisruptionbudgets")
_UNCOUNTED = ("Pending", "Succeeded", "Failed")
_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
_WAIT_S = 10
_SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."


class Evicter:
    """Evicts Pods of one server."""

    def __init__(self, store: Store, deleter: Deleter, clock: Clock) -> None:
        self._store = store
        self._deleter = deleter
        self._clock = clock

    def evict(self, asked: Asked, body: bytes) -> Answer:
        """End a Pod, or say why not now. Raises Refused."""
        eviction = _eviction(yaml_of(body), asked)
        options = eviction.get("deleteOptions") or {}
        is_dry_run = asked.is_dry_run or "All" in (options.get("dryRun") or ())
        kept = existing(self._store, asked)
        pod = kept.value(asked.type.head)
        if pod.get("status", {}).get("phase") not in _UNCOUNTED and not is_ending(pod):
            self._spend(pod, is_dry_run=is_dry_run)
        if not is_dry_run:
            told_of = {"reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"}
            with_condition(pod, "DisruptionTarget", stamp(self._clock.now()), **told_of)
            self._store.put(asked.type.collection, record(pod, kept.revision, asked.type.strategy.fields(pod)))
        self._deleter.end(asked, read_options(asked, msgspec.json.encode(options)))
        return told(SUCCESS, 201)

    def _spend(self, pod: Value, *, is_dry_run: bool) -> None:
        """Take one of what the Pod's budget allows. Raises Refused."""
        metadata = pod["metadata"]
        found = [
            (each, budget)
            for each in self._store.shelf(BUDGETS).within(metadata["namespace"])
            for budget in [each.value(b"")]
            if budget["spec"].get("selector") is not None
            and selects(requirements_of(budget["spec"]["selector"]), metadata.get("labels") or {})
        ]
        if len(found) > 1:
            raise Refused(500, "InternalError", _SEVERAL)
        for kept, budget in found:
            if not _may_go_unhealthy(pod, budget):
                self._take(kept, budget, metadata["name"], is_dry_run=is_dry_run)

    def _take(self, kept: Record, budget: Value, name: str, *, is_dry_run: bool) -> None:
        status, title = budget.setdefault("status", {}), budget["metadata"]["name"]
        allowed = status.get("disruptionsAllowed", 0)
        if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
            why = f"The disruption budget {title} is still being processed by the server."
            raise _too_many(why, retry_after_s=_WAIT_S)
        if allowed < 0:
            text = f'poddisruptionbudgets.policy "{title}" is forbidden: pdb disruptions allowed is negative'
            raise Refused(403, "Forbidden", text, group="policy", kind="poddisruptionbudgets", name=title)
        if allowed == 0:
            needs, has = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
            raise _too_many(f"The disruption budget {title} needs {needs} healthy pods and has {has} currently")
        if is_dry_run:
            return
        now = stamp(self._clock.now())
        status["disruptionsAllowed"] = allowed - 1
        status["disruptedPods"] = {**(status.get("disruptedPods") or {}), name: now}
        if allowed == 1:
            _note_none_left(budget, now)
        self._store.put(BUDGETS, record(budget, kept.revision))


def _note_none_left(budget: Value, now: str) -> None:
    status, type_ = budget["status"], "DisruptionAllowed"
    made = {"type": type_, "status": "False", "observedGeneration": status.get("observedGeneration", 0)}
    made |= {"lastTransitionTime": now, "reason": "InsufficientPods", "message": ""}
    others = []
    for each in status.get("conditions") or ():
        if each.get("type") != type_:
            others.append(each)
        elif each.get("status") == "False":
            made["lastTransitionTime"] = each.get("lastTransitionTime", now)
    status["conditions"] = [*others, made]


def _may_go_unhealthy(pod: Value, budget: Value) -> bool:
    """A Pod that is not ready counts for nothing, if enough others are, or if the budget says so."""
    conditions = pod.get("status", {}).get("conditions") or ()
    if any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status", {})
    desired = status.get("desiredHealthy", 0)
    return bool(desired > 0 and status.get("currentHealthy", 0) >= desired)


def _too_many(why: str, retry_after_s: int | None = None) -> Refused:
    causes = [Cause("DisruptionBudget", why)]
    return Refused(429, "TooManyRequests", _REFUSED, causes=causes, retry_after_s=retry_after_s)


def _eviction(value: Any, asked: Asked) -> Value:
    if not isinstance(value, dict):
        raise bad_request("the body of the request was not a JSON object; expected an Eviction")
    if (value.get("metadata") or {}).get("name", asked.name) != asked.name:
        raise bad_request("name in URL does not match name in Eviction object")
    return value
