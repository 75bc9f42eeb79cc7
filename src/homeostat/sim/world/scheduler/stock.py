"""Volumes, claims and classes as the scheduler's caches have them, and what it has promised since."""

from __future__ import annotations

from collections.abc import Iterable

from homeostat.runtime.store import Store
from homeostat.sim.world.kinds.volumes import Claim, PersistentVolume, StorageClass
from homeostat.sim.world.scheduler.filters.volumes import Promise

FREE = "free"


def free_of_class(volume: PersistentVolume) -> tuple[str, ...]:
    """An index: the class of a volume that no claim has."""
    return (volume.spec.storage_class_name,) if volume.spec.claim_ref is None else ()


class Shelves:
    """The stock, from caches."""

    def __init__(self, claims: Store[Claim], volumes: Store[PersistentVolume], classes: Store[StorageClass]) -> None:
        self._claims = claims
        self._volumes = volumes
        self._classes = classes
        self._promised: dict[str, str] = {}  # volume to Pod
        volumes.add_index(FREE, free_of_class)

    def claim(self, key: str) -> Claim | None:
        """A claim."""
        return self._claims.get(key)

    def volume(self, name: str) -> PersistentVolume | None:
        """A volume."""
        return self._volumes.get(name)

    def storage_class(self, name: str) -> StorageClass | None:
        """A class."""
        return self._classes.get(name)

    def free(self, class_name: str) -> Iterable[PersistentVolume]:
        """Volumes of a class that no claim has, nor is promised."""
        found = self._volumes.by_index(FREE, class_name)
        return [each for each in found if each.metadata.name not in self._promised and each.status.phase == "Available"]

    def promise(self, pod: str, promises: Iterable[Promise]) -> None:
        """Volumes that a Pod's claims shall get."""
        for each in promises:
            if each.volume:
                self._promised[each.volume] = pod

    def take_back(self, pod: str) -> None:
        """Promises of a Pod that are kept, or void."""
        for name in [name for name, owner in self._promised.items() if owner == pod]:
            del self._promised[name]
