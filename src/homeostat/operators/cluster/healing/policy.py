"""How careful healing is, and how patient."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from homeostat.operators.cluster.healing.cell import CellPolicy

SLOW_S = 2.0  # an API server of the cell that takes so long for two reads is not one to judge others by


class Policy(Struct, frozen=True):
    """Fixed, so that nobody has to choose; what clusters may differ in stands in their spec."""

    cell: CellPolicy = CellPolicy()
    turn: timedelta = timedelta(minutes=1)  # between two checks of API servers of one cluster while nothing looks odd
    again: timedelta = timedelta(seconds=2)  # while something does
    slowly: timedelta = timedelta(seconds=15)  # when that goes on for long, or the cell is frozen
    settling: timedelta = timedelta(minutes=3)  # that a container may take to start
    unready_for: timedelta = timedelta(seconds=10)  # that a kubelet must have found it so, when a check agrees
    hung_for: timedelta = timedelta(seconds=30)  # that a ready API server fails its checks while another one does not
    lone_for: timedelta = timedelta(minutes=2)  # the same when there is no other one to compare it with
    stale_for: timedelta = timedelta(seconds=60)  # that nobody renews the Lease of a leader
    lost_for: timedelta = timedelta(minutes=5)  # that a Pod on a host that is away cannot be let go in peace
