"""What people ask of clusters, as scenarios in which operators die, and how many moments of each a short run takes."""

from __future__ import annotations

from tests.support.cells import Cell
from tests.support.deeds import (
    BROKEN_IMAGE,
    HOSTED,
    NEW,
    OLD,
    declaring,
    delete,
    gone,
    of,
    ready,
    scaled,
    setting,
    upgraded,
    went_back,
)
from tests.support.killing.course import Scenario
from tests.support.killing.keeping import KEPT, zones_opened
from tests.support.killing.world import World
from tests.support.kubelet import KINDS

ROLLS_BACK = {"onFailure": "Rollback"}


async def deleted_when_half_made(cell: Cell) -> None:
    """Somebody changes their mind when the first Pod runs."""
    await cell.declare()
    await cell.kubelet.until(lambda: cell.all("Pod"), "a Pod is there")
    await cell.delete()


async def declared_beside_a_stranger(cell: Cell) -> None:
    """Somebody else's ConfigMap has the name of one that the operator makes."""
    foreign = {"metadata": {"name": "demo-etcd", "namespace": cell.namespace}, "data": {"theirs": "yes"}}
    await cell.client.create(KINDS["ConfigMap"], foreign)
    await cell.declare()


async def refused_for_the_name(cell: Cell) -> None:
    """The Cluster says so."""
    await cell.until_condition("Accepted", "NameConflict")


def new_servers_crash(world: World) -> None:
    """API servers of the new version do not start."""
    world.kubelet.behave("crash", BROKEN_IMAGE)


SCENARIOS = (
    Scenario("create", declaring(), ready, step=9),
    Scenario("delete", delete, gone, (declaring(), ready), step=9),
    Scenario("delete in the middle of creation", deleted_when_half_made, gone, counts_starts=False, step=9),
    Scenario("upgrade", setting(packageVersion=NEW), upgraded, (declaring(packageVersion=OLD), ready), step=40),
    Scenario(
        "rollback",
        setting(packageVersion=NEW),
        went_back,
        (declaring(packageVersion=OLD, upgradePolicy=ROLLS_BACK), ready),
        prepare=new_servers_crash,
        step=20,
    ),
    Scenario(
        "hosted comes", setting(packageVersion=HOSTED), of(HOSTED), (declaring(packageVersion=NEW), ready), step=20
    ),
    Scenario("hosted goes", setting(packageVersion=NEW), of(NEW), (declaring(packageVersion=HOSTED), ready), step=20),
    Scenario("single to ha", setting(topology="ha"), scaled("ha"), (zones_opened, declaring(), ready), step=60),
    Scenario(
        "upgrade of ha",
        setting(packageVersion=NEW),
        upgraded,
        (zones_opened, declaring(packageVersion=OLD, topology="ha"), ready),
        step=60,
    ),
    Scenario(
        "a stranger has a name",
        declared_beside_a_stranger,
        refused_for_the_name,
        step=9,
    ),
    Scenario(
        "ha to single",
        setting(topology="single"),
        scaled("single"),
        (zones_opened, declaring(topology="ha"), ready),
        step=30,
    ),
    *KEPT,
)
