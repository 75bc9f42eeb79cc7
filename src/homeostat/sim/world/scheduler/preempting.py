"""Whom to send away so that a more important Pod fits: as few as can be, the least important, and against no budget.

Tries it out on the estate: takes the less important Pods of a Node away, looks, and puts back whom it can, the most
important and those whose budget forbids it first. When it returns, the estate is as it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from homeostat.sim.apiserver.selecting.labels import Requirements, selects
from homeostat.sim.world.scheduler.asking import Ask
from homeostat.sim.world.scheduler.choosing import Fitting, Unfit, fitting
from homeostat.sim.world.scheduler.estate import Estate, Room
from homeostat.sim.world.scheduler.filters.volumes import Stock, Unready

NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"
NEVER = "not eligible due to preemptionPolicy=Never."
UNDER_WAY = "not eligible due to a terminating pod on the nominated node."
CANDIDATES = 100  # Nodes that are compared at most


class Budget(Struct, frozen=True):
    """What one disruption budget still allows."""

    namespace: str
    selector: Requirements
    allowed: int

    def covers(self, ask: Ask) -> bool:
        """Whether a Pod is counted by it."""
        return ask.namespace == self.namespace and selects(self.selector, ask.labels)


class Preemption(Struct, frozen=True):
    """Who is to go from which Node."""

    node: str
    victims: tuple[Ask, ...]


class Futile(Struct, frozen=True):
    """Why sending Pods away would not help: in one word, or by how many Nodes have which reason."""

    why: str = ""
    counts: Counter[str] = Counter()


class _Candidate(Struct, frozen=True):
    preemption: Preemption
    violations: int


def preempt(ask: Ask, unfit: Unfit, estate: Estate, stock: Stock, budgets: Sequence[Budget]) -> Preemption | Futile:
    """Whom to send away for a Pod that fits nowhere."""
    if not ask.preempts:
        return Futile(NEVER)
    if _is_under_way(ask, estate):
        return Futile(UNDER_WAY)
    hopeless = sum(each.is_final for each in unfit.refused.values()) + unfit.unnamed
    counts = Counter({NOT_HELPFUL: unfit.nodes if unfit.unready else hopeless})
    prepared = fitting(ask, estate, stock)
    if unfit.unready or isinstance(prepared, Unready):
        return Futile(counts=+counts)
    rooms = [estate.rooms[name] for name, each in unfit.refused.items() if not each.is_final]
    found = list[_Candidate]()
    if min(estate.priorities, default=ask.priority) >= ask.priority:
        counts[NO_VICTIMS] += len(rooms)
        rooms = []
    for room in rooms:
        candidate = _candidate(prepared, room, budgets)
        if isinstance(candidate, _Candidate):
            found.append(candidate)
            if len(found) == CANDIDATES:
                break
        else:
            counts.update(candidate)
    return _best(found).preemption if found else Futile(counts=+counts)


def _is_under_way(ask: Ask, estate: Estate) -> bool:
    room = estate.rooms.get(ask.nominated)
    return room is not None and any(each.is_ending and each.priority < ask.priority for each in room.tenants.values())


def _candidate(prepared: Fitting, room: Room, budgets: Sequence[Budget]) -> _Candidate | tuple[str, ...]:
    """Who would have to go from a Node, or why it would not help."""
    ask, estate = prepared.ask, prepared.estate
    lesser = [each for each in room.tenants.values() if each.priority < ask.priority]
    if not lesser:
        return (NO_VICTIMS,)
    victims = dict[str, Ask]()
    for each in lesser:
        estate.let_go(each.key)
        victims[each.key] = each
    try:
        why = prepared.refusal(room)
        if why is not None:
            return why.reasons
        guarded, others = _split(lesser, budgets)
        violations = 0
        for group in (guarded, others):
            for each in group:
                estate.take_in(each, room.name)
                if prepared.refusal(room) is None:
                    del victims[each.key]
                    continue
                estate.let_go(each.key)
                violations += group is guarded
    finally:
        for each in victims.values():
            estate.take_in(each, room.name)
    ordered = tuple(sorted(victims.values(), key=_importance))
    return _Candidate(Preemption(room.name, ordered), violations)


def _split(pods: list[Ask], budgets: Sequence[Budget]) -> tuple[list[Ask], list[Ask]]:
    """Those whose going would break a budget, and the others; the most important first."""
    left = [each.allowed for each in budgets]
    guarded, others = list[Ask](), list[Ask]()
    for pod in sorted(pods, key=_importance):
        covering = [at for at, each in enumerate(budgets) if each.covers(pod)]
        for at in covering:
            left[at] -= 1
        (guarded if any(left[at] < 0 for at in covering) else others).append(pod)
    return guarded, others


def _importance(ask: Ask) -> tuple[int, float, str]:
    return -ask.priority, ask.started, ask.key


def _best(found: list[_Candidate]) -> _Candidate:
    """As kube-scheduler compares: budgets, the highest priority that goes, their sum, their number, and how young."""

    def cost(each: _Candidate) -> tuple[int, int, int, int, float]:
        victims = each.preemption.victims
        if not victims:
            return each.violations, -(2**31), 0, 0, 0.0
        highest = victims[0].priority
        oldest = min(victim.started for victim in victims if victim.priority == highest)
        total = sum(victim.priority + 2**31 for victim in victims)
        return each.violations, highest, total, len(victims), -oldest

    return min(found, key=cost)
