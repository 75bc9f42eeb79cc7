"""The book of faults under way: it says what is wrong now, and nothing that is not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.simulated_hosts import HOST, OTHER, simulated_hosts

from homeostat.sim.world.faults.fault import FaultError
from homeostat.sim.world.faults.keeping import Book
from homeostat.sim.world.hosts.host import Power


async def test_a_fault_is_in_the_book_until_it_is_healed() -> None:
    async with simulated_hosts() as world:
        book = Book(world.centre)
        entry = book.begin("disk-slow", HOST, {"times": "3"})
        assert (entry.id, entry.targets, entry.parameters, entry.until) == (
            "disk-slow-1",
            (HOST,),
            {"times": 3.0},
            None,
        )
        assert book.entries() == (entry,)
        assert book.end("disk-slow-1") == (entry,)
        assert book.entries() == ()
        assert world.centre.host(HOST).slowness == 1


async def test_a_fault_with_a_duration_heals_itself() -> None:
    async with simulated_hosts() as world:
        book = Book(world.centre)
        entry = book.begin("host-down", HOST, {}, for_s=60)
        assert entry.until == entry.since + timedelta(seconds=60)
        await world.after(59)
        assert world.centre.host(HOST).power is Power.OFF
        await world.after(2)
        assert world.centre.host(HOST).power is Power.ON
        assert book.entries() == ()


async def test_one_that_is_healed_early_is_not_healed_again_when_its_time_is_over() -> None:
    async with simulated_hosts() as world:
        book = Book(world.centre)
        book.begin("host-down", HOST, {}, for_s=60)
        book.end()
        await world.after(10)
        again = book.begin("host-down", HOST, {})
        await world.after(60)
        assert world.centre.host(HOST).power is Power.OFF
        assert book.entries() == (again,)


async def test_what_a_boot_has_ended_is_not_under_way() -> None:
    async with simulated_hosts() as world:
        book = Book(world.centre)
        stopped = book.begin("kubelet-down", HOST, {}, for_s=600)
        lost = book.begin("packet-loss", HOST, {})
        assert book.entries() == (stopped, lost)
        book.begin("reboot", HOST, {})
        await world.after(30)
        assert book.entries() == (lost,)
        await world.after(600)
        assert book.entries() == (lost,)


async def test_what_is_over_when_it_has_happened_has_no_name_and_no_duration() -> None:
    async with simulated_hosts() as world:
        book = Book(world.centre)
        assert book.begin("disk-lost", HOST, {}).id == ""
        assert book.entries() == ()
        with pytest.raises(FaultError, match="disk-lost: expected no duration") as refused:
            book.begin("disk-lost", HOST, {}, for_s=5)
        assert refused.value.field == "for"


async def test_what_is_only_checked_does_not_happen() -> None:
    async with simulated_hosts(4) as world:
        book = Book(world.centre)
        assert book.check("host-down", "zone=a", {}).targets == ("host-a1", "host-a2")
        with pytest.raises(FaultError, match="found 'zone-a'"):
            book.check("host-down", "zone-a", {})
        assert book.entries() == ()
        assert world.centre.host(OTHER).is_up


async def test_all_that_are_named_are_healed_or_none() -> None:
    async with simulated_hosts() as world:
        book = Book(world.centre)
        entry = book.begin("disk-full", HOST, {})
        with pytest.raises(
            FaultError, match=r"under way \(disk-full-1\), found 'disk-full-2'; did you mean disk-full-1"
        ):
            book.end("disk-full-1", "disk-full-2")
        assert book.entries() == (entry,)
        assert book.end("disk-full-1", "disk-full-1") == (entry,)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
async def test_a_duration_that_is_none_is_refused(seconds: float) -> None:
    async with simulated_hosts() as world:
        book = Book(world.centre)
        with pytest.raises(FaultError, match="expected more than 0 s and at most a year"):
            book.begin("host-down", HOST, {}, for_s=seconds)
        assert world.centre.host(HOST).is_up
