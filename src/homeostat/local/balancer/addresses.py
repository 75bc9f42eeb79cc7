"""Which Service has which address: a pure function of the Services and the pool.

The Services' own status is the only record, so that a restart allocates nothing anew. What a Service asks for by name
(`spec.loadBalancerIP`) it gets or is refused, never something else. When two claim one address, the older keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network

from msgspec import Struct

CLASS = "homeostat.dev/local"  # a loadBalancerClass that names us; Services without any class are ours too


class Wish(Struct, frozen=True, order=True):
    """A Service of type LoadBalancer as the allocation sees it."""

    created: datetime
    key: str
    held: str = ""  # what its status shows
    asked: str = ""  # what its spec names


class Refusal(Struct, frozen=True):
    """A Service that gets no address, and why."""

    key: str
    why: str


class Allocation(Struct, frozen=True):
    """Address by Service, and who got none."""

    addresses: dict[str, str]
    refusals: tuple[Refusal, ...] = ()


BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def allocate(pool: str, wishes: Iterable[Wish]) -> Allocation:
    """Everybody keeps what they hold, those who ask get what they ask for, the rest get the lowest free address."""
    network = IPv4Network(pool)
    taken: dict[str, str] = {}
    given: dict[str, str] = {}
    refused: list[Refusal] = []
    ordered = sorted(wishes)
    for wish in ordered:
        if wish.held and _is_of(network, wish.held) and wish.held not in taken and wish.asked in ("", wish.held):
            given[wish.key] = wish.held
            taken[wish.held] = wish.key
    for wish in ordered:
        if wish.asked and wish.key not in given:
            if why := _objection(network, taken, wish.asked):
                refused.append(Refusal(wish.key, why))
            else:
                given[wish.key] = wish.asked
                taken[wish.asked] = wish.key
    free = (str(address) for address in network.hosts() if str(address) not in taken)
    for wish in ordered:
        if wish.key in given or wish.asked:
            continue
        if (address := next(free, "")) == "":
            refused.append(Refusal(wish.key, f"all addresses of {pool} are taken; delete a Service to free one"))
        else:
            given[wish.key] = address
            taken[address] = wish.key
    return Allocation(given, tuple(refused))


def _is_of(network: IPv4Network, address: str) -> bool:
    try:
        parsed = IPv4Address(address)
    except ValueError:
        return False
    return parsed in network and parsed not in (network.network_address, network.broadcast_address)


def _objection(network: IPv4Network, taken: dict[str, str], address: str) -> str:
    if not _is_of(network, address):
        return f"spec.loadBalancerIP: expected an address of {network}, found {address}"
    if address in taken:
        return f"spec.loadBalancerIP: {address} belongs to Service {taken[address]}; choose another"
    return ""
