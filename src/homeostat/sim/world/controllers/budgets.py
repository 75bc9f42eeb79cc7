"""PodDisruptionBudgets: how many Pods of those that one selects may be missing now.

How many there should be is what their owners say they want: a Deployment behind a ReplicaSet, a StatefulSet, or
whatever else can be scaled. Pods that an eviction took from the budget count as missing until they go, or for two
minutes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta, OwnerReference
from homeostat.kube.client import Client
from homeostat.kube.discovery import Discovery
from homeostat.kube.errors import NotFound
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome, Progress
from homeostat.runtime.queue import Priority
from homeostat.sim.world.controllers.loops import loop
from homeostat.sim.world.kinds.budgets import BUDGET, Budget
from homeostat.sim.world.kinds.pods import POD, Pod
from homeostat.sim.world.kinds.selecting import LABELS, Selectors, labelled, selected
from homeostat.sim.world.scheduler.terms import requirements

NAME = "disruption-controller"
EVICTION_S = 120.0
_OF_OWNER = "owner"


class ScaledSpec(Struct, frozen=True, gc=False):
    """How many are wanted."""

    replicas: int = 1


class Scaled(Struct, frozen=True, gc=False):
    """A workload, as far as it says how many Pods it wants."""

    metadata: ObjectMeta
    spec: ScaledSpec = ScaledSpec()


SCALED = {
    name: Kind(Resource("apps", "v1", name, f"{name.lower()}s"), Scaled)
    for name in ("Deployment", "ReplicaSet", "StatefulSet")
}


class Count(Struct, frozen=True):
    """What a budget is to say."""

    allowed: int
    healthy: int
    desired: int
    expected: int
    disrupted: dict[str, str] = {}
    recount_s: float | None = None

    def status(self, budget: Budget, now: str) -> dict[str, Any]:
        """The status as the API has it."""
        is_allowed, generation = self.allowed > 0, budget.metadata.generation
        state = "True" if is_allowed else "False"
        said = next((each for each in budget.status.conditions if each.type == "DisruptionAllowed"), None)
        since = said.last_transition_time if said is not None and said.status == state else None
        condition = {
            "type": "DisruptionAllowed",
            "status": state,
            "reason": "SufficientPods" if is_allowed else "InsufficientPods",
            "message": "",
            "observedGeneration": generation,
            "lastTransitionTime": since.strftime("%Y-%m-%dT%H:%M:%SZ") if since is not None else now,
        }
        return {
            "disruptionsAllowed": self.allowed,
            "currentHealthy": self.healthy,
            "desiredHealthy": self.desired,
            "expectedPods": self.expected,
            "observedGeneration": generation,
            "disruptedPods": self.disrupted or None,
            "conditions": [condition],
        }


def count(budget: Budget, pods: Iterable[Pod], wanted: int, now: datetime) -> Count:
    """What a budget is to say; `wanted` is how many its Pods' owners want together."""
    pods = list(pods)
    least, most = budget.spec.min_available, budget.spec.max_unavailable
    if most is not None:
        expected, desired = wanted, max(0, wanted - share(most, wanted))
    elif isinstance(least, str):
        expected, desired = wanted, share(least, wanted)
    else:
        expected, desired = len(pods), 1 if least is None else least
    disrupted, soonest = _disrupted(budget.status.disrupted_pods or {}, pods, now)
    healthy = sum(pod.is_ready and not pod.is_ending and pod.metadata.name not in disrupted for pod in pods)
    allowed = max(0, healthy - desired) if expected > 0 else 0
    return Count(allowed, healthy, desired, expected, disrupted, soonest)


def share(amount: int | str, whole: int) -> int:
    """A number, or a percentage of another one, rounded up."""
    return amount if isinstance(amount, int) else math.ceil(int(amount.removesuffix("%")) * whole / 100)


def _disrupted(noted: Mapping[str, str], pods: Iterable[Pod], now: datetime) -> tuple[dict[str, str], float | None]:
    """Evicted Pods that are still there and do not go yet, and when the first of them counts again."""
    kept, soonest = dict[str, str](), None
    for pod in pods:
        at = noted.get(pod.metadata.name)
        if at is None or pod.is_ending:
            continue
        left = (datetime.fromisoformat(at) + timedelta(seconds=EVICTION_S) - now).total_seconds()
        if left > 0:
            kept[pod.metadata.name] = at
            soonest = left if soonest is None else min(soonest, left)
    return kept, soonest


def owner_of(obj: Any) -> Iterable[str]:
    """An index: who controls an object."""
    meta = obj.metadata
    return [f"{meta.namespace}/{each.kind}/{each.name}" for each in meta.owner_references if each.controller]


def add_disruption_budgets(manager: Manager, client: Client) -> None:
    """Count for each budget."""
    _Budgets(manager, client)


