"""What the status and the events say about the topology. Pure."""

from __future__ import annotations

from homeostat.api.cluster.scaling import ClusterTopologyStatus
from homeostat.api.cluster.v1alpha1 import ClusterStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Plan, Verdict
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.topology import is_changing, topology_status
from homeostat.runtime.events import Note


def scaled(seen: Observed, plan: Plan, *, is_accepted: bool) -> ClusterTopologyStatus | None:
    """The status of the topology after this look; of a Cluster that was never accepted there is none."""
    if plan.scale is not None and plan.scale.becomes is not None:
        return plan.scale.becomes
    before = seen.cluster.status.topology
    return topology_status(seen.cluster) if before is None and is_accepted else before


def as_many_as_declared(seen: Observed, plan: Plan) -> tuple[bool, Verdict]:
    """What the condition Scaled says."""
    if plan.scale is not None:
        verdict = plan.scale.verdict
        return verdict is None, verdict or Verdict(words.AS_DECLARED, "")
    is_there = topology_status(seen.cluster).complete == seen.cluster.spec.topology
    if is_there and not is_changing(seen.cluster):
        return True, Verdict(words.AS_DECLARED, "")
    if plan.verdict is not None and plan.verdict.reason == words.PAUSED:
        return False, plan.verdict
    return False, Verdict(words.NOT_CREATED, f"the topology is followed only while {words.ACCEPTED} is true")


def scaling_notes(before: ClusterStatus, plan: Plan) -> list[Note]:
    """The story of a change, an event for each that comes or goes; the steps between are more than events are for."""
    going = plan.scale
    if going is None or going.becomes is None or going.verdict is None:
        return []
    known, becomes = before.topology, going.becomes
    if becomes.started_at is None:
        is_back = known is not None and becomes.complete == known.complete
        return [Note(words.SCALED, f"the topology is {'still ' if is_back else ''}{becomes.complete}")]
    is_news = known is None or becomes.replicas != known.replicas or _who(becomes) not in (None, _who(known))
    return [Note(words.SCALING, going.verdict.message)] if is_news else []


def _who(topology: ClusterTopologyStatus) -> tuple[str, str] | None:
    change = topology.change
    return (change.member, change.action) if change is not None else None
