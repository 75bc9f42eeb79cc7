"""Times that a hasty clock left in statuses count as now, once, and age from then on."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace
from tests.support.ailing import DEAD, ailing, healing, replacing
from tests.support.clusters import NOW
from tests.support.unwell import SERVER, restart, silent, sound, told, unwell

from homeostat.api.cluster.healing import ClusterHealingStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.healing.ladder import back_off
from homeostat.operators.cluster.healing.remembered import remembered
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.report import report

AHEAD = NOW + timedelta(days=400)
SILENT = unwell(servers={0: silent(NOW - timedelta(minutes=10)), 1: sound()})


def after(seen: Observed, now: datetime = NOW) -> Observed:
    """The same after one look."""
    status = report(seen, decide(seen, now, Policy()), (), now).status
    assert status is not None
    return replace(seen, cluster=replace(seen.cluster, status=status))


def test_times_of_the_past_stay_as_they_are_and_those_of_the_future_are_now() -> None:
    past = ClusterHealingStatus(last_started_at=NOW, attempts=2, restarts=(restart(ended_at=NOW, earlier=(NOW,)),))
    assert remembered(past, NOW) == past
    hasty = ClusterHealingStatus(
        last_started_at=AHEAD, attempts=2, restarts=(restart(started_at=AHEAD, ended_at=AHEAD, earlier=(NOW, AHEAD)),)
    )
    assert remembered(hasty, NOW) == replace(past, restarts=(restart(ended_at=NOW, earlier=(NOW, NOW)),))
    assert remembered(None, NOW) is None


def test_a_restart_dated_ahead_is_written_as_one_of_now_and_the_next_try_comes_in_its_time() -> None:
    seen = after(told(SILENT, restart(started_at=AHEAD, ended_at=AHEAD)))
    known = seen.cluster.status.healing
    assert known is not None
    assert known.restarts[0].started_at == NOW
    due = NOW + back_off(1)
    plan = decide(seen, due, Policy())
    assert plan.mend.verdicts[SERVER].reason == words.RESTARTING_MASTER


def test_a_replacement_dated_ahead_is_written_as_one_of_now_and_backs_off_no_longer_than_others() -> None:
    dated = healing(ailing(DEAD), ClusterHealingStatus(last_started_at=AHEAD, attempts=1))
    seen = after(dated)
    known = seen.cluster.status.healing
    assert known is not None
    assert known.last_started_at == NOW
    assert decide(dated, NOW, Policy()).heal.verdict is not None
    assert f"{NOW + timedelta(minutes=5):%FT%TZ}" in str(decide(dated, NOW, Policy()).heal.verdict)


def test_a_replacement_under_way_that_began_in_the_future_is_given_up_in_its_time() -> None:
    seen = replacing(ailing(DEAD))
    known = seen.cluster.status.healing
    assert known is not None
    assert known.replacement is not None
    ahead = replace(known, replacement=replace(known.replacement, started_at=AHEAD))
    found = after(healing(seen, ahead)).cluster.status.healing
    assert found is not None
    assert found.replacement is not None
    assert found.replacement.started_at == NOW


def test_conditions_dated_ahead_age_from_now_on() -> None:
    seen = unwell()
    dated = tuple(replace(each, last_transition_time=AHEAD) for each in seen.cluster.status.conditions)
    hasty = replace(seen, cluster=replace(seen.cluster, status=replace(seen.cluster.status, conditions=dated)))
    assert {each.last_transition_time for each in after(hasty).cluster.status.conditions} == {NOW}
