"""A Cluster that is declared comes to be."""

from __future__ import annotations

import pytest
from tests.contract.operators.conftest import Cell

pytestmark = pytest.mark.real


async def test_a_declared_cluster_becomes_ready(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare()
        status = await cell.until_ready()
    assert status["kubernetesVersion"] == "v1.35.4"
