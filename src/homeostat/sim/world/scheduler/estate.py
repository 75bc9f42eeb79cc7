"""What stands where: Nodes with what each has left, and counts of Pods, kept up change by change.

Everything here is true of one moment; who decides may take a Pod out and put it back to see what would be then.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from homeostat.sim.world.kinds.nodes import Node
from homeostat.sim.world.kinds.pods import Toleration
from homeostat.sim.world.scheduler.amounts import PODS, Amounts, amounts
from homeostat.sim.world.scheduler.asking import ANY_ADDRESS, Ask, Port
from homeostat.sim.world.scheduler.tallies import Ground, Scopes, Tally
from homeostat.sim.world.scheduler.terms import Near, Place, Scope, unborne

Bond = Literal["apart", "drawn"]
TALLIES = 8192  # kept at most; one that was dropped is counted again when it is asked for
LOOSE = 256
_DRIVES = ("NoSchedule", "NoExecute")


class Room:
    """A Node, what is on it, and what is left."""

    __slots__ = ("allocatable", "labels", "name", "node", "ports", "taken", "tenants", "weighed")

    def __init__(self, name: str) -> None:
        self.name = name
        self.node: Node | None = None  # Pods may be heard of before their Node, and stay when it is gone
        self.labels: Mapping[str, str] = {}
        self.allocatable: Amounts = {}
        self.taken: Amounts = {}
        self.weighed = (0, 0)
        self.tenants: dict[str, Ask] = {}
        self.ports: Counter[Port] = Counter()

    def put(self, node: Node) -> None:
        """It is, and has, this."""
        self.node, self.labels = node, node.metadata.labels
        self.allocatable = amounts(node.status.allocatable)

    def count(self, ask: Ask, sign: int) -> None:
        """A Pod comes, or goes."""
        taken = self.taken
        for name, amount in ask.amounts.items():
            taken[name] = taken.get(name, 0) + sign * amount
        self.weighed = (self.weighed[0] + sign * ask.weighed[0], self.weighed[1] + sign * ask.weighed[1])
        for port in ask.ports:
            self.ports[port] += sign
            if not self.ports[port]:
                del self.ports[port]

    def lacks(self, ask: Ask) -> list[str]:
        """What there is too little of for one more Pod."""
        allocatable, taken = self.allocatable, self.taken
        found = [name for name, amount in ask.amounts.items() if amount > allocatable.get(name, 0) - taken.get(name, 0)]
        if len(self.tenants) + 1 > allocatable.get(PODS, 0):
            found.append(PODS)
        return found

    def has_port(self, port: Port) -> bool:
        """Whether somebody has taken a port, on that address or on all."""
        address, protocol, number = port
        if address != ANY_ADDRESS:
            return port in self.ports or (ANY_ADDRESS, protocol, number) in self.ports
        return any(each[1:] == (protocol, number) for each in self.ports)


class _Bonds:
    """Terms of Pods that stand somewhere, counted like Pods: which may not, or would rather, have others near."""

    def __init__(self, near: Near, bond: Bond) -> None:
        self.scope, self.near, self.bond = near.scope, near, bond
        self.tally = Tally(near.scope)


class GroundKey(Struct, frozen=True):
    """Which Nodes count, and by what label."""

    key: str
    all_of: tuple[str, ...] = ()  # labels that a Node must have to count at all
    place: Place = Place()
    tolerations: tuple[Toleration, ...] | None = None  # None: taints do not matter


class Estate:
    """All that a scheduler knows of a cluster."""

    def __init__(self) -> None:
        self.rooms: dict[str, Room] = {}
        self.order: list[Room] = []  # those with a Node
        self.homes: dict[str, str] = {}  # Pod to Node
        self.namespaces: dict[str, Mapping[str, str]] = {}
        self.nominated: dict[str, dict[str, Ask]] = {}  # Node to Pods that shall get what was cleared for them
        self.priorities: Counter[int] = Counter()
        self._by_label: dict[tuple[str, str], dict[str, None]] = {}
        self._tallies: OrderedDict[tuple[Scope, bool], Tally] = OrderedDict()
        self._scopes: Scopes[Tally] = Scopes(self.namespaces)
        self._bonds: dict[tuple[Near, Bond], _Bonds] = {}
        self._bond_scopes: Scopes[_Bonds] = Scopes(self.namespaces)
        self._loose: dict[tuple[Near, Bond], None] = {}  # bonds of nobody, at least when they were put here
        self._grounds: dict[GroundKey, Ground] = {}

    def put_node(self, node: Node) -> None:
        """A Node came, or changed."""
        room = self.rooms.setdefault(node.metadata.name, Room(node.metadata.name))
        before = room.node
        if before is None:
            self.order.append(room)
        if before is None or before.metadata.labels != node.metadata.labels or before.spec != node.spec:
            self._forget_grounds()
        room.put(node)

    def drop_node(self, name: str) -> None:
        """A Node is gone; its Pods may still be there."""
        room = self.rooms.get(name)
        if room is None or room.node is None:
            return
        self.order.remove(room)
        room.node, room.labels, room.allocatable = None, {}, {}
        self._forget_grounds()
        if not room.tenants:
            del self.rooms[name]

    def put_namespace(self, name: str, labels: Mapping[str, str]) -> None:
        """A namespace came, or changed: who is meant by its labels is counted again."""
        if self.namespaces.get(name) == labels:
            return
        self.namespaces[name] = labels
        for which in [each for each in self._tallies if each[0].namespace_selector is not None]:
            self._scopes.remove(self._tallies.pop(which))

    def take_in(self, ask: Ask, node: str) -> None:
        """A Pod stands on a Node."""
        if ask.key in self.homes:
            self.let_go(ask.key)
        room = self.rooms.setdefault(node, Room(node))
        room.tenants[ask.key] = ask
        self.homes[ask.key] = node
        for pair in ask.labels.items():
            self._by_label.setdefault(pair, {})[ask.key] = None
        self._count(ask, room, 1)

    def let_go(self, key: str) -> Ask | None:
        """A Pod stands there no more."""
        node = self.homes.pop(key, None)
        if node is None:
            return None
        room = self.rooms[node]
        ask = room.tenants.pop(key)
        for pair in ask.labels.items():
            shelf = self._by_label[pair]
            del shelf[key]
            if not shelf:
                del self._by_label[pair]
        self._count(ask, room, -1)
        if room.node is None and not room.tenants:
            del self.rooms[node]
        return ask

    def nominate(self, ask: Ask, node: str) -> None:
        """A place on a Node is being cleared for a Pod."""
        self.renounce(ask)
        ask.nominated = node
        if node:
            self.nominated.setdefault(node, {})[ask.key] = ask

    def renounce(self, ask: Ask) -> None:
        """Nothing is cleared for a Pod any more."""
        of_node = self.nominated.get(ask.nominated)
        if of_node is not None and of_node.pop(ask.key, None) is not None and not of_node:
            del self.nominated[ask.nominated]

    def tally(self, scope: Scope, *, with_ending: bool) -> Tally:
        """How many Pods of a scope each Node has, from now on kept up; with or without those that are about to go."""
        which = (scope, with_ending)
        found = self._tallies.get(which)
        if found is not None:
            self._tallies.move_to_end(which)
            return found
        made = Tally(scope, with_ending=with_ending)
        for node in self._standing(made):
            made.add(node, 1)
        self._tallies[which] = made
        self._scopes.add(made)
        if len(self._tallies) > TALLIES:
            self._scopes.remove(self._tallies.popitem(last=False)[1])
        return made

    def bonds(self, ask: Ask, bond: Bond) -> list[tuple[str, Tally]]:
        """Terms of Pods that stand somewhere and are about this Pod, by their topology keys."""
        if len(self._loose) > LOOSE:
            self._drop_loose()
        found = self._bond_scopes.about(ask.namespace, ask.labels)
        return [(each.near.key, each.tally) for each in found if each.bond == bond]

    def ground(self, wanted: GroundKey) -> Ground:
        """In which domains Nodes lie."""
        found = self._grounds.get(wanted)
        if found is None:
            found = Ground(self._domains(wanted))
            self._grounds[wanted] = found
        return found

    def _domains(self, wanted: GroundKey) -> dict[str, str]:
        key, found = wanted.key, {}
        for room in self.order:
            labels, node = room.labels, room.node
            if node is None or key not in labels or not all(each in labels for each in wanted.all_of):
                continue
            if not wanted.place.is_anywhere and not wanted.place.has(room.name, labels):
                continue
            if wanted.tolerations is not None and not takes(node, wanted.tolerations):
                continue
            found[room.name] = labels[key]
        return found

    def _standing(self, tally: Tally) -> Iterable[str]:
        """The Nodes of all Pods that a tally counts."""
        scope = tally.scope
        named = [each for each in scope.selector if each.operator == "in"]
        if named:
            shelves = [[self._by_label.get((each.key, value), {}) for value in each.values] for each in named]
            best = min(shelves, key=lambda each: sum(map(len, each)))
            keys: Iterable[str] = (key for shelf in best for key in shelf)
        else:
            keys = self.homes
        for key in keys:
            node = self.homes[key]
            ask = self.rooms[node].tenants[key]
            if tally.counts(ask.is_ending) and scope.has(
                ask.namespace, ask.labels, self.namespaces.get(ask.namespace, {})
            ):
                yield node

    def _count(self, ask: Ask, room: Room, sign: int) -> None:
        room.count(ask, sign)
        self.priorities[ask.priority] += sign
        if not self.priorities[ask.priority]:
            del self.priorities[ask.priority]
        for tally in self._scopes.about(ask.namespace, ask.labels):
            if tally.counts(ask.is_ending):
                tally.add(room.name, sign)
        for near in ask.away:
            self._bind(near, "apart", room.name, sign)
        for near in ask.with_:
            self._bind(near, "drawn", room.name, sign)
        for weight, near in ask.drawn:
            self._bind(near, "drawn", room.name, sign * weight)

    def _bind(self, near: Near, bond: Bond, node: str, amount: int) -> None:
        bonds = self._bonds.get((near, bond))
        if bonds is None:
            bonds = self._bonds[near, bond] = _Bonds(near, bond)
            self._bond_scopes.add(bonds)
        bonds.tally.add(node, amount)
        if not bonds.tally.by_node:
            # Not dropped at once: filters may hold it, and somebody may only try who would fit without its Pods.
            self._loose[near, bond] = None

    def _drop_loose(self) -> None:
        for which in self._loose:
            bonds = self._bonds[which]
            if not bonds.tally.by_node:
                self._bond_scopes.remove(self._bonds.pop(which))
        self._loose.clear()

    def _forget_grounds(self) -> None:
        if not self._grounds:
            return
        self._grounds.clear()
        for tally in self._tallies.values():
            tally.forget_grounds()
        for bonds in self._bonds.values():
            bonds.tally.forget_grounds()


def takes(node: Node, tolerations: tuple[Toleration, ...]) -> bool:
    """Whether nothing of a Node's taints keeps a Pod away."""
    return unborne(node, tolerations, _DRIVES) is None
