"""Every built-in type that is imitated and has columns of its own has cells for them."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.support.clock import ManualClock
from tests.support.simulated import simulated_server

from homeostat.sim.apiserver.printing.cells.kinds import CELLS, dated
from homeostat.sim.apiserver.printing.columns import built_in
from homeostat.sim.apiserver.types.builtin import NotImitated


def test_an_object_of_nothing_fills_every_column() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for type_ in simulated_server(ManualClock()).types:
        if not isinstance(type_.strategy, NotImitated):
            cells = CELLS.get(type_.collection, dated)({"metadata": {}, "spec": {}}, now)
            unnamed = type_.resource.kind == "IPAddress"  # the real server sends its age under no column
            assert len(cells) == len(built_in(type_.collection)) + unnamed, type_.qualified
