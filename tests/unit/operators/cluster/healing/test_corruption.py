"""A member of etcd that runs with other data than the others agree on is replaced; where nobody agrees, nothing is."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from tests.support.ailing import NAMES, ailing, healing, host_of, replacing
from tests.support.clusters import NOW

from homeostat.api.cluster.healing import ClusterHealingStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import AskEtcd, Heal, RemoveMember
from homeostat.operators.cluster.healing.members import heal
from homeostat.operators.cluster.healing.policy import Policy
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.upkeep.seen import UpkeepSeen

ODD = NAMES[1]
ONE = {host_of(name): 2 if name == ODD else 1 for name in NAMES}
ALL = {host_of(name): number for number, name in enumerate(NAMES)}


def corrupt(hashes: dict[str, int] = ONE, **spec: Any) -> Observed:
    """Three members that are well, whose data was compared."""
    return replace(ailing(**spec), upkeep=UpkeepSeen(NOW, NOW, hashes=hashes))


def healed(seen: Observed) -> Heal:
    return heal(seen, NOW, Policy())


def under_way(seen: Observed) -> Observed:
    """Its replacement was told of already."""
    told = replacing(seen, ODD).cluster.status.healing
    assert told is not None
    assert told.replacement is not None
    return healing(seen, replace(told, replacement=replace(told.replacement, corrupt=True)))


def test_the_one_that_the_two_others_agree_against_is_replaced() -> None:
    begins = healed(corrupt()).begins
    assert begins is not None
    assert (begins.member, begins.corrupt) == (ODD, True)
    assert begins.reason == "its data is not what the other members agree on"
    assert healed(under_way(corrupt())).actions == (RemoveMember(ODD, 11, corrupt=True),)


def test_etcd_is_asked_first_how_its_members_are() -> None:
    assert healed(replace(corrupt(), members=None)).actions == (AskEtcd(),)


def test_where_no_two_agree_nothing_is_replaced() -> None:
    assert healed(corrupt(ALL)) == Heal()


def test_one_that_agrees_after_all_stays() -> None:
    agreeing = under_way(corrupt(dict.fromkeys(ONE, 1)))
    assert healed(agreeing).ends


def test_what_is_known_of_two_is_enough_to_go_on_and_not_to_begin() -> None:
    two = {host: one for host, one in ONE.items() if host != host_of(ODD)}
    assert healed(under_way(corrupt(two))).actions == (RemoveMember(ODD, 11, corrupt=True),)
    assert healed(corrupt(two)) == Heal()


def test_a_pause_holds_it() -> None:
    verdict = healed(corrupt(healing={"paused": True})).verdict
    assert verdict is not None
    assert verdict.reason == words.HEALING_PAUSED
    assert f"{ODD} has other data than the others agree on, and is not replaced" in verdict.message


def test_one_of_the_others_that_etcd_accuses_does_not_hold_it() -> None:
    unjust = corrupt()
    assert unjust.members is not None
    members = tuple(
        replace(each, is_well=False, is_accused=each.name == NAMES[0]) if each.name != NAMES[2] else each
        for each in unjust.members.members
    )
    accused = replace(unjust, members=replace(unjust.members, members=members))
    assert healed(accused).begins is not None
    assert healed(under_way(accused)).actions == (RemoveMember(ODD, 11, corrupt=True),)


def test_one_that_is_corrupt_again_waits() -> None:
    again = healing(corrupt(), ClusterHealingStatus(last_started_at=NOW, attempts=1))
    verdict = healed(again).verdict
    assert verdict is not None
    assert verdict.reason == words.HEALING_BACKED_OFF
