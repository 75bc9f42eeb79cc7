"""Numbers that may be parts of other numbers. Pure."""

from __future__ import annotations

from homeostat.sim.world.kinds.workloads import Share


def scaled(share: Share, whole: int, *, up: bool) -> int:
    """A number, or so many percent of a whole, rounded up or down."""
    if isinstance(share, int):
        return share
    percent = int(share.removesuffix("%"))
    return -(-percent * whole // 100) if up else percent * whole // 100


def fenceposts(max_surge: Share, max_unavailable: Share, wanted: int) -> tuple[int, int]:
    """How many Pods there may be more, and how many less; both nothing would be a standstill."""
    surge, unavailable = scaled(max_surge, wanted, up=True), scaled(max_unavailable, wanted, up=False)
    return surge, unavailable if surge or unavailable else 1
