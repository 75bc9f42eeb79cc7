"""Who listens where, which hosts hear each other, and what one finds who dials.

A host that is off or cut off is silence: whoever dials waits for as long as it wants to. On a host that is heard, a
port that nobody listens at refuses. Addresses of Pods are remembered beyond their programs, since it is the host that
says no, or says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from homeostat.kit.random import Random

OUTSIDE = ""  # where operators, and whoever else is no Pod, stand: a place that hears every host that is heard at all


class Refused(Exception):
    """A host that is heard says that nobody listens there."""


class Silent(Exception):
    """Nobody says anything; who dials waits until it gives up."""


class UnknownName(Exception):
    """There is no such name; the message says which."""


class Listener(Protocol):
    """A program that listens."""

    def answers(self, port: int, path: str) -> bool:
        """Whether a health check would be content now."""
        ...


class Target(Struct, frozen=True):
    """One of those that stand behind a name."""

    address: str
    port: int


class Found(Struct, frozen=True):
    """All that stand behind a host and port, and what they must answer to be used (empty: nothing)."""

    targets: tuple[Target, ...]
    health_path: str = ""


class Names(Protocol):
    """What knows Services, by address and by name."""

    def find(self, host: str, port: int) -> Found | None:
        """Who stands behind it; None for an address that no Service has. Raises UnknownName."""
        ...


class NoNames:
    """A network without Services."""

    def find(self, host: str, port: int) -> Found | None:  # noqa: ARG002
        """Nobody."""
        return None


class Network:
    """Programs by address and port. `is_heard` says of a host whether it runs and its cables are well."""

    def __init__(self, *, names: Names | None = None, is_heard: Callable[[str], bool] = lambda _: True) -> None:
        self.names: Names = names or NoNames()
        self._is_heard = is_heard
        self._hosts: dict[str, str] = {}  # by address
        self._listeners: dict[tuple[str, int], Listener] = {}
        self._cut: set[frozenset[str]] = set()
        self._heard: dict[str, dict[Callable[[], None], None]] = {}

    # --- programs

    def listen(self, host: str, address: str, port: int, who: Listener) -> None:
        """Be found from now on."""
        self._hosts[address] = host
        self._listeners[address, port] = who

    def close(self, address: str, port: int, who: Listener) -> None:
        """Be found no longer, unless somebody else has taken the place."""
        if self._listeners.get((address, port)) is who:
            del self._listeners[address, port]

    def hear(self, host: str, call: Callable[[], None]) -> None:
        """Call whenever who hears whom may have changed for a host."""
        self._heard.setdefault(host, {})[call] = None

    def unhear(self, host: str, call: Callable[[], None]) -> None:
        """Call no longer."""
        self._heard.get(host, {}).pop(call, None)

    # --- cables

    def cut(self, one: str, other: str) -> None:
        """Let two hosts not hear each other."""
        self._cut.add(frozenset((one, other)))
        self.tell(one)
        self.tell(other)

    def mend(self, one: str, other: str) -> None:
        """Let them hear each other again."""
        self._cut.discard(frozenset((one, other)))
        self.tell(one)
        self.tell(other)

    def tell(self, host: str) -> None:
        """Say that a host runs now, or does not, or is cut off."""
        for call in tuple(self._heard.get(host, ())):
            call()

    def joins(self, one: str, other: str) -> bool:
        """Whether two hosts hear each other."""
        if one == other:
            return True  # a host hears itself, whatever becomes of its cables
        if frozenset((one, other)) in self._cut:
            return False
        return all(each == OUTSIDE or self._is_heard(each) for each in (one, other))

    # --- who dials

    def dial(
        self, origin: str, host: str, port: int, is_wanted: Callable[[Listener], bool] = lambda _: True
    ) -> Listener:
        """Who answers at a host (an address or a name) and port, seen from a host. Raises Refused, Silent, UnknownName.

        Of several, the first that takes connections and is wanted; where there are health checks, that passes them.
        """
        found = self.names.find(host, port)
        if found is None:
            return self.at(origin, host, port)
        last: Refused | Silent = Refused()
        for target in found.targets:
            try:
                listener = self.at(origin, target.address, target.port)
            except (Refused, Silent) as error:
                last = error
                continue
            is_healthy = not found.health_path or listener.answers(target.port, found.health_path)
            if is_healthy and is_wanted(listener):
                return listener
        if found.health_path:
            raise Refused  # the balancer is there, and closes what it has nobody for
        raise last

    def dial_any(self, origin: str, host: str, port: int, random: Random) -> Listener:
        """As `dial`, but as the address of a Service leads there: to any of them, whether it lives or not."""
        found = self.names.find(host, port)
        if found is None:
            return self.at(origin, host, port)
        if not found.targets:
            raise Refused
        target = found.targets[random.randrange(0, len(found.targets))]
        return self.at(origin, target.address, target.port)

    def at(self, origin: str, address: str, port: int) -> Listener:
        """Who listens at an address. Raises Refused and Silent."""
        host = self._hosts.get(address)
        if host is None or not self.joins(origin, host):
            raise Silent
        listener = self._listeners.get((address, port))
        if listener is None:
            raise Refused
        return listener
