"""Whether a cluster is at rest: all masters made as declared, ready, and proven since. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from homeostat.operators.cluster.actions import Step, Wait
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.pacing.holding import queued
from homeostat.operators.cluster.rollout.working import is_at_work
from homeostat.operators.cluster.topology import is_changing
from homeostat.operators.cluster.troubles import awaited, trouble


class Rest(Struct, frozen=True):
    """Whether a turn may begin."""

    held: str = ""  # what it waits for; empty: it may
    queued: str = ""  # why no master may be made anew yet; empty: they may
    probes: bool = False  # a read through the endpoint is wanted
    again: timedelta | None = None  # when to look again, where nobody wakes us

    def wait(self, now: datetime) -> Wait | None:
        """Until then, for that."""
        return Wait(now + self.again, self.held) if self.again is not None else None


def rest(seen: Observed, going: Step, *, is_applied: bool) -> Rest:
    """Judge a cluster; `is_applied` says that all Secrets and workloads are seen as they are declared."""
    if seen.cluster.status.ready_at is None:
        return Rest("the cluster was never Ready")
    if is_at_work(going):
        return Rest(going.verdict.message if going.verdict is not None else f"masters move to {going.to}")
    if is_changing(seen.cluster):
        return Rest("the topology changes")
    if not is_applied:
        # An apply that changes nothing, as after a restart of the operator, wakes nobody.
        return Rest("masters are being declared", again=timedelta(seconds=1))
    if late := awaited(seen):
        return Rest(f"{late}: {trouble(seen, late).message}")
    if seen.ready_since is None or seen.probed is None or seen.probed.at < seen.ready_since:
        return Rest("waiting for a read through the endpoint", probes=True)
    if not seen.probed.serves:
        return Rest(f"clients are not served through the endpoint: {seen.probed.failure}", probes=True)
    return Rest(queued=queued(seen))
