"""Which of the Nodes on which a Pod fits is the best: kube-scheduler's default scores with their default weights.

Each score gives 0 to 100 to every Node. Not imitated: that images are there already.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from homeostat.sim.world.scheduler.amounts import CPU, MEMORY
from homeostat.sim.world.scheduler.asking import HOST, Ask, Spread
from homeostat.sim.world.scheduler.estate import Estate, Room
from homeostat.sim.world.scheduler.filters.neighbours import counts_on, ground_key
from homeostat.sim.world.scheduler.tallies import Counts
from homeostat.sim.world.scheduler.terms import term_holds, tolerates

_FULL = 100.0
Scores = list[float]


def scored(ask: Ask, rooms: Sequence[Room], estate: Estate) -> Scores:
    """The sum of all weighted scores, for each Node."""
    total = [_room_left(ask, room) + _balance(ask, room) for room in rooms]
    parts: list[tuple[float, Scores | None]] = [
        (3, _taints(ask, rooms)),
        (2, _preferred(ask, rooms)),
        (2, _evenness(ask, rooms, estate)),
        (2, _company(ask, rooms, estate)),
    ]
    for weight, scores in parts:
        if scores is not None:
            total = [sum_ + weight * score for sum_, score in zip(total, scores, strict=True)]
    return total


def _room_left(ask: Ask, room: Room) -> float:
    """The share of CPU and memory that would be left."""
    return sum(max(0.0, 1 - each) * _FULL for each in _shares(ask, room)) / 2


def _balance(ask: Ask, room: Room) -> float:
    """How alike the shares of CPU and memory would be that are taken."""
    cpu, memory = (min(1.0, each) for each in _shares(ask, room))
    return (1 - abs(cpu - memory) / 2) * _FULL


def _shares(ask: Ask, room: Room) -> tuple[float, float]:
    has, (cpu, memory) = room.allocatable, room.weighed
    return (
        (cpu + ask.weighed[0]) / has[CPU] if has.get(CPU) else 1.0,
        (memory + ask.weighed[1]) / has[MEMORY] if has.get(MEMORY) else 1.0,
    )


def _taints(ask: Ask, rooms: Sequence[Room]) -> Scores | None:
    """The fewer taints a Node has that would rather not have the Pod."""
    counts = [_unborne(ask, room) for room in rooms]
    most = max(counts)
    return [_FULL * (most - each) / most for each in counts] if most else None


def _unborne(ask: Ask, room: Room) -> int:
    taints = room.node.spec.taints if room.node is not None else ()
    return sum(each.effect == "PreferNoSchedule" and not tolerates(ask.tolerations, each) for each in taints)


def _preferred(ask: Ask, rooms: Sequence[Room]) -> Scores | None:
    """What of the Pod's preferences for Nodes holds."""
    if not ask.preferred:
        return None
    sums = [sum(weight for weight, term in ask.preferred if term_holds(term, room.name, room.labels)) for room in rooms]
    most = max(sums)
    return [_FULL * each / most for each in sums] if most > 0 else None


def _evenness(ask: Ask, rooms: Sequence[Room], estate: Estate) -> Scores | None:
    """How few Pods of its kind stand in the domains of a Node."""
    if not ask.soft:
        return None
    sums: list[float | None] = [0.0] * len(rooms)
    for spread in ask.soft:
        counts, weight = _domain_counts(ask, spread, rooms, estate)
        for at, room in enumerate(rooms):
            domain, before = room.labels.get(spread.near.key), sums[at]
            if domain is None or before is None:
                sums[at] = None
            else:
                sums[at] = before + counts.get(domain) * weight + (spread.max_skew - 1)
    known = [each for each in sums if each is not None]
    if not known:
        return None
    least, most = round(min(known)), round(max(known))
    if not most:
        return [0.0 if each is None else _FULL for each in sums]
    return [0.0 if each is None else _FULL * (most + least - round(each)) / most for each in sums]


def _domain_counts(ask: Ask, spread: Spread, rooms: Sequence[Room], estate: Estate) -> tuple[Counts, float]:
    ground = estate.ground(ground_key(ask, spread, ()))
    counts = estate.tally(spread.near.scope, with_ending=False).on(ground)
    domains = len(rooms) if spread.near.key == HOST else len(ground.domains)
    return counts, math.log(domains + 2)


def _company(ask: Ask, rooms: Sequence[Room], estate: Estate) -> Scores | None:
    """How many Pods are near that this one is drawn to, or that are drawn to it."""
    parts = [
        (near.key, weight, counts_on(estate, estate.tally(near.scope, with_ending=True), near.key))
        for weight, near in ask.drawn
    ]
    parts += [(key, 1, counts_on(estate, tally, key)) for key, tally in estate.bonds(ask, "drawn")]
    if not any(counts.by_domain for _, _, counts in parts):
        return None
    sums = [
        sum(weight * counts.get(room.labels[key]) for key, weight, counts in parts if key in room.labels)
        for room in rooms
    ]
    least, most = min(sums), max(sums)
    return [_FULL * (each - least) / (most - least) for each in sums] if most > least else None
