"""An operator that dies right before or after any of its writes leaves nothing that its successor cannot finish."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.support.cells import Cell, open_zones
from tests.support.comparing import normal
from tests.support.cutting import Change, Cut, Yard, cut_at_every_write, finish
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
    rotated,
    scaled,
    setting,
    upgraded,
    went_back,
)

from homeostat.kube.client import Client

pytestmark = pytest.mark.long_on_sim("tests/sim kills at every moment")

# Each twelfth moment, over the whole length: a real API server makes no difference to what tests/sim shows of all.
# `make soak` takes all of them here as well.
EACH_TWELFTH_OR_ALL = pytest.mark.parametrize("step", [12, pytest.param(1, marks=pytest.mark.soak)])


@pytest.fixture
async def zones(yard: Yard, client: Client) -> AsyncIterator[Yard]:
    """A yard in a cell with three zones."""
    async with open_zones(client):
        yield yard


def assert_all_alike(cut: Cut) -> None:
    """As if no operator had died."""
    wanted = normal(cut.undisturbed)
    for cell, death in zip(cut.cells, cut.deaths, strict=True):
        assert normal(cell) == wanted, f"killed {death}"


@EACH_TWELFTH_OR_ALL
async def test_a_creation_that_is_cut_at_any_write_ends_as_if_it_had_not_been(yard: Yard, step: int) -> None:
    cut = await cut_at_every_write(yard, Change(declaring(), ready), step)
    await finish(yard, cut.cells, ready)
    assert_all_alike(cut)
    assert started(yard, cut) == 4 * (len(cut.cells) + 1), "no Pod was ever replaced"


@EACH_TWELFTH_OR_ALL
async def test_a_deletion_that_is_cut_at_any_write_leaves_nothing(yard: Yard, step: int) -> None:
    cut = await cut_at_every_write(yard, Change(delete, gone, before=(declaring(), ready)), step)
    await finish(yard, cut.cells, gone)
    for cell, death in zip(cut.cells, cut.deaths, strict=True):
        assert [obj["metadata"]["name"] for obj in normal(cell)] == ["stranger"], f"killed {death}"


@EACH_TWELFTH_OR_ALL
async def test_an_upgrade_that_is_cut_at_any_write_ends_as_if_it_had_not_been(yard: Yard, step: int) -> None:
    upgrade = Change(setting(packageVersion=NEW), upgraded, before=(declaring(packageVersion=OLD), ready))
    cut = await cut_at_every_write(yard, upgrade, step)
    await finish(yard, cut.cells, upgraded)
    assert_all_alike(cut)
    assert started(yard, cut) == (4 + 3 + 3 + 2) * (len(cut.cells) + 1), (
        "each Pod with another image was replaced once, and once more when it left the older minor behind;"
        " before either, an API server was tried"
    )


@EACH_TWELFTH_OR_ALL
async def test_an_upgrade_that_fails_goes_back_by_itself_whenever_its_maker_dies(yard: Yard, step: int) -> None:
    yard.haste = 20.0
    yard.kubelet.behave("crash", BROKEN_IMAGE)
    # At this haste, many cells on a busy machine look like masters that do not start: nobody shall mend them.
    begun = declaring(packageVersion=OLD, upgradePolicy={"onFailure": "Rollback"}, healing={"paused": True})
    cut = await cut_at_every_write(yard, Change(setting(packageVersion=NEW), went_back, before=(begun, ready)), step)
    await finish(yard, cut.cells, went_back)
    assert_all_alike(cut)


@EACH_TWELFTH_OR_ALL
@pytest.mark.parametrize(("there", "wish"), [(NEW, HOSTED), (HOSTED, NEW)])
async def test_a_hosted_operator_that_comes_or_goes_does_so_whenever_its_maker_dies(
    yard: Yard, there: str, wish: str, step: int
) -> None:
    before = (declaring(packageVersion=there), ready)
    move = Change(setting(packageVersion=wish), of(wish), before=before, least_writes=3)
    cut = await cut_at_every_write(yard, move, step)
    await finish(yard, cut.cells, of(wish))
    assert_all_alike(cut)


# More writes than any other change has, so fewer of the moments are enough for every change of the code.
@EACH_TWELFTH_OR_ALL
@pytest.mark.parametrize(("topology", "wish"), [("single", "ha"), ("ha", "single")])
async def test_a_change_of_the_topology_that_is_cut_at_any_write_ends_as_if_it_had_not_been(
    zones: Yard, topology: str, wish: str, step: int
) -> None:
    zones.haste = 10.0
    # At this haste, many cells on a busy machine look like masters that do not start: nobody shall mend them.
    begun = declaring(topology=topology, healing={"paused": True})
    change = Change(setting(topology=wish), scaled(wish), before=(begun, ready))
    cut = await cut_at_every_write(zones, change, step)
    await finish(zones, cut.cells, scaled(wish))
    assert_all_alike(cut)
    for cell, death in zip(cut.cells, cut.deaths, strict=True):
        assert kept(cell.etcd.story) == kept(cut.undisturbed.etcd.story), f"killed {death}"


@pytest.mark.soak  # tests/unit/operators/cluster/turns has every stage of it
@pytest.mark.parametrize("step", [12, 3])
async def test_a_rotation_of_a_key_that_is_cut_at_any_write_ends_as_if_it_had_not_been(yard: Yard, step: int) -> None:
    yard.haste = 15.0
    before, done = (declaring(healing={"paused": True}), ready), rotated("encryptionKey")
    rotation = Change(setting(keys={"rotations": {"encryptionKey": 1}}), done, before=before)
    cut = await cut_at_every_write(yard, rotation, step)
    await finish(yard, cut.cells, done)
    assert_all_alike(cut)
    for cell, death in zip(cut.cells, cut.deaths, strict=True):
        assert cell.get("Secret", "demo-pki")["data"].keys() == cut.undisturbed.get("Secret", "demo-pki")["data"].keys()
        assert born(yard, cell) == born(yard, cut.undisturbed), f"killed {death}"


def born(yard: Yard, cell: Cell) -> int:
    """How many Pods were ever made in a cell."""
    return sum(namespace == cell.namespace for namespace, _ in yard.kubelet.started)


def kept(story: list[str]) -> list[str]:
    """Who came and went; who leads between may be told again."""
    return [line for line in story if not line.startswith("moved")]


def started(yard: Yard, cut: Cut) -> int:
    """How many Pods were ever made in these cells; what other tests left behind is started too, and does not count."""
    namespaces = {cell.namespace for cell in (cut.undisturbed, *cut.cells)}
    return sum(namespace in namespaces for namespace, _ in yard.kubelet.started)
