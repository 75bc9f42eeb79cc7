"""One thing at a time: what is mended comes first, then what began first."""

from __future__ import annotations

from msgspec.structs import replace
from tests.support.ailing import DEAD, ailing, replacing
from tests.support.clusters import NOW, package
from tests.support.growing import World

from homeostat.api.cluster.scaling import ClusterTopologyStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Heal, ProbeEndpoint, Step, Turn, Verdict
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.scaling.turn import must_be_over

CALM_TURN = Turn()
CALM = Step("v1.35.4")
TALL = ClusterTopologyStatus(complete="ha", members=3, replicas=2, zoned=True)
OLD, NEW = "v1.34.4", "v1.35.4"


def over(seen: Observed, going: Step = CALM, turn: Turn = CALM_TURN, *, is_applied: bool = True) -> Verdict | None:
    return must_be_over(seen, going, Heal(), turn, is_applied=is_applied)


def wish(world: World, package: str, topology: str) -> None:
    spec = replace(world.seen.cluster.spec, package_version=package, topology=topology)
    world.seen = replace(world.seen, cluster=replace(world.seen.cluster, spec=spec))


def test_a_member_that_is_being_replaced_is_waited_for() -> None:
    held = over(replacing(ailing(DEAD)))
    assert held == Verdict(words.REPLACING_MEMBER, f"before the topology changes: {DEAD} is being replaced")
    assert over(ailing()) is None


def test_the_same_look_never_begins_both_a_replacement_and_a_change() -> None:
    seen = ailing(DEAD)
    spec, status = replace(seen.cluster.spec, topology="single"), replace(seen.cluster.status, topology=TALL)
    seen = replace(seen, cluster=replace(seen.cluster, spec=spec, status=status))
    plan = decide(seen, NOW, Policy())
    assert plan.heal.begins is not None
    assert plan.scale is not None
    assert plan.scale.becomes is None


def test_a_lost_quorum_is_restored_first() -> None:
    lost = Heal(Verdict(words.QUORUM_LOST, "two of three are gone"))
    held = must_be_over(ailing(), CALM, lost, CALM_TURN, is_applied=True)
    assert held == Verdict(words.QUORUM_LOST, "before the topology changes: two of three are gone")


def test_what_is_refused_or_went_back_holds_nothing_up() -> None:
    for reason in (words.UPGRADE_REFUSED, words.OVERRIDE_REFUSED, words.PACKAGE_NOT_FOUND, words.ROLLED_BACK):
        assert over(ailing(), Step(NEW, Verdict(reason, ""))) is None
    for reason in (words.UPGRADING, words.ROLLING_BACK, words.AWAITING_HEALTH, words.UPGRADE_FAILED):
        held = over(ailing(), Step(NEW, Verdict(reason, "etcd moves")))
        assert held == Verdict(words.AWAITING_HEALTH, "before the topology changes: etcd moves")


def test_no_change_begins_while_masters_take_new_keys_or_are_declared_anew_but_one_goes_on() -> None:
    held = Verdict(words.AWAITING_HEALTH, "before the topology changes: masters are being declared")
    assert over(ailing(), is_applied=False) == held
    assert over(ailing(), turn=Turn(actions=(ProbeEndpoint(),))) == held
    world = World("single")
    world.declare("ha")
    world.look()
    assert over(world.observed(), is_applied=False) is None


def test_wished_together_the_package_version_comes_first_and_both_arrive() -> None:
    world = World("single")
    world.seen = replace(world.seen, kubelets=frozenset(), packages={OLD: package(OLD), NEW: package(NEW)})
    wish(world, OLD, "ha")
    versions: list[str] = []
    for _ in range(200):
        world.look()
        if world.story and not versions:
            versions.append(world.seen.cluster.status.package_version)
    assert versions == [OLD], "no member came before all masters were moved"
    world.until("ha")


def test_an_upgrade_that_is_wished_while_the_topology_changes_waits_for_its_end() -> None:
    world = World("single")
    world.seen = replace(world.seen, kubelets=frozenset(), packages={OLD: package(OLD), NEW: package(NEW)})
    world.declare("ha")
    while not world.story:
        world.look()
    wish(world, OLD, "ha")
    plan = world.look()
    assert plan.step is not None
    assert plan.step.verdict is not None
    assert plan.step.verdict.message.endswith("moves: the topology changes")
    moved: list[str] = []
    while world.seen.cluster.status.package_version != OLD:
        world.look()
        if world.seen.cluster.status.upgrade is not None and not moved:
            moved.append(world.told.complete)
    assert moved == ["ha"]
