"""What the status tells of healing."""

from __future__ import annotations

from msgspec.structs import replace
from tests.support.clusters import NOW, running

from homeostat.api.cluster.healing import ClusterHealingStatus, MasterRestartStatus
from homeostat.operators.cluster.actions import Heal, Mend
from homeostat.operators.cluster.healing.told import healed


def test_when_the_last_restart_is_forgotten_nothing_is_told_instead_of_an_empty_story() -> None:
    restart = MasterRestartStatus(
        component="kube-scheduler", step="Recreate", pod="p", pod_uid="u", host="h1", attempts=1, started_at=NOW
    )
    status = replace(running().cluster.status, healing=ClusterHealingStatus(restarts=(restart,)))
    assert healed(status, Heal(), Mend(), NOW) == status.healing
    assert healed(status, Heal(), Mend(restarts=()), NOW) is None
