"""Addresses stay with those who have them, go where they were asked for, and are never given twice."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from homeostat.local.balancer.addresses import Wish, allocate

POOL = "10.100.1.0/29"  # six addresses


def wish(key: str, *, age: int = 0, held: str = "", asked: str = "") -> Wish:
    return Wish(created=datetime(2026, 1, 1, 0, 0, age, tzinfo=UTC), key=key, held=held, asked=asked)


def test_the_lowest_free_address_is_given() -> None:
    allocation = allocate(POOL, [wish("a/new"), wish("a/old", held="10.100.1.1")])
    assert allocation.addresses == {"a/old": "10.100.1.1", "a/new": "10.100.1.2"}


def test_an_address_asked_for_is_given_before_others_can_take_it() -> None:
    allocation = allocate(POOL, [wish("a/first", age=1), wish("a/asks", age=2, asked="10.100.1.1")])
    assert allocation.addresses == {"a/asks": "10.100.1.1", "a/first": "10.100.1.2"}


def test_an_address_of_somebody_else_is_refused_and_never_replaced_by_another() -> None:
    allocation = allocate(POOL, [wish("a/has", held="10.100.1.3"), wish("a/asks", asked="10.100.1.3")])
    assert allocation.addresses == {"a/has": "10.100.1.3"}
    assert [(one.key, "belongs to Service a/has" in one.why) for one in allocation.refusals] == [("a/asks", True)]


def test_an_address_outside_of_the_pool_is_refused_with_the_pool() -> None:
    for address in ("10.9.9.9", "10.100.1.0", "10.100.1.7", "nonsense"):
        refusals = allocate(POOL, [wish("a/asks", asked=address)]).refusals
        assert "expected an address of 10.100.1.0/29" in refusals[0].why


def test_of_two_that_show_one_address_the_older_keeps_it() -> None:
    both = [wish("a/young", age=9, held="10.100.1.4"), wish("a/old", age=1, held="10.100.1.4")]
    assert allocate(POOL, both).addresses == {"a/old": "10.100.1.4", "a/young": "10.100.1.1"}


def test_a_full_pool_refuses_the_youngest() -> None:
    allocation = allocate(POOL, [wish(f"a/{number}", age=number) for number in range(7)])
    assert len(allocation.addresses) == 6
    assert [one.key for one in allocation.refusals] == ["a/6"]
    assert "are taken" in allocation.refusals[0].why


ADDRESSES = st.sampled_from(["", *(f"10.100.1.{last}" for last in range(8)), "10.1.1.1"])
WISHES = st.lists(
    st.builds(wish, st.text("ab/", min_size=1, max_size=4), age=st.integers(0, 5), held=ADDRESSES, asked=ADDRESSES),
    max_size=12,
    unique_by=lambda one: one.key,
)


@given(WISHES)
def test_nobody_shares_everybody_is_answered_and_doing_it_again_changes_nothing(wishes: list[Wish]) -> None:
    first = allocate(POOL, wishes)
    assert len(set(first.addresses.values())) == len(first.addresses)
    assert {*first.addresses, *(one.key for one in first.refusals)} == {one.key for one in wishes}
    again = [Wish(one.created, one.key, first.addresses.get(one.key, ""), one.asked) for one in wishes]
    assert allocate(POOL, reversed(again)).addresses == first.addresses
