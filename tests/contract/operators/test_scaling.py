"""A cluster becomes highly available and small again, with its data, on an API server and a double of the cell."""

from __future__ import annotations

import pytest
from tests.support.cells import ZONES, Cell, open_zone

from homeostat.api.core import NODE
from homeostat.kube.client import Client

HASTE = 10.0
WITHIN_S = 60.0


@pytest.fixture
def wide(tall: Cell) -> Cell:
    """A cell with room for three members, whose etcd runs where its Pods do."""
    tall.etcd.runs = lambda name: tall.find("Pod", name) is not None
    return tall


async def until_scaled(cell: Cell, topology: str) -> None:
    def there() -> bool:
        told = cell.status().get("topology", {})
        return told.get("complete") == topology and "startedAt" not in told and "change" not in told

    await cell.kubelet.until(there, f"the topology is {topology}", within_s=WITHIN_S)
    await cell.until_ready(within_s=WITHIN_S)


def claims(cell: Cell) -> dict[str, str]:
    return {each["metadata"]["name"]: each["metadata"]["uid"] for each in cell.all("PersistentVolumeClaim")}


def desired(cell: Cell) -> list[int]:
    return [each["desired"] for each in cell.status()["components"]]


async def test_it_grows_and_shrinks_with_its_first_volume_and_its_endpoint_and_the_story_is_told(wide: Cell) -> None:
    cell = wide
    async with cell.operator(haste=HASTE):
        await cell.declare()
        await cell.until_ready()
        first, endpoint = claims(cell), cell.status()["endpoint"]
        started = len(cell.kubelet.started)
        await cell.set_spec(topology="ha")
        await until_scaled(cell, "ha")
        assert desired(cell) == [3, 2, 2, 2]
        assert [name for _, name in cell.kubelet.started[started:] if "etcd" in name] == [
            "demo-etcd-1",
            "demo-etcd-2",
            "demo-etcd-0",
        ]
        await cell.until_told("Scaled", "the topology is ha")
        membership = cell.get("ConfigMap", "demo-etcd")["data"]["initial-cluster"]
        told = [each.partition("=")[0] for each in membership.split(",")]
        assert told == ["demo-etcd-0", "demo-etcd-1", "demo-etcd-2", "nobody"]  # no other one may begin empty

    # Another process: of one object, each tells 25 events at once at most, and both ways have about as many.
    async with cell.operator(haste=HASTE):
        started = len(cell.kubelet.started)
        await cell.set_spec(topology="single")
        await until_scaled(cell, "single")
        story = await cell.until_told("Scaled", "the topology is single")
    # A hasty clock begins anew with its process.
    assert sorted(story) == ["the topology is ha", "the topology is single"]
    assert desired(cell) == [1, 1, 1, 1]
    assert claims(cell) == first
    assert cell.status()["endpoint"] == endpoint
    assert not any("etcd" in name for _, name in cell.kubelet.started[started:]), "no member was restarted"
    assert cell.etcd.story[-2:] == ["removed demo-etcd-2", "removed demo-etcd-1"]


async def test_too_few_zones_are_told_and_masters_that_run_are_left_until_another_opens(
    wide: Cell, client: Client
) -> None:
    cell = wide
    await client.delete(NODE, f"topology-{ZONES[-1]}")
    async with cell.operator(haste=HASTE):
        await cell.declare()
        await cell.until_ready()
        pods = {pod["metadata"]["uid"] for pod in cell.all("Pod")}
        await cell.set_spec(topology="ha")
        told = await cell.until_condition("Scaled", "TooFewZones")
        assert "found 2 (a, b)" in told["message"]
        assert cell.condition("Accepted")["reason"] == "TooFewZones"
        assert cell.condition("Available")["status"] == "True"
        assert {pod["metadata"]["uid"] for pod in cell.all("Pod")} == pods
        assert cell.etcd.story == []
        await open_zone(client, ZONES[-1])
        await until_scaled(cell, "ha")


async def test_a_pause_stops_it_where_it_is_and_it_goes_on_from_there(wide: Cell) -> None:
    cell = wide
    async with cell.operator(haste=HASTE):
        await cell.declare()
        await cell.until_ready()
        cell.kubelet.behave("hold", "demo-etcd-1")
        await cell.set_spec(topology="ha")
        await cell.kubelet.until(lambda: cell.find("Pod", "demo-etcd-1"), "the second member comes")
        await cell.set_spec(paused=True)
        await cell.until_condition("Scaled", "Paused")
        cell.kubelet.behave("run", "demo-etcd-1")
        await cell.set_spec(topology="single", paused=False)
        await until_scaled(cell, "single")
    assert list(claims(cell)) == ["data-demo-etcd-0"]