class _Budgets:
    def __init__(self, manager: Manager, client: Client) -> None:
        self._client = client
        self._clock = manager.clock
        self._selectors = Selectors()
        self._discovery = Discovery(client)
        self._budgets = manager.informer(client, BUDGET)
        self._pods = manager.informer(client, POD, indexes={LABELS: labelled, _OF_OWNER: owner_of})
        self._workloads = {
            name: manager.informer(client, kind, indexes={_OF_OWNER: owner_of}) for name, kind in SCALED.items()
        }
        self._budgets.add_handler(self._budget_changed)
        self._loop = loop(manager, NAME, self._reconcile)
        self._loop.watch(self._budgets, when=_is_asked_otherwise)
        self._loop.watch(self._pods, self._budgets_of, when=_matters)
        for name, informer in self._workloads.items():
            self._loop.watch(informer, self._budgets_of_workload(name), when=_is_scaled)

    def _budget_changed(self, old: Budget | None, new: Budget | None, priority: Priority) -> None:  # noqa: ARG002
        known = new if new is not None else old
        if known is not None:
            chosen = None if new is None or new.spec.selector is None else requirements(new.spec.selector)
            self._selectors.put(known.metadata.key, known.metadata.namespace, chosen)

    def _budgets_of(self, pod: Pod) -> list[str]:
        return self._selectors.of(pod.metadata.namespace, pod.metadata.labels)

    def _budgets_of_workload(self, kind: str) -> Any:
        def keys(scaled: Scaled) -> Iterable[str]:
            meta = scaled.metadata
            names = [f"{meta.namespace}/{kind}/{meta.name}"]
            if kind == "Deployment":
                sets = self._workloads["ReplicaSet"].store.by_index(_OF_OWNER, names[0])
                names = [f"{meta.namespace}/ReplicaSet/{each.metadata.name}" for each in sets]
            pods = [pod for name in names for pod in self._pods.store.by_index(_OF_OWNER, name)]
            return dict.fromkeys(key for pod in pods for key in self._budgets_of(pod))

        return keys

    async def _reconcile(self, key: str) -> Outcome:
        budget = self._budgets.store.get(key)
        if budget is None or budget.metadata.deletion_timestamp is not None:
            return DONE
        chosen = requirements(budget.spec.selector) if budget.spec.selector is not None else None
        namespace, name = budget.metadata.namespace, budget.metadata.name
        pods = [] if chosen is None else selected(self._pods.store, namespace, chosen)
        now = self._clock.now()
        found = count(budget, pods, await self._wanted(pods), now)
        status = found.status(budget, now.strftime("%Y-%m-%dT%H:%M:%SZ"))
        if not _says(budget, status):
            gone = dict.fromkeys(name for name in budget.status.disrupted_pods or {} if name not in found.disrupted)
            change = {**status, "disruptedPods": {**gone, **found.disrupted} or None}
            patch = {"metadata": {"resourceVersion": budget.metadata.resource_version}, "status": change}
            try:
                made = await self._client.merge_patch(BUDGET, name, patch, namespace, subresource="status")
            except NotFound:
                return DONE
            self._loop.writes.note(key, self._budgets.store, made.metadata.resource_version)
        return DONE if found.recount_s is None else Progress(found.recount_s, "an evicted Pod may not go")

    async def _wanted(self, pods: Iterable[Pod]) -> int:
        """How many Pods their owners want together."""
        owners: dict[tuple[str, str, str], int] = {}
        for pod in pods:
            owner = next((each for each in pod.metadata.owner_references if each.controller), None)
            if owner is None:
                continue
            namespace, kind, name = pod.metadata.namespace, owner.kind, owner.name
            of_set = self._owner_of_set(namespace, name) if kind == "ReplicaSet" else None
            if of_set is not None:
                kind, name = of_set.kind, of_set.name
            if (namespace, kind, name) not in owners:
                owners[namespace, kind, name] = await self._scale(namespace, owner if of_set is None else of_set)
        return sum(owners.values())

    def _owner_of_set(self, namespace: str, name: str) -> OwnerReference | None:
        found = self._workloads["ReplicaSet"].store.get(name, namespace)
        owners = found.metadata.owner_references if found is not None else ()
        return next((each for each in owners if each.controller and each.kind == "Deployment"), None)

    async def _scale(self, namespace: str, owner: OwnerReference) -> int:
        informer = self._workloads.get(owner.kind) if owner.api_version == "apps/v1" else None
        if informer is not None:
            found = informer.store.get(owner.name, namespace)
            return found.spec.replicas if found is not None and found.metadata.uid == owner.uid else 0
        served = await self._discovery.resources()
        resource = next(
            (
                each.resource
                for each in served
                if (each.resource.api_version, each.resource.kind) == (owner.api_version, owner.kind)
                and "scale" in each.subresources
            ),
            None,
        )
        if resource is None:
            return 0
        try:
            return (await self._client.scale(Kind(resource, Scaled), owner.name, namespace)).wanted
        except NotFound:
            return 0


def _says(budget: Budget, status: Mapping[str, Any]) -> bool:
    said = budget.status
    return (
        said.disruptions_allowed == status["disruptionsAllowed"]
        and said.current_healthy == status["currentHealthy"]
        and said.desired_healthy == status["desiredHealthy"]
        and said.expected_pods == status["expectedPods"]
        and said.observed_generation == status["observedGeneration"]
        and (said.disrupted_pods or None) == status["disruptedPods"]
        and bool(said.conditions)
    )


def _is_asked_otherwise(old: Budget | None, new: Budget | None) -> bool:
    return old is None or new is None or (old.spec, old.status) != (new.spec, new.status)


def _matters(old: Pod | None, new: Pod | None) -> bool:
    return old is None or new is None or _seen(old) != _seen(new)


def _seen(pod: Pod) -> tuple[Any, ...]:
    return pod.is_ready, pod.is_ending, pod.metadata.labels, pod.metadata.owner_references


def _is_scaled(old: Scaled | None, new: Scaled | None) -> bool:
    return old is None or new is None or old.spec != new.spec
