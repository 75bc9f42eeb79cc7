"""How many Pods stand where: counts that follow every change, so that nobody walks over Pods to decide.

A tally counts the Pods of one scope by Node. A ground says in which domain (a zone, a host, ...) each Node lies that
counts at all; on a ground a tally has counts by domain, and the least of them, at no cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, Protocol, TypeVar

from homeostat.sim.world.scheduler.terms import Scope


class Ground:
    """The domains of those Nodes that count."""

    __slots__ = ("domain_of", "domains")

    def __init__(self, domain_of: Mapping[str, str]) -> None:
        self.domain_of = domain_of
        self.domains = dict.fromkeys(domain_of.values())


class Counts:
    """Counts by domain; domains without any are not kept, but known to the ground."""

    __slots__ = ("_domains", "_levels", "_lowest", "by_domain", "total")

    def __init__(self, domains: int) -> None:
        self._domains = domains
        self.by_domain: dict[str, int] = {}
        self._levels: dict[int, int] = {}  # how many domains have a count
        self._lowest = 0
        self.total = 0

    def add(self, domain: str, amount: int) -> None:
        """So many more, or fewer."""
        before = self.by_domain.get(domain, 0)
        after = before + amount
        self.total += amount
        if before:
            self._levels[before] -= 1
            if not self._levels[before]:
                del self._levels[before]
        if after:
            self.by_domain[domain] = after
            self._levels[after] = self._levels.get(after, 0) + 1
            self._lowest = min(self._lowest, after)
        else:
            del self.by_domain[domain]

    def get(self, domain: str) -> int:
        """How many stand in a domain."""
        return self.by_domain.get(domain, 0)

    def least(self) -> int:
        """The count of the domain that has the fewest."""
        if len(self.by_domain) < self._domains or not self._levels:
            return 0
        while self._lowest not in self._levels:  # it moves up by what was added, and down at once
            self._lowest += 1
        return self._lowest


class Tally:
    """How many Pods of a scope, or what weight of them, each Node has."""

    __slots__ = ("_counts", "_with_ending", "by_node", "scope")

    def __init__(self, scope: Scope, *, with_ending: bool = True) -> None:
        self.scope = scope
        self._with_ending = with_ending
        self.by_node: dict[str, int] = {}
        self._counts: dict[Ground, Counts] = {}

    def counts(self, is_ending: bool) -> bool:
        """Whether a Pod counts: one that is about to go may be none any more."""
        return self._with_ending or not is_ending

    def add(self, node: str, amount: int) -> None:
        """So many more on a Node, or fewer."""
        after = self.by_node.get(node, 0) + amount
        if after:
            self.by_node[node] = after
        else:
            self.by_node.pop(node, None)
        for ground, counts in self._counts.items():
            domain = ground.domain_of.get(node)
            if domain is not None:
                counts.add(domain, amount)

    def on(self, ground: Ground) -> Counts:
        """The counts by the domains of a ground."""
        counts = self._counts.get(ground)
        if counts is None:
            counts = Counts(len(ground.domains))
            for node, amount in self.by_node.items():
                domain = ground.domain_of.get(node)
                if domain is not None:
                    counts.add(domain, amount)
            self._counts[ground] = counts
        return counts

    def forget_grounds(self) -> None:
        """Nodes lie elsewhere now."""
        self._counts.clear()


class Scoped(Protocol):
    """Anything about the Pods of a scope."""

    scope: Scope


S = TypeVar("S", bound=Scoped)


class Scopes(Generic[S]):
    """What is about a Pod, found by the Pod's labels and not by asking everything."""

    def __init__(self, namespaces: Mapping[str, Mapping[str, str]]) -> None:
        self._namespaces = namespaces
        self._by_label: dict[tuple[str, str], dict[S, None]] = {}
        self._others: dict[S, None] = {}

    def add(self, item: S) -> None:
        """Let an item be found."""
        for shelf in self._shelves(item.scope):
            shelf[item] = None

    def remove(self, item: S) -> None:
        """Let it be found no more."""
        self._others.pop(item, None)
        for each in item.scope.selector:
            for value in each.values:
                shelf = self._by_label.get((each.key, value))
                if shelf is not None:
                    shelf.pop(item, None)
                    if not shelf:
                        del self._by_label[each.key, value]

    def about(self, namespace: str, labels: Mapping[str, str]) -> Iterator[S]:
        """The items whose scope has such a Pod."""
        of_namespace = self._namespaces.get(namespace, {})
        shelves = [shelf for pair in labels.items() if (shelf := self._by_label.get(pair))]
        for shelf in (*shelves, self._others):
            for item in list(shelf):
                if item.scope.has(namespace, labels, of_namespace):
                    yield item

    def _shelves(self, scope: Scope) -> list[dict[S, None]]:
        """Under the label that says most: the one under which the fewest others are."""
        named = [each for each in scope.selector if each.operator == "in"]
        if not named:
            return [self._others]
        best = min(named, key=lambda each: sum(len(self._by_label.get((each.key, v), ())) for v in each.values))
        return [self._by_label.setdefault((best.key, value), {}) for value in dict.fromkeys(best.values)]
