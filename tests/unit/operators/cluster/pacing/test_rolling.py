"""What makes masters anew shares the places of a cell, whatever it is for; and since when a Cluster has one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, running
from tests.support.rotating import World
from tests.support.telling import served, silent, status, told
from tests.unit.operators.cluster.turns.test_renewing import LONG_DUE, held, plan, renewals
from tests.unit.operators.cluster.turns.test_rotating import KEYS

from homeostat.api.cluster.audit import REQUEST
from homeostat.api.cluster.certificates import ClusterCertificateStatus, ClusterRotations, ClusterRotationStatus
from homeostat.api.cluster.scaling import ClusterTopologyStatus
from homeostat.api.cluster.upgrades import ClusterEmulationStatus, ClusterUpgradeStatus
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import ProbeEndpoint, Scale, Verdict
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.observe import Observed, ProbeSeen
from homeostat.operators.cluster.pacing.holding import hold_the_change
from homeostat.operators.cluster.pacing.pace import Pace
from homeostat.operators.cluster.pacing.pace import Policy as Pacing
from homeostat.operators.cluster.pacing.place import FREE, Place
from homeostat.operators.cluster.pacing.rolling import UnderWay, Waiting, rolling
from homeostat.operators.cluster.pki import states

BEFORE = NOW - timedelta(seconds=1)
NOT_YET = Place(may_begin=False, before=7, at_once=10)
QUEUE = "masters of as many clusters of the cell are made anew at once as may (10); it is among the next 10"
DUE = ClusterCertificateStatus(authority="ca", not_after=NOW, renews_at=NOW - timedelta(hours=1))
TURNED = ClusterRotationStatus(
    keys=states.TOKEN_KEY, number=1, stage=states.HOLDING, started_at=NOW, stage_started_at=NOW
)
BEGUN = ClusterTopologyStatus(complete="single", members=2, replicas=1, zoned=True, started_at=NOW)
SINGLE = ClusterTopologyStatus(complete="single", members=1, replicas=1)
EMULATING = ClusterEmulationStatus(version="1.34", since=NOW)


def well(name: str = "demo", **changes: Any) -> Cluster:
    """A Cluster that is well, and of which a part of the status is as given."""
    one = served(cluster(name)).cluster
    return replace(one, status=replace(one.status, rolling_since=None, **changes))


def wishing(one: Cluster, **spec: Any) -> Cluster:
    return replace(one, spec=replace(one.spec, **spec))


def rotations(asked: int, released: int = 0) -> Any:
    found = well().spec.keys
    return replace(found, rotations=ClusterRotations(token_key=asked), released=ClusterRotations(token_key=released))


AUDIT = wishing(well(), audit=replace(well().spec.audit, level=REQUEST))


@pytest.mark.parametrize(
    "one",
    [
        wishing(well(), package_version="v1.34.4"),
        wishing(well(), topology="ha"),
        wishing(well(topology=BEGUN), topology="ha"),
        wishing(well(), keys=rotations(1)),
        wishing(well(rotation=TURNED), keys=rotations(1, released=1)),
        wishing(well(rotation=TURNED), keys=rotations(0)),
        well(rotation=replace(TURNED, keys=states.ENCRYPTION_KEY)),
        AUDIT,
        well(certificates=(DUE,)),
        well(emulation=EMULATING),
    ],
    ids=[
        *("version", "topology", "topology that was paused", "rotation", "released rotation", "rotation taken back"),
        *("encryption", "audit level", "renewal", "end of emulation"),
    ],
)
def test_whatever_makes_masters_anew_waits_in_one_line_and_has_one_place(one: Cluster) -> None:
    assert rolling(one, NOW) == Waiting(NOW)
    pace = Pace(Pacing(rolling=1))
    other = replace(AUDIT, metadata=replace(AUDIT.metadata, uid="other"))
    pace.note(None, replace(other, status=replace(other.status, rolling_since=NOW)), NOW)
    pace.note(None, one, NOW)
    assert pace.place(one, NOW) == Place(may_begin=False, before=0, at_once=1)
    has_one = replace(one, status=replace(one.status, rolling_since=NOW))
    assert rolling(has_one, NOW) == UnderWay(NOW + timedelta(seconds=300))
    assert pace.place(has_one, NOW) == FREE


@pytest.mark.parametrize(
    "one",
    [
        well(),
        wishing(well(rotation=TURNED), keys=rotations(1)),
        well(certificates=(replace(DUE, renews_at=NOW + timedelta(hours=1)),)),
        wishing(AUDIT, paused=True),
    ],
    ids=["nothing is wanted", "a rotation that people must release", "certificates are young", "paused"],
)
def test_what_does_not_begin_by_itself_is_in_no_line(one: Cluster) -> None:
    assert rolling(one, NOW) is None


def test_certificates_that_became_due_by_time_alone_wait_from_the_first_look() -> None:
    pace, later = Pace(Pacing(rolling=1)), NOW + timedelta(hours=2)
    one = well(certificates=(replace(DUE, renews_at=NOW + timedelta(hours=1)),))
    pace.note(None, one, NOW)
    assert pace.place(one, later) == FREE
    other = wishing(well(certificates=(DUE,)))
    other = replace(other, metadata=replace(other.metadata, uid="other"))
    assert not pace.place(other, later).may_begin


def looked_at(seen: Observed, **changes: Any) -> datetime | None:
    return status(replace(seen, **changes)).rolling_since


def asked(**status: Any) -> Observed:
    """A cluster at rest that is to be of another audit level."""
    seen = running(cluster(), ready_since=NOW, probed=ProbeSeen(NOW, "v1.35.4"))
    one = replace(AUDIT, status=replace(seen.cluster.status, topology=SINGLE, **status))
    return replace(seen, cluster=one)


def test_a_place_is_told_of_in_the_status_in_which_the_change_begins() -> None:
    assert looked_at(asked()) == NOW
    held = status(replace(asked(), place=NOT_YET))
    assert (held.rolling_since, held.audit_level) == (None, asked().cluster.status.audit_level)


def test_it_is_given_back_when_all_masters_are_at_rest() -> None:
    done = asked(audit_level="Metadata", rolling_since=BEFORE)
    done = replace(done, cluster=wishing(done.cluster, audit=cluster().spec.audit))
    assert looked_at(silent(done)) == BEFORE
    assert looked_at(done) is None


def test_who_has_a_place_is_proven_at_once_for_others_wait_for_it() -> None:
    seen = asked(audit_level="Metadata", rolling_since=NOW)
    seen = replace(seen, cluster=wishing(seen.cluster, audit=cluster().spec.audit), probed=ProbeSeen(BEFORE, "v1.35.4"))
    assert ProbeEndpoint() in decide(seen, NOW, Policy()).actions
    idle = replace(seen, cluster=replace(seen.cluster, status=replace(seen.cluster.status, rolling_since=None)))
    assert ProbeEndpoint() not in decide(idle, NOW, Policy()).actions


def test_a_pause_gives_it_back_when_what_was_made_anew_is_there() -> None:
    going = ClusterUpgradeStatus(
        from_version="v1.34.4", to_version="v1.35.4", started_at=NOW, component="etcd", component_started_at=NOW
    )
    seen = asked(upgrade=going, rolling_since=NOW)
    paused = replace(seen, cluster=wishing(seen.cluster, paused=True))
    assert looked_at(silent(paused)) == NOW
    assert looked_at(paused) is None


def test_a_rotation_waits_for_its_turn_and_says_so() -> None:
    world = World(KEYS, keys={"rotations": {"tokenKey": 1}})
    turn = decide(replace(world.seen(), place=NOT_YET), NOW, Policy()).turn
    assert (turn.rotation, turn.queued) == (None, True)
    assert turn.verdict == Verdict(
        words.ROTATING, f"the key of tokens: asked for, and begins at its turn. Now: {QUEUE}"
    )
    world.run(until=states.TRUSTING)
    plan = decide(replace(world.seen(), place=NOT_YET), NOW, Policy())
    assert (plan.actions, plan.turn.rotation) == ((), None), "nor does it go on after a pause"


def test_a_renewal_that_makes_masters_anew_is_told_first_and_waits_for_a_place() -> None:
    first = held(LONG_DUE)
    begun = replace(first, cluster=replace(first.cluster, status=replace(first.cluster.status, rolling_since=None)))
    begun = replace(begun, leaves=tuple(each for each in begun.leaves if each.leaf.restarts))
    assert (renewals(begun, LONG_DUE), plan(begun, LONG_DUE).turn.rolls) == ([], True)
    assert len(renewals(replace(begun, cluster=first.cluster), LONG_DUE)) == 1
    queued = plan(replace(begun, place=NOT_YET), LONG_DUE).turn
    assert (queued.actions, queued.rolls, queued.queued) == ((), False, True)


def test_what_masters_take_up_as_they_run_is_renewed_whoever_is_in_line() -> None:
    done: list[str] = []
    while found := renewals(replace(held(LONG_DUE, *done), place=NOT_YET), LONG_DUE):
        done += found
    assert sorted(done) == ["demo-admin-kubeconfig", "demo-apiserver", "demo-etcd"]


def test_a_topology_waits_with_what_it_would_do_and_tells_what_it_awaits() -> None:
    seen = running(place=NOT_YET)
    wanted = Scale(Verdict(words.SCALING, "demo-etcd-1 joins"), becomes=BEGUN)
    assert hold_the_change(seen, wanted, NOW).verdict == Verdict(words.QUEUED, QUEUE)
    refused = Scale(Verdict(words.TOO_FEW_ZONES, "one zone"))
    assert hold_the_change(seen, refused, NOW) == refused
    assert hold_the_change(running(), wanted, NOW) == wanted


def test_a_cluster_that_waits_for_another_topology_says_that_it_is_about_to() -> None:
    seen = asked()
    tall = wishing(seen.cluster, audit=cluster().spec.audit, topology="ha")
    wish = replace(seen, cluster=tall, place=NOT_YET, zones=frozenset("abc"))
    found = told(wish).status
    assert found is not None
    assert (found.phase, found.rolling_since) == ("Scaling", None)
