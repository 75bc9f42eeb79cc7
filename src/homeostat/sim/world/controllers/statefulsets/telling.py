"""What a StatefulSet says of its Pods and revisions. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from homeostat.sim.world.controllers.statefulsets.deciding import ROLLING, Seen, runs_ready
from homeostat.sim.world.controllers.statefulsets.identity import revision_of
from homeostat.sim.world.kinds.workloads import StatefulSetStatus


def status_of(seen: Seen, collisions: int) -> StatefulSetStatus:
    """The status now. When all Pods are of the newest revision and ready, that is the one that they have."""
    staying = [pod for pod in seen.pods if not seen.is_ending(pod)]
    updated = sum(revision_of(pod) == seen.update for pod in staying)
    status = StatefulSetStatus(
        observed_generation=seen.owner.metadata.generation,
        replicas=len(seen.pods),
        ready_replicas=sum(runs_ready(pod) for pod in seen.pods),
        available_replicas=sum(seen.is_available(pod) for pod in seen.pods),
        current_replicas=sum(revision_of(pod) == seen.current for pod in staying),
        updated_replicas=updated,
        current_revision=seen.current,
        update_revision=seen.update,
        collision_count=collisions,
    )
    wanted = seen.owner.spec.replicas
    is_complete = wanted == status.replicas == status.updated_replicas == status.ready_replicas
    if seen.owner.spec.update_strategy.type == ROLLING and is_complete:
        return replace(status, current_replicas=updated, current_revision=seen.update)
    return status
