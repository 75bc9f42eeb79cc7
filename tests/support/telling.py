"""What the operator tells about a cluster, when its actions end in this way or that."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from tests.support.clusters import NOW, running, workload

from homeostat.api.cluster.components import ComponentStatus
from homeostat.api.cluster.masters import API_SERVER
from homeostat.api.cluster.v1alpha1 import ClusterStatus
from homeostat.operators.cluster.actions import Action, Applied, Apply, Plan, Probed, ProbeEndpoint
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.report import report
from homeostat.operators.cluster.rollout.standing import made
from homeostat.operators.cluster.statuses import components
from homeostat.runtime.loop import Report, Result
from homeostat.runtime.outcome import DONE, Outcome


def told(seen: Observed, outcome: Outcome | None = None, *, plan: Plan | None = None) -> Report[ClusterStatus]:
    """What is told when every action of the plan ends like this."""
    plan = plan or decide(seen, NOW, Policy())
    results = tuple(Result[Action](action, outcome or ending(action)) for action in plan.actions)
    return report(seen, plan, results, NOW)


def ending(action: Action) -> Outcome:
    """How an action ends when all goes well."""
    if isinstance(action, ProbeEndpoint):
        return Probed(version="v1.35.4")
    return Applied() if isinstance(action, Apply) else DONE


def status(seen: Observed, outcome: Outcome | None = None) -> ClusterStatus:
    found = told(seen, outcome).status
    assert found is not None
    return found


def shown(seen: Observed) -> tuple[ComponentStatus, ...]:
    """What the status says of each component."""
    return components(seen, made(seen.cluster, seen.packages))


def served(declared: Any = None) -> Observed:
    """A running cluster whose status says all that there is to say."""
    seen = running(declared)
    return replace(seen, cluster=replace(seen.cluster, status=status(seen)))


def silent(seen: Observed) -> Observed:
    """The same, with an API server that is not ready."""
    return replace(
        seen,
        workloads={**seen.workloads, "demo-apiserver": workload(API_SERVER, "demo-apiserver", ready=0)},
    )
