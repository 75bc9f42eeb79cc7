"""How many Nodes may be given up how soon. A zone where much is ill at once is more likely cut off than dead.

Each zone gives up one Node in ten seconds; where more than half of a large zone is ill, one in a hundred; where that is
so in a small one, none. When no zone has a Node that is well, nobody is given up: it is not the Nodes that are ill.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from homeostat.sim.world.controllers.nodes.settings import NodeSettings

_FEW = 2  # so many ill Nodes are never a disruption of their zone


class Zone(Struct):
    """How its Nodes are."""

    well: int = 0
    ill: int = 0


def rate(zone: Zone, zones: Mapping[str, Zone], settings: NodeSettings) -> float:
    """How many Nodes a zone may give up in a second."""
    if all(_is_lost(each) for each in zones.values()):
        return 0.0
    if not _is_lost(zone) and zone.ill > _FEW and zone.ill / (zone.well + zone.ill) >= settings.unhealthy_share:
        return settings.slow_evictions_per_s if zone.well + zone.ill > settings.large_zone else 0.0
    return settings.evictions_per_s


def _is_lost(zone: Zone) -> bool:
    return zone.ill > 0 and not zone.well


class Pace:
    """When a zone gave up a Node last."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def wait_s(self, zone: str, per_s: float, now: float) -> float | None:
        """How long a Node of a zone must wait for its turn; zero takes it, None means until something changes."""
        if per_s <= 0:
            return None
        left = self._last.get(zone, now - 1 / per_s) + 1 / per_s - now
        if left <= 0:
            self._last[zone] = now
        return max(0.0, left)
