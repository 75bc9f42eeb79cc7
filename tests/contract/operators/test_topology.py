"""Highly available masters: refused where there is no room for them, made and kept where there is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.support.cells import Cell, close_zones, open_zone

from homeostat.kube.client import Client


@pytest.fixture
async def empty_cell(cell: Cell, client: Client) -> AsyncIterator[Cell]:
    """A cell whose hosts the test makes."""
    yield cell
    await close_zones(client)


async def test_it_waits_for_zones_and_begins_when_the_last_one_opens(empty_cell: Cell, client: Client) -> None:
    cell = empty_cell
    await open_zone(client, "a")
    async with cell.operator():
        await cell.declare(topology="ha")
        told = await cell.until_condition("Accepted", "TooFewZones")
        assert "in 3 zones of the cell, found 1 (a)" in told["message"]
        assert cell.all("Secret") == []
        assert cell.all("Service") == []
        await open_zone(client, "b")
        await open_zone(client, "c")
        status = await cell.until_ready()
    assert {each["name"]: each["ready"] for each in status["components"]} == {
        "etcd": 3,
        "kube-apiserver": 2,
        "kube-controller-manager": 2,
        "kube-scheduler": 2,
    }
    assert len(cell.all("PersistentVolumeClaim")) == 3


async def test_losing_one_of_everything_leaves_it_available(tall: Cell) -> None:
    cell = tall
    async with cell.operator():
        await cell.declare(topology="ha")
        await cell.until_ready()
        cell.kubelet.behave("start", "demo-etcd-1")
        told = await cell.until_condition("EtcdReady", "Progressing")
        assert "demo-etcd-1" in told["message"]
        assert cell.condition("Available")["status"] == "True"
        assert cell.condition("Ready")["status"] == "False"
        assert cell.status()["phase"] == "Degraded"
        cell.kubelet.behave("run", "demo-etcd-1")
        await cell.until_ready()
