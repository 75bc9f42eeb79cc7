"""What Endpoints hold of many addresses, and which of two claims about one address counts."""

from __future__ import annotations

from homeostat.sim.world.controllers.endpoints.packing import MOST, is_over_full, repacked, truncated
from homeostat.sim.world.kinds.services import EndpointAddress, EndpointPort, Subset

HTTP, SQL = EndpointPort(80, "http", "TCP"), EndpointPort(5432, "sql", "TCP")


def addresses(count: int, third: int = 0) -> tuple[EndpointAddress, ...]:
    return tuple(EndpointAddress(f"10.{third}.{number >> 8}.{number & 255}") for number in range(count))


def test_of_too_many_addresses_those_that_are_ready_are_told_first() -> None:
    subsets = (Subset(addresses(MOST - 1), addresses(5, 1), (HTTP,)),)
    (kept,) = truncated(subsets)
    assert is_over_full(subsets)
    assert (kept.addresses, kept.not_ready_addresses) == (addresses(MOST - 1), addresses(1, 1))
    assert truncated((kept,)) == (kept,)
    assert not is_over_full((kept,))


def test_a_subset_of_which_nothing_is_left_is_not_told_of() -> None:
    subsets = (Subset(addresses(MOST), None, (HTTP,)), Subset(addresses(3, 1), addresses(3, 2), (SQL,)))
    assert truncated(subsets) == (Subset(addresses(MOST), None, (HTTP,)),)


def test_addresses_that_share_their_ports_come_together_and_not_ready_counts() -> None:
    one, two = addresses(2)
    given = (Subset((one, two), None, (HTTP,)), Subset((two,), (one,), (SQL,)), Subset(None, (one,), (HTTP,)))
    assert repacked(given) == (Subset((two,), (one,), (HTTP, SQL)),)
