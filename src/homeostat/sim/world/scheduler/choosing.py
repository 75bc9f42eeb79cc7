"""Where a Pod is to stand, or why nowhere: looks at the estate and changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from homeostat.kit.random import Random
from homeostat.sim.world.scheduler.asking import Ask
from homeostat.sim.world.scheduler.estate import Estate, Room
from homeostat.sim.world.scheduler.filters.filter import Filter, Refusal
from homeostat.sim.world.scheduler.filters.neighbours import of_neighbours
from homeostat.sim.world.scheduler.filters.nodes import of_nodes
from homeostat.sim.world.scheduler.filters.volumes import Promise, Stock, Unready, Volumes, volumes_of
from homeostat.sim.world.scheduler.scores import scored

COMPARED = 100  # Nodes on which a Pod fits, at most
_NOT_NAMED = "node(s) didn't satisfy plugin(s) [NodeAffinity]"


class Chosen(Struct, frozen=True):
    """A Node, and what is to be done for the Pod's volumes first."""

    node: str
    promises: tuple[Promise, ...] = ()


class Unfit(Struct, frozen=True):
    """Why no Node will do."""

    nodes: int
    unready: str = ""  # why Nodes were not even looked at
    refused: dict[str, Refusal] = {}  # by Node
    unnamed: int = 0  # Nodes that were left out because the Pod names others

    def counts(self) -> Counter[str]:
        """How many Nodes have which reason."""
        found = Counter(reason for refusal in self.refused.values() for reason in refusal.reasons)
        if self.unnamed:
            found[_NOT_NAMED] = self.unnamed
        return found

    def by(self) -> frozenset[str]:
        """The filters that refused."""
        return frozenset(each.by for each in self.refused.values())


class Fitting(Struct, frozen=True):
    """The filters of one Pod, prepared."""

    ask: Ask
    filters: tuple[Filter, ...]
    volumes: Volumes
    estate: Estate

    def refusal(self, room: Room) -> Refusal | None:
        """Why a Node will not do, as it is and with those for whom it is being cleared."""
        coming = self._coming(room)
        for each in coming:
            self.estate.take_in(each, room.name)
        try:
            found = self._refusal(room)
        finally:
            for each in coming:
                self.estate.let_go(each.key)
        return found if found is not None or not coming else self._refusal(room)

    def _refusal(self, room: Room) -> Refusal | None:
        for each in self.filters:
            found = each(room)
            if found is not None:
                return found
        return None

    def _coming(self, room: Room) -> list[Ask]:
        ask, of_node = self.ask, self.estate.nominated.get(room.name)
        if not of_node:
            return []
        return [each for each in of_node.values() if each.priority >= ask.priority and each.key != ask.key]


def fitting(ask: Ask, estate: Estate, stock: Stock) -> Fitting | Unready:
    """Prepare the filters of a Pod."""
    volumes = volumes_of(ask, stock) if ask.claims else Volumes()
    if isinstance(volumes, Unready):
        return volumes
    filters = [*of_nodes(ask)]
    if ask.claims:
        filters.append(lambda room: volumes.check(room, stock))
    return Fitting(ask, (*filters, *of_neighbours(ask, estate)), volumes, estate)


def choose(ask: Ask, estate: Estate, stock: Stock, random: Random, start: int = 0) -> tuple[Chosen | Unfit, int]:
    """The best of the Nodes that fit, looked for from a place in their order; and where to go on from."""
    prepared = fitting(ask, estate, stock)
    if isinstance(prepared, Unready):
        return Unfit(len(estate.order), unready=prepared.why), start
    refused: dict[str, Refusal] = {}
    rooms = _named(ask, estate)
    fitting_rooms, looked = _first_fitting(prepared, _from(rooms, start), refused)
    if not fitting_rooms:
        return Unfit(len(estate.order), refused=refused, unnamed=len(estate.order) - len(rooms)), start
    best = _best(ask, fitting_rooms, estate, random)
    promises = prepared.volumes.promises(best, stock) or ()
    return Chosen(best.name, promises), (start + looked) % max(1, len(estate.order))


def _named(ask: Ask, estate: Estate) -> Sequence[Room]:
    names = ask.place.names()
    if names is None:
        return estate.order
    return [room for name in names if (room := estate.rooms.get(name)) is not None and room.node is not None]


def _from(rooms: Sequence[Room], start: int) -> Iterable[Room]:
    count = len(rooms)
    return (rooms[(start + at) % count] for at in range(count))


def _first_fitting(prepared: Fitting, rooms: Iterable[Room], refused: dict[str, Refusal]) -> tuple[list[Room], int]:
    found, looked = list[Room](), 0
    nominated = prepared.estate.rooms.get(prepared.ask.nominated)
    if nominated is not None and nominated.node is not None and prepared.refusal(nominated) is None:
        return [nominated], 0
    for room in rooms:
        looked += 1
        why = prepared.refusal(room)
        if why is not None:
            refused[room.name] = why
            continue
        found.append(room)
        if len(found) == COMPARED:
            break
    return found, looked


def _best(ask: Ask, rooms: list[Room], estate: Estate, random: Random) -> Room:
    """One of the best; chance decides among equals, so that they fill up alike."""
    if len(rooms) == 1:
        return rooms[0]
    scores = [round(each) for each in scored(ask, rooms, estate)]
    most = max(scores)
    best = [room for room, score in zip(rooms, scores, strict=True) if score == most]
    return best[random.randrange(0, len(best))]
