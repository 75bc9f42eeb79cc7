"""Who waits in which line, by what its Cluster says; and what it says while it waits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, new, package, running
from tests.support.telling import served, told

from homeostat.api.cluster.upgrades import ClusterUpgradeStatus
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.api.meta import Condition
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Step, Verdict
from homeostat.operators.cluster.decide import Policy as Rules
from homeostat.operators.cluster.decide import decide
from homeostat.operators.cluster.pacing.holding import hold_to_its_turn
from homeostat.operators.cluster.pacing.pace import Pace, Policy, creation
from homeostat.operators.cluster.pacing.place import FREE, Place
from homeostat.operators.cluster.pacing.rolling import UnderWay, Waiting, rolling
from homeostat.operators.cluster.pacing.urgency import urgency
from homeostat.runtime.conditions import find_condition
from homeostat.runtime.queue import Priority

POLICY = Policy(creating=1, rolling=1)
BORN = NOW - timedelta(minutes=1)
OLD, NEW = "v1.34.4", "v1.35.4"
NOT_YET = Place(may_begin=False, before=7, at_once=10)


def born(name: str = "demo", *, at: datetime = BORN, **spec: Any) -> Cluster:
    """A Cluster that was declared, and nothing else."""
    made = cluster(name, **spec)
    return replace(made, metadata=replace(made.metadata, creation_timestamp=at))


def saying(one: Cluster, type_: str, reason: str, *, is_so: bool = False, at: datetime = NOW) -> Cluster:
    others = tuple(each for each in one.status.conditions if each.type != type_)
    said = Condition(type=type_, status=str(is_so), reason=reason, last_transition_time=at)
    return replace(one, status=replace(one.status, conditions=(*others, said)))


def wishing(name: str = "demo", *, to: str = NEW) -> Cluster:
    """A Cluster that is well, of the old version, and shall be of another one."""
    made = served(cluster(name, packageVersion=OLD)).cluster
    return replace(made, spec=replace(made.spec, package_version=to))


def moving(one: Cluster, *, since: datetime = NOW) -> Cluster:
    upgrade = ClusterUpgradeStatus(
        from_version=OLD, to_version=NEW, started_at=BORN, component="etcd", component_started_at=since
    )
    return replace(one, status=replace(one.status, upgrade=upgrade, rolling_since=since))


def started(one: Cluster, at: datetime = NOW) -> Cluster:
    return replace(one, status=replace(one.status, started_at=at))


def note(pace: Pace, old: Cluster | None, now: Cluster | None) -> list[str]:
    """Whose turn comes by a change."""
    pace.note(old, now, NOW)
    return pace.called(NOW)


def test_whose_turn_it_is_is_asked_when_all_are_known() -> None:
    pace = Pace(POLICY)
    pace.note(None, born("listed-first", at=NOW), NOW)
    pace.note(None, born("oldest"), NOW)
    assert pace.called(NOW) == ["default/oldest"]
    assert pace.called(NOW) == [], "nobody is woken twice"


def test_a_new_cluster_waits_since_it_was_declared_and_is_under_way_once_it_is_begun() -> None:
    assert creation(born(), POLICY, NOW) == Waiting(BORN)
    assert creation(started(born()), POLICY, NOW) == UnderWay(NOW + timedelta(minutes=10))
    assert creation(running().cluster, POLICY, NOW) is None


@pytest.mark.parametrize(
    "one",
    [
        born(paused=True),
        replace(born(), metadata=replace(born().metadata, deletion_timestamp=NOW)),
        saying(born(), words.ACCEPTED, words.PACKAGE_NOT_FOUND),
        saying(born(), words.ACCEPTED, words.TOO_FEW_ZONES),
    ],
    ids=["paused", "deleted", "refused for its package version", "refused for its zones"],
)
def test_whoever_cannot_begin_holds_nobody_up(one: Cluster) -> None:
    assert creation(one, POLICY, NOW) is None
    pace = Pace(POLICY)
    pace.note(None, one, NOW)
    later = born("later", at=NOW)
    assert note(pace, None, later) == ["default/later"]
    assert pace.place(later, NOW) == FREE


def test_a_well_cluster_that_wants_another_version_waits_in_the_other_line() -> None:
    assert rolling(wishing(), NOW) == Waiting(NOW)
    queued = saying(wishing(), words.UP_TO_DATE, words.QUEUED, at=BORN)
    assert rolling(queued, NOW) == Waiting(BORN), "a restart of the operator forgets nobody's age"
    assert rolling(wishing(to=OLD), NOW) is None
    assert rolling(moving(wishing()), NOW) == UnderWay(NOW + timedelta(seconds=300))


@pytest.mark.parametrize("type_", [words.ETCD_READY, words.API_SERVER_READY, words.AVAILABLE])
def test_a_move_that_may_mend_a_cluster_is_in_no_line(type_: str) -> None:
    sick = saying(wishing("sick"), type_, words.CRASHING)
    assert rolling(sick, NOW) is None
    pace = Pace(POLICY)
    pace.note(None, moving(wishing("other")), NOW)
    assert pace.place(sick, NOW) == FREE


def test_what_is_refused_waits_for_a_person_and_not_in_line() -> None:
    assert rolling(saying(wishing(), words.UP_TO_DATE, words.UPGRADE_REFUSED), NOW) is None


def test_the_two_lines_are_apart_and_a_place_that_becomes_free_calls_the_next_one() -> None:
    pace = Pace(POLICY)
    first, second, third = (born(name, at=BORN + timedelta(seconds=at)) for at, name in enumerate("abc"))
    assert note(pace, None, first) == ["default/a"]
    assert note(pace, None, second) == note(pace, None, third) == []
    assert note(pace, None, wishing("mover")) == ["default/mover"]
    assert note(pace, first, started(first)) == []
    assert pace.place(second, NOW) == Place(may_begin=False, before=0, at_once=1)
    assert note(pace, started(first), None) == ["default/b"]


def test_a_successor_of_the_same_name_begins_at_the_end() -> None:
    pace = Pace(POLICY)
    old, other = born("a"), born("b", at=NOW)
    pace.note(None, old, NOW)
    pace.note(None, other, NOW)
    heir = born("a", at=NOW + timedelta(seconds=1))
    heir = replace(heir, metadata=replace(heir.metadata, uid="heir"))
    assert note(pace, old, heir) == ["default/b"]


def test_before_its_turn_nothing_is_made_and_the_conditions_say_how_far_it_is() -> None:
    seen = new(cluster(begun=False), place=NOT_YET)
    assert decide(seen, NOW, Rules()).actions == ()
    report = told(seen)
    assert report.status is not None
    for type_ in (words.ACCEPTED, words.READY):
        found = find_condition(report.status.conditions, type_)
        assert found is not None
        assert (found.status, found.reason) == ("False", words.QUEUED)
        assert "(10); it is among the next 10" in found.message
    assert (report.status.phase, report.status.started_at, report.notes) == ("Pending", None, ())


def test_what_is_begun_goes_on_whatever_the_line_says() -> None:
    begun = new(place=NOT_YET)
    begun = replace(begun, cluster=started(begun.cluster))
    assert decide(begun, NOW, Rules()).actions
    assert decide(running(place=NOT_YET, applied={}), NOW, Rules()).actions


def test_masters_do_not_begin_to_move_before_their_turn() -> None:
    seen = running(wishing(), place=NOT_YET, packages={name: package(name) for name in (OLD, NEW)})
    seen = replace(seen, cluster=wishing(), kubelets=frozenset())
    plan = decide(seen, NOW, Rules())
    assert plan.step == Step(
        NEW,
        Verdict(
            words.QUEUED,
            "masters of as many clusters of the cell are made anew at once as may (10); it is among the next 10",
        ),
    )
    status = told(seen).status
    assert status is not None
    assert (status.phase, status.upgrade) == ("Upgrading", None)


@pytest.mark.parametrize(
    "going",
    [Step(NEW), Step(NEW, Verdict(words.ROLLING_BACK, "back"), failed=Verdict(words.UPGRADE_FAILED, "of no use"))],
    ids=["nothing to do", "it failed"],
)
def test_a_step_that_begins_nothing_is_not_held(going: Step) -> None:
    assert hold_to_its_turn(running(place=NOT_YET), going) == going


def test_who_is_not_well_comes_first_then_who_moves_then_who_is_made() -> None:
    well = served().cluster
    sick = saying(well, words.ETCD_READY, words.CRASHING)
    gone = replace(well, metadata=replace(well.metadata, deletion_timestamp=NOW))
    asked = [Priority.CHANGE, Priority.INITIAL, Priority.RESYNC]
    assert [urgency(sick, each) for each in asked] == [Priority.URGENT] * 3
    assert [urgency(moving(well), each) for each in asked] == [Priority.CHANGE] * 3
    assert [urgency(gone, each) for each in asked] == [Priority.CHANGE] * 3
    assert [urgency(born(), each) for each in asked] == [Priority.LATER, Priority.INITIAL, Priority.RESYNC]
    assert [urgency(well, each) for each in asked] == [urgency(None, each) for each in asked] == asked
