"""Where disks lie: on a host, or beyond all hosts. What lies on a host goes when its disks are wiped."""

from __future__ import annotations

from homeostat.sim.world.hosts.containers import Disk


class Shelf:
    """Disks by the name of their volume, and by parts of it."""

    def __init__(self) -> None:
        self._disks: dict[str, dict[str, Disk]] = {}

    def of(self, volume: str, part: str = "") -> Disk:
        """A disk, empty if nobody had it before."""
        return self._disks.setdefault(volume, {}).setdefault(part, Disk())

    def drop(self, volume: str) -> None:
        """Forget a volume with all that is on it."""
        self._disks.pop(volume, None)

    def wipe(self) -> None:
        """Lose everything, also under those who have a disk open."""
        for parts in self._disks.values():
            for disk in parts.values():
                disk.content.clear()
        self._disks.clear()
