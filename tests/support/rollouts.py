"""A cluster on its way from one package version to another, look by look, without anything that runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, package, planned, pod, running, settled, waiting, workload

from homeostat.api.cluster.components import ComponentStatus
from homeostat.api.cluster.masters import API_SERVER, COMPONENTS, ETCD
from homeostat.api.cluster.upgrades import ClusterUpgradeStatus
from homeostat.api.cluster.v1alpha1 import ClusterStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Plan, Step
from homeostat.operators.cluster.components import workload_names
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.healing.seen import ServerSeen
from homeostat.operators.cluster.names import TRIAL
from homeostat.operators.cluster.observe import Live, Observed, ProbeSeen
from homeostat.operators.cluster.report import report
from homeostat.operators.cluster.rollout.emulation import EMULATING
from homeostat.operators.cluster.topology import topology_of
from homeostat.runtime.conditions import find_condition
from homeostat.runtime.loop import Result
from homeostat.runtime.outcome import DONE

OLD, NEW = "v1.34.4", "v1.35.4"
PACKAGES = {OLD: package(OLD), NEW: package(NEW)}
ORDER = (ETCD, API_SERVER, "kube-controller-manager", "kube-scheduler")


def wishing(to: str = NEW, at: str = OLD, **spec: Any) -> Observed:
    """A cluster that is well where it is, and shall go somewhere else."""
    declared = cluster(**{"packageVersion": to, "topology": "ha", **spec})
    begun = topology_of(declared.spec.topology)
    status = replace(
        ClusterStatus(),
        package_version=at,
        components=tuple(
            ComponentStatus(
                name=each,
                version="",
                image="",
                desired=begun.replicas(each),
                ready=1,
                state="Ready",
                package_version=at,
            )
            for each in COMPONENTS
        ),
    )
    seen = running(replace(declared, status=status), packages=PACKAGES, kubelets=frozenset(), ready_since=NOW)
    return replace(seen, probed=ProbeSeen(NOW, at))


READY: dict[str, Any] = {"conditions": [{"type": "Ready", "status": "True"}]}


def tried(
    seen: Observed, now: datetime = NOW, failure: str = "", how: dict[str, Any] = READY, refused: str = ""
) -> Observed:
    """The same, with the API server made that is to be tried now, if one is; it answered, or failed to."""
    wanted = next((each for each in planned(decide(seen, now, Policy())) if each.component == TRIAL), None)
    if wanted is None:
        return seen
    one = pod(TRIAL, f"{wanted.name}-1", **how)
    one = replace(one, metadata=replace(one.metadata, uid=f"uid-{wanted.name}-1"))
    made = workload(TRIAL, wanted.name, ready=int(one.is_ready))
    made = replace(made, metadata=replace(made.metadata, creation_timestamp=NOW))
    return replace(
        seen,
        live={**seen.live, wanted.object: Live("uid-trial", "as-left", False, wanted.mark)},
        applied={**seen.applied, wanted.object: (wanted.digest, "as-left")},
        workloads={**seen.workloads, wanted.name: made},
        pods=(*seen.pods, one),
        servers={**seen.servers, one.metadata.uid: ServerSeen(now, failure, refused=refused)},
    )


def look(seen: Observed, now: datetime = NOW) -> tuple[Plan, ClusterStatus]:
    """What is planned, and the status after it went well. An API server that is tried answers at once."""
    seen = tried(seen, now)
    plan = decide(seen, now, Policy())
    results = tuple(Result[Any](action, DONE) for action in plan.actions)
    status = report(seen, plan, results, now).status
    assert status is not None
    return plan, status


def after(seen: Observed, now: datetime = NOW) -> Observed:
    """The same cluster once the status is written and what it says is declared, with every master well."""
    _, status = look(seen, now)
    seen = replace(seen, cluster=replace(seen.cluster, status=status), probed=ProbeSeen(now, NEW), ready_since=now)
    return settled(seen)


def broken(seen: Observed, component: str, **how: Any) -> Observed:
    """One master does not become ready."""
    name = workload_names(seen.names)[component]
    pods = tuple(each for each in seen.pods if component not in each.metadata.name)
    bad = pod(component, f"demo-{component}-bad", **(how or waiting("CrashLoopBackOff", "bad flag", restarts=4)))
    lame = workload(component, name, ready=1, replicas=2)
    return replace(seen, workloads={**seen.workloads, name: lame}, pods=(*pods, bad))


def step_of(seen: Observed, now: datetime = NOW) -> Step:
    found = look(seen, now)[0].step
    assert found is not None
    return found


def up_to_date(seen: Observed, now: datetime = NOW) -> tuple[str, str]:
    found = find_condition(look(seen, now)[1].conditions, words.UP_TO_DATE)
    assert found is not None
    return found.reason, found.message


def emulated(component: str) -> str:
    """Which version a component serves that moved up and is not alone there yet."""
    return "1.34" if component in EMULATING else ""


def moved(seen: Observed, component: str, since: datetime = NOW) -> Observed:
    """A component was moved, and is well or not."""
    status = seen.cluster.status
    components = tuple(
        replace(each, package_version=seen.cluster.spec.package_version, emulated_version=emulated(component))
        if each.name == component
        else each
        for each in status.components
    )
    upgrade = ClusterUpgradeStatus(
        from_version=OLD,
        to_version=NEW,
        started_at=NOW,
        component=component,
        component_started_at=since,
    )
    status = replace(status, components=components, upgrade=upgrade)
    return settled(replace(seen, cluster=replace(seen.cluster, status=status)))
