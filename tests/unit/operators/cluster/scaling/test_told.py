"""What is said of a topology that changes: condition, phase and events."""

from __future__ import annotations

from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, new, running
from tests.support.growing import World

from homeostat.api.meta import Condition
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Plan, Verdict
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.metrics import ENDED, SCALE
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.orchestrations import measured
from homeostat.operators.cluster.orchestrations import running as under_way
from homeostat.operators.cluster.report import report
from homeostat.operators.cluster.scaling.told import as_many_as_declared, scaled, scaling_notes
from homeostat.runtime.conditions import find_condition


def condition(seen: Observed, type_: str = words.SCALED) -> Condition:
    status = report(seen, decide(seen, NOW, Policy()), (), NOW).status
    assert status is not None
    found = find_condition(status.conditions, type_)
    assert found is not None
    return found


def test_while_it_changes_the_cluster_is_not_ready_and_its_phase_says_why() -> None:
    world = World("single")
    world.declare("ha")
    world.look()
    status = world.seen.cluster.status
    assert status.phase == "Scaling"
    told = find_condition(status.conditions, words.READY)
    assert told is not None
    assert (told.status, told.reason, told.message) == ("False", words.SCALING, "Scaled: demo-etcd-1 joins")


def test_events_tell_who_comes_and_goes_and_the_end_but_not_every_step() -> None:
    world = World("single")
    notes = []
    for wish in ("ha", "single"):
        world.declare(wish)
        for _ in range(100):
            before = world.seen.cluster.status
            plan = world.look()
            notes += [note.note for note in scaling_notes(before, plan)]
            if world.told.complete == wish:
                break
    assert notes == [
        "demo-etcd-1 joins",
        "demo-etcd-2 joins",
        "the other masters get a second replica",
        "the topology is ha",
        "one of each of the other masters is enough",
        "demo-etcd-2 leaves",
        "demo-etcd-1 leaves",
        "the topology is single",
    ]


def test_a_change_that_was_taken_back_ends_where_it_began() -> None:
    world = World("single")
    world.declare("ha")
    world.look()
    world.declare("single")
    notes = []
    while world.told.started_at is not None:
        before = world.seen.cluster.status
        notes += [note.note for note in scaling_notes(before, world.look())]
    assert notes[-1] == "the topology is still single"


def test_a_pause_is_told_where_something_is_left_to_do_and_only_there() -> None:
    world = World("single")
    world.declare("ha")
    world.look()
    seen = world.observed()
    spec = replace(seen.cluster.spec, paused=True)
    paused = condition(replace(seen, cluster=replace(seen.cluster, spec=spec)))
    assert (paused.status, paused.reason) == ("False", words.PAUSED)
    assert condition(running(cluster(paused=True))).status == "True"


def test_of_a_cluster_that_was_never_accepted_nothing_is_written_down() -> None:
    refused = Plan(verdict=Verdict(words.TOO_FEW_ZONES, ""))
    assert scaled(new(cluster(topology="ha")), refused, is_accepted=False) is None
    begun = scaled(new(cluster(topology="ha")), Plan(), is_accepted=True)
    assert begun is not None
    assert (begun.complete, begun.members, begun.replicas) == ("ha", 3, 2)


def test_what_is_not_looked_at_says_so_where_the_wish_is_another() -> None:
    world = World("single")
    world.declare("ha")
    is_so, why = as_many_as_declared(world.observed(), Plan(verdict=Verdict(words.INVALID_SPEC, "")))
    assert (is_so, why.reason) == (False, words.NOT_CREATED)


def test_a_change_is_counted_when_it_ends_as_done_or_as_abandoned() -> None:
    world = World("single")
    results = []
    for wish, looks in (("ha", 100), ("single", 1), ("ha", 100)):
        world.declare(wish)
        for _ in range(looks):
            seen = world.observed()
            plan = world.look()
            measures = measured(seen, plan, world.seen.cluster.status, world.now)
            results += [each.labels for each in measures if each.of is ENDED]
            assert (SCALE in under_way(world.seen.cluster)) is (world.told.started_at is not None)
    assert results == [(SCALE, "succeeded"), (SCALE, "abandoned")]
