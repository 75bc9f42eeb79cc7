"""What a filter is, and what it answers."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from homeostat.sim.world.scheduler.estate import Room


class Refusal(Struct, frozen=True):
    """Why a Node will not do."""

    by: str  # the filter
    reasons: tuple[str, ...]
    is_final: bool = False  # whether it would not do either if nobody else stood there


Filter = Callable[[Room], Refusal | None]
