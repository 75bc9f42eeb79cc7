"""Where everything of a data centre stands: one pure function from name, index and size to all names and addresses.

A data centre with index i owns 10.(100+i).0.0/16 and nothing else: hosts in the first /24, addresses of load balancers
in the second, Services in a /20, Pods in the upper half, a /24 for each host. Whatever of the /16 is not routed is a
blackhole, so that a packet to a made-up address never leaves the machine.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from msgspec import Struct

INDICES = range(100)
ZONES = ("a", "b", "c")
MAX_META_HOSTS = 30  # addresses .11 to .40; workers begin at .50
MAX_NAME = 30  # host names are NAME-control at the longest and must stay below 64 characters in all uses


class PlanError(ValueError):
    """A data centre cannot be laid out as asked; the message names the option and the remedy."""


class Place(Struct, frozen=True):
    """One host's place: its name, addresses and zone."""

    name: str
    short: str  # within the data centre: control, a1, b1
    role: str  # control or meta
    zone: str
    address: str
    pod_cidr: str
    veth: str  # the end of its cable in the root namespace


class Route(Struct, frozen=True):
    """A destination and the host that leads there."""

    destination: str
    via: str


class NetworkPlan(Struct, frozen=True):
    """All names and addresses of one data centre."""

    name: str
    index: int
    bridge: str
    range: str
    gateway: str
    prefix: int
    control: Place
    meta: tuple[Place, ...]
    vip_pool: str
    service_range: str
    dns: str
    pod_range: str

    @property
    def places(self) -> tuple[Place, ...]:
        """All hosts, the control host first."""
        return (self.control, *self.meta)

    @property
    def chain(self) -> str:
        """The chain of the filter table that holds this data centre's rules."""
        return f"HOMEOSTAT-{self.index}"

    def routes(self) -> tuple[Route, ...]:
        """What the router, that is the root namespace, must know."""
        pods = tuple(Route(place.pod_cidr, place.address) for place in self.places)
        return (*pods, Route(self.vip_pool, self.control.address))

    def routes_of(self, place: Place) -> tuple[Route, ...]:
        """What a host must know: the way to its peers' Pods and to the load balancers."""
        peers = tuple(Route(peer.pod_cidr, peer.address) for peer in self.places if peer != place)
        return peers if place == self.control else (*peers, Route(self.vip_pool, self.control.address))


def plan(name: str, index: int, hosts: int = 3) -> NetworkPlan:
    """Lay out a data centre of one control host and `hosts` meta hosts, spread over the zones. Raises PlanError."""
    check_name(name)
    if not 1 <= hosts <= MAX_META_HOSTS:
        raise PlanError(f"--hosts: expected 1 to {MAX_META_HOSTS}, found {hosts}")
    if index not in INDICES:
        raise PlanError(f"index: expected 0 to {INDICES[-1]}, found {index}")
    base = f"10.{100 + index}"
    control = _place(name, index, "control", "control", "a", 0)
    meta = tuple(
        _place(name, index, f"{ZONES[number % 3]}{number // 3 + 1}", "meta", ZONES[number % 3], number + 1)
        for number in range(hosts)
    )
    return NetworkPlan(
        name=name,
        index=index,
        bridge=f"hsbr{index}",
        range=f"{base}.0.0/16",
        gateway=f"{base}.0.1",
        prefix=24,
        control=control,
        meta=meta,
        vip_pool=f"{base}.1.0/24",
        service_range=f"{base}.16.0/20",
        dns=f"{base}.16.10",
        pod_range=f"{base}.128.0/17",
    )


def check_name(name: str) -> None:
    """Raise PlanError unless a data centre can be called so."""
    letters = set("abcdefghijklmnopqrstuvwxyz0123456789-")
    sound = name and set(name) <= letters and name[0].isalpha() and not name.endswith("-")
    if not sound or len(name) > MAX_NAME:
        raise PlanError(
            f"--name: expected at most {MAX_NAME} lower-case letters, digits and dashes, starting with a letter and"
            f" not ending with a dash, found {name!r}"
        )


def free_index(taken: Iterable[int], networks_in_use: Iterable[str]) -> int:
    """The lowest index that no data centre has and whose range no other network of this machine touches."""
    known = set(taken)
    others = [ipaddress.ip_network(network, strict=False) for network in networks_in_use]
    for index in INDICES:
        wanted = ipaddress.ip_network(f"10.{100 + index}.0.0/16")
        if index not in known and not any(other.overlaps(wanted) for other in others if other.version == 4):
            return index
    raise PlanError("no address range is free for another data centre; remove one with `homeostat down --name NAME`")


def _place(name: str, index: int, short: str, role: str, zone: str, number: int) -> Place:
    base = f"10.{100 + index}"
    return Place(
        name=f"{name}-{short}",
        short=short,
        role=role,
        zone=zone,
        address=f"{base}.0.{10 + number}",
        pod_cidr=f"{base}.{128 + number}.0/24",
        veth=f"hs{index}-{short}",
    )
