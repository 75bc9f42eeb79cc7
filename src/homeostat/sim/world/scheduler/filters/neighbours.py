"""Who else stands there, or near: even spreading, and terms of affinity of this Pod and of others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from homeostat.sim.world.scheduler.asking import Ask, Spread
from homeostat.sim.world.scheduler.estate import Estate, GroundKey, Room
from homeostat.sim.world.scheduler.filters.filter import Filter, Refusal
from homeostat.sim.world.scheduler.tallies import Counts, Tally
from homeostat.sim.world.scheduler.terms import Near

SPREAD, AFFINITY = "PodTopologySpread", "InterPodAffinity"
UNEVEN = Refusal(SPREAD, ("node(s) didn't match pod topology spread constraints",))
NO_DOMAIN = Refusal(SPREAD, ("node(s) didn't match pod topology spread constraints (missing required label)",), True)
NOT_NEAR = Refusal(AFFINITY, ("node(s) didn't match pod affinity rules",), is_final=True)
TOO_NEAR = Refusal(AFFINITY, ("node(s) didn't match pod anti-affinity rules",))
UNWELCOME = Refusal(AFFINITY, ("node(s) didn't satisfy existing pods anti-affinity rules",))


def of_neighbours(ask: Ask, estate: Estate) -> Iterator[Filter]:
    """The filters that look at other Pods, in the order of kube-scheduler."""
    if ask.hard:
        yield _spread(ask, estate)
    bonds = [(key, tally, counts_on(estate, tally, key)) for key, tally in estate.bonds(ask, "apart")]
    if ask.with_ or ask.away or bonds:
        yield _affinity(ask, estate, bonds)


def ground_key(ask: Ask, spread: Spread, all_of: tuple[str, ...]) -> GroundKey:
    """Which Nodes count for a constraint of evenness."""
    key = GroundKey(spread.near.key, all_of)
    if spread.honors_place and not ask.place.is_anywhere:
        key = GroundKey(key.key, all_of, ask.place)
    if spread.honors_taints:
        key = GroundKey(key.key, all_of, key.place, ask.tolerations)
    return key


def counts_on(estate: Estate, tally: Tally, key: str) -> Counts:
    """A tally's counts over all Nodes that have a label."""
    return tally.on(estate.ground(GroundKey(key)))


def _spread(ask: Ask, estate: Estate) -> Filter:
    all_of = tuple(sorted({each.near.key for each in ask.hard}))
    prepared: list[tuple[Spread, Counts, int]] = []
    for each in ask.hard:
        ground = estate.ground(ground_key(ask, each, all_of))
        counts = estate.tally(each.near.scope, with_ending=False).on(ground)
        prepared.append((each, counts, len(ground.domains)))

    def uneven(room: Room) -> Refusal | None:
        for spread, counts, domains in prepared:
            domain = room.labels.get(spread.near.key)
            if domain is None:
                return NO_DOMAIN
            least = 0 if domains < spread.min_domains else counts.least()
            if counts.get(domain) + spread.counts_itself - least > spread.max_skew:
                return UNEVEN
        return None

    return uneven


def _affinity(ask: Ask, estate: Estate, bonds: Sequence[tuple[str, Tally, Counts]]) -> Filter:
    wanted = [(each.key, _counts(estate, each)) for each in ask.with_]
    unwanted = [(each.key, _counts(estate, each)) for each in ask.away]
    is_own_kind = all(each.scope.has(ask.namespace, ask.labels, _labels(estate, ask)) for each in ask.with_)

    def apart(room: Room) -> Refusal | None:
        labels = room.labels
        if wanted:
            if any(key not in labels for key, _ in wanted):
                return NOT_NEAR
            is_near = all(counts.get(labels[key]) > 0 for key, counts in wanted)
            # The first of a kind that wants to be near its kind may stand anywhere.
            if not is_near and not (is_own_kind and not any(counts.total for _, counts in wanted)):
                return NOT_NEAR
        if any(key in labels and counts.get(labels[key]) > 0 for key, counts in unwanted):
            return TOO_NEAR
        if any(key in labels and counts.get(labels[key]) > 0 for key, _, counts in bonds):
            return UNWELCOME
        return None

    return apart


def _counts(estate: Estate, near: Near) -> Counts:
    return counts_on(estate, estate.tally(near.scope, with_ending=True), near.key)


def _labels(estate: Estate, ask: Ask) -> dict[str, str]:
    return dict(estate.namespaces.get(ask.namespace, {}))
