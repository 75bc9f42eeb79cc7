"""Masters that live and die by simple rules, look by look, in a world without anything that runs.

Pods are made of the image that is declared; those of a Deployment stay until the new ones are ready, unless its
strategy lets them go. An API server becomes ready when etcd serves, a controller when an API server answers; what is
broken does not, each package version in ways of its own. A controller that is ready, does not lead and loses its API
server stays ready.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace
from tests.support.clusters import NOW, package, planned, pod, settled, waiting
from tests.support.rollouts import NEW, OLD, wishing

from homeostat.api.apps import Deployment, StatefulSet
from homeostat.api.cluster.components import PackageComponent
from homeostat.api.cluster.masters import API_SERVER, COMPONENTS, CONTROLLERS, ETCD
from homeostat.api.cluster.v1alpha1 import ClusterPackageVersion, ClusterStatus
from homeostat.api.core import Pod
from homeostat.operators.cluster.actions import (
    Action,
    AskKubelets,
    CheckServers,
    EndTrial,
    Plan,
    Probed,
    ProbeEndpoint,
    ProbeFailed,
)
from homeostat.operators.cluster.components import note_readiness, workload_names
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.healing.seen import EtcdSeen, ServerSeen
from homeostat.operators.cluster.manifests.shape import Desired
from homeostat.operators.cluster.names import TRIAL
from homeostat.operators.cluster.observe import Live, Memory, Observed, ProbeSeen, Workload
from homeostat.operators.cluster.report import report
from homeostat.operators.cluster.rollout.versions import Version, version_of
from homeostat.operators.cluster.topology import topology_of
from homeostat.runtime.loop import Result
from homeostat.runtime.outcome import DONE, Outcome

# crash, hang: is never ready; dumb: is ready and answers nobody; poison: what needs it is never ready.
Fault = Literal["crash", "hang", "dumb", "poison"]
Faults = Mapping[tuple[str, str], Fault]  # by package version and component
OTHER_OLD, OTHER_NEW, FAR = "v1.34.9", "v1.35.9", "v1.36.0"
SERVED = "v1.35.4"
_STEP, _IDLE = timedelta(seconds=5), timedelta(seconds=70)
_ENDING = 2  # looks until a Pod is gone that was let go


def made_like(name: str, pattern: str) -> ClusterPackageVersion:
    """A package version like another one, of images and a patch or minor of its own."""
    like = package(pattern)

    def part(one: PackageComponent) -> PackageComponent:
        image = f"{one.image.rpartition(':')[0]}:{name}"
        return replace(one, image=image, version=one.version if one.name == ETCD else name)

    spec = replace(like.spec, kubernetes_version=name, components=tuple(part(one) for one in like.spec.components))
    return replace(like, metadata=replace(like.metadata, name=name), spec=spec)


PACKAGES = {
    **{name: made_like(name, name) for name in (OLD, NEW)},
    OTHER_OLD: made_like(OTHER_OLD, OLD),
    OTHER_NEW: made_like(OTHER_NEW, NEW),
    FAR: made_like(FAR, NEW),
}


class Living(Struct, eq=False):
    """One Pod: of which package version, and whether it is ready."""

    package: str
    ready: bool = False
    looks_left: int | None = None  # until it is gone; None: it stays


class Trial(Struct, eq=False):
    """An API server that is tried."""

    desired: Desired
    one: Living
    name: str
    since: datetime


class World(Struct):
    """A cluster, its masters, and what is broken of them."""

    seen: Observed
    faults: Faults = {}
    kubelets: frozenset[str] = frozenset()
    lingers: tuple[str, ...] = ()  # components whose Pods do not end when they are let go
    pods: dict[str, list[Living]] = field(default_factory=dict)
    trial: Trial | None = None
    trials: int = 0  # that there ever were
    memory: Memory = field(default_factory=Memory)
    now: Any = NOW

    @property
    def status(self) -> ClusterStatus:
        """What is told of the cluster."""
        return self.seen.cluster.status

    def wish(self, name: str, **policy: Any) -> None:
        """Declare another package version."""
        spec = self.seen.cluster.spec
        spec = replace(spec, package_version=name, upgrade_policy=replace(spec.upgrade_policy, **policy))
        self.seen = replace(self.seen, cluster=replace(self.seen.cluster, spec=spec))

    def versions(self, *components: str) -> list[Version]:
        """Of which versions Pods are."""
        tried = (self.trial.one,) if self.trial is not None and API_SERVER in components else ()
        there = (each for component in components for each in self.pods[component])
        return [version_of(each.package) for each in (*there, *tried)]

    @property
    def answers(self) -> bool:
        """Whether a client is served."""
        return any(each.ready and not self._is(each, API_SERVER, "dumb") for each in self.pods[API_SERVER])

    def look(self) -> Plan:
        """One look of the operator, and what comes of it."""
        self._live()
        self._observe()
        plan = decide(self.seen, self.now, Policy())
        results = tuple(Result[Any](each, self._outcome(each)) for each in plan.actions)
        status = report(self.seen, plan, results, self.now).status
        assert status is not None
        if ProbeEndpoint() in plan.actions:
            self.seen = replace(self.seen, probed=ProbeSeen(self.now, SERVED if self.answers else "", "no answer"))
        if AskKubelets() in plan.actions:
            self.seen = replace(self.seen, kubelets=self.kubelets if self.answers else None)
        self._follow_trial(plan)
        is_busy = status.components != self.status.components or status.conditions != self.status.conditions
        self.seen = replace(self.seen, cluster=replace(self.seen.cluster, status=status))
        self._end()
        self._declare()
        self.now += _STEP if is_busy else _IDLE
        return plan

    def _outcome(self, action: Action) -> Outcome:
        if not isinstance(action, ProbeEndpoint):
            return DONE
        return Probed(version=SERVED) if self.answers else ProbeFailed(1.0, "no answer")

    def _declare(self) -> None:
        """What the next look would declare is there at once; Pods follow in their time."""
        wanted = planned(decide(replace(self.seen, applied={}), self.now, Policy()))
        for each in wanted:
            if each.kind.resource.kind in ("Deployment", "StatefulSet") and each.component != TRIAL:
                to = _package(each, each.component)
                spare = each.body["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxUnavailable", 0)
                self._roll(each.component, to, is_free=spare != 0)
        self.seen = settled(self.seen)

    def _follow_trial(self, plan: Plan) -> None:
        """It is started, asked and let go as the operator says."""
        for action in plan.actions:
            if isinstance(action, EndTrial):
                self.trial = None
            elif isinstance(action, CheckServers) and self.trial is not None:
                failure = "refused" if self._is(self.trial.one, API_SERVER, "dumb") else ""
                asked = {server.uid: ServerSeen(self.now, failure) for server in action.servers}
                self.seen = replace(self.seen, servers={**self.seen.servers, **asked})
        for each in planned(plan):
            if each.component == TRIAL and self.trial is None:
                self.trials += 1
                one = Living(_package(each, API_SERVER))
                self.trial = Trial(each, one, f"{each.name}-{self.trials}", self.now)

    def _roll(self, component: str, to: str, *, is_free: bool) -> None:
        there, count = self.pods[component], self._replicas(component)
        new = [each for each in there if each.package == to and each.looks_left is None]
        new = new or [Living(to) for _ in range(count)]
        old = [each for each in there if each not in new]
        if component != ETCD and (is_free or all(each.ready for each in new)):
            _let_go(old)
        self.pods[component] = new if component == ETCD else [*old, *new]

    def _end(self) -> None:
        """Pods that were let go end in their time."""
        ending = {component: pods for component, pods in self.pods.items() if component not in self.lingers}
        for component, there in ending.items():
            for each in there:
                each.looks_left = None if each.looks_left is None else each.looks_left - 1
            self.pods[component] = [each for each in there if each.looks_left != 0]

    def _live(self) -> None:
        """Pods become ready, or no longer are, in the order in which they need each other."""
        has_quorum = not [each for each in self.pods[ETCD] if not self._try(each, ETCD, can_be=True)]
        poison = any(self._is(each, ETCD, "poison") for each in self.pods[ETCD])
        for each in self.pods[API_SERVER]:
            self._try(each, API_SERVER, can_be=has_quorum and not poison)
        if self.trial is not None:
            self._try(self.trial.one, API_SERVER, can_be=has_quorum and not poison)
        poison = any(each.ready and self._is(each, API_SERVER, "poison") for each in self.pods[API_SERVER])
        for component in CONTROLLERS:
            for number, each in enumerate(self.pods[component]):
                stands_by = number > 0 and each.ready and not self.answers
                self._try(each, component, can_be=stands_by or (self.answers and not poison))
        for component in COMPONENTS:
            new = self.pods[component][-self._replicas(component) :]
            if all(each.ready for each in new):
                _let_go(self.pods[component][: -self._replicas(component)])

    def _try(self, each: Living, component: str, *, can_be: bool) -> bool:
        can_be = can_be and each.looks_left is None
        each.ready = can_be and not self._is(each, component, "crash") and not self._is(each, component, "hang")
        return each.ready

    def _is(self, each: Living, component: str, fault: Fault) -> bool:
        return self.faults.get((each.package, component)) == fault

    def _replicas(self, component: str) -> int:
        return topology_of(self.seen.cluster.spec.topology).replicas(component)

    def _observe(self) -> None:
        names = workload_names(self.seen.names)
        workloads = {names[each]: self._workload(each, names[each]) for each in COMPONENTS}
        pods = tuple(
            self._pod(each, f"demo-{each}-{n}", one) for each in COMPONENTS for n, one in enumerate(self.pods[each])
        )
        seen = replace(self.seen, workloads=workloads, pods=pods, members=EtcdSeen(self.now, ()))
        self.seen = note_readiness(self._with_trial(seen), self.memory, self.now)

    def _with_trial(self, seen: Observed) -> Observed:
        mark = ("Deployment", seen.names.trial)
        live = {each: value for each, value in seen.live.items() if each != mark}
        if self.trial is None:
            return replace(seen, live=live)
        made, one = self.trial.desired, self.trial.one
        status = {"observedGeneration": 1, "replicas": 1, "readyReplicas": int(one.ready), "updatedReplicas": 1}
        metadata = {"name": made.name, "namespace": "default", "uid": f"uid-{self.trial.name}", "generation": 1}
        metadata["creationTimestamp"] = self.trial.since
        body = {"metadata": metadata, "spec": {"replicas": 1}, "status": status}
        return replace(
            seen,
            live={**live, mark: Live(f"uid-{self.trial.name}", "as-left", False, made.mark)},
            applied={**seen.applied, mark: (made.digest, "as-left")},
            workloads={**seen.workloads, made.name: msgspec.convert(body, Deployment)},
            pods=(*seen.pods, self._pod(API_SERVER, self.trial.name, one, TRIAL)),
        )

    def _workload(self, component: str, name: str) -> Workload:
        there, count = [each for each in self.pods[component] if each.looks_left is None], self._replicas(component)
        newest = there[-1].package
        status = {
            "observedGeneration": 1,
            "replicas": len(there),
            "readyReplicas": sum(each.ready for each in there),
            "updatedReplicas": sum(each.package == newest for each in there),
        }
        kind: type[Workload] = StatefulSet if component == ETCD else Deployment
        metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "generation": 1}
        return msgspec.convert({"metadata": metadata, "spec": {"replicas": count}, "status": status}, kind)

    def _pod(self, component: str, name: str, one: Living, label: str = "") -> Pod:
        is_crashing = not one.ready and self._is(one, component, "crash")
        how: dict[str, Any] = waiting("CrashLoopBackOff", "broken", restarts=4) if is_crashing else {}
        how["conditions"] = [{"type": "Ready", "status": str(one.ready)}]
        found = pod(label or component, name, **how)
        found = replace(found, metadata=replace(found.metadata, uid=f"uid-{name}"))
        raw = msgspec.to_builtins(found.spec) | {"containers": [{"name": "c", "image": _image(one.package, component)}]}
        return replace(found, spec=msgspec.convert(raw, type(found.spec)))


def world(at: str, kubelets: frozenset[str] = frozenset(), **spec: Any) -> World:
    """One that is well, and complete; its kubelets were asked."""
    seen = replace(wishing(to=at, at=at, **spec), packages=PACKAGES, kubelets=None)
    status = replace(seen.cluster.status, kubelets=tuple(sorted(kubelets)))
    made = World(replace(seen, cluster=replace(seen.cluster, status=status)), kubelets=kubelets)
    made.pods = {each: [Living(at, ready=True) for _ in range(made._replicas(each))] for each in COMPONENTS}
    return made


def _let_go(pods: list[Living]) -> None:
    for each in pods:
        each.looks_left = _ENDING if each.looks_left is None else each.looks_left


def _package(desired: Desired, component: str) -> str:
    image = desired.body["spec"]["template"]["spec"]["containers"][0]["image"]
    return next(name for name in PACKAGES if _image(name, component) == image)


def _image(name: str, component: str) -> str:
    found = PACKAGES[name].spec.component(component)
    assert found is not None
    return found.image
