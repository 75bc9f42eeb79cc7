"""The clusters of etcd that there are, by what they were begun with: how first members find each other.

A cluster is here for as long as a disk or a member knows it. Who begins with an empty disk what was begun before, by
the same members and the same token, is one of those members again: that is how etcd works it out, too.
"""

from __future__ import annotations

from weakref import WeakValueDictionary

from homeostat.sim.world.programs.etcd.quorum import Quorum


class Clusters:
    """By their id. Holds none of them."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[int, Quorum] = WeakValueDictionary()

    def find(self, number: int) -> Quorum | None:
        """A cluster that was begun."""
        return self._known.get(number)

    def begin(self, quorum: Quorum) -> Quorum:
        """A cluster that is begun now."""
        self._known[quorum.id] = quorum
        return quorum
