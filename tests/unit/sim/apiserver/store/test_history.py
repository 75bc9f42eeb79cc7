"""What a server remembers of the past."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.sim.apiserver.store.history import Change, TooOld
from homeostat.sim.apiserver.store.record import Record, record
from homeostat.sim.apiserver.store.store import Store

THINGS = ("", "things")
# Names to be written (or, when negative, to be dropped) one after the other.
steps = st.lists(st.integers(-4, 4).filter(bool), max_size=60)


def thing(number: int, namespace: str = "a") -> Record:
    return record({"metadata": {"name": f"t{number}", "namespace": namespace}}, 0)


def played(numbers: list[int]) -> tuple[Store, dict[int, dict[str, int]]]:
    """A store after these steps, and the revisions of its objects at each of its own."""
    store = Store()
    store.shelf(THINGS)
    states = {store.revision: state_of(store)}
    for number in numbers:
        key = f"a/t{abs(number)}"
        if number > 0:
            store.put(THINGS, thing(number))
        elif store.shelf(THINGS).get(key) is not None:
            store.drop(THINGS, key)
        states[store.revision] = state_of(store)
    return store, states


def state_of(store: Store) -> dict[str, int]:
    return {each.key: each.revision for each in store.shelf(THINGS).within("")}


@given(steps)
def test_the_state_at_any_revision_is_what_it_was_then(numbers: list[int]) -> None:
    store, states = played(numbers)
    for revision, state in states.items():
        assert {each.key: each.revision for each in store.shelf(THINGS).state(revision).within("")} == state


@given(steps)
def test_what_is_left_behind_any_object_of_any_state_is_counted_without_looking_at_it(numbers: list[int]) -> None:
    store, states = played(numbers)
    for revision, then in states.items():
        state, keys = store.shelf(THINGS).state(revision), sorted(then)
        assert [each.key for each in state.within("a")] == keys
        for at, key in enumerate(keys):
            assert [each.key for each in state.within("", key)] == keys[at + 1 :]
            assert state.count("", key) == len(keys) - at - 1
        assert (state.count("a"), state.count("b")) == (len(keys), 0)


@given(steps, st.integers(1, 4))
def test_changes_that_are_read_a_few_at_a_time_are_all_of_them_in_their_order(numbers: list[int], few: int) -> None:
    history, read = played(numbers)[0].shelf(THINGS).history, list[Change]()
    while some := history.after(read[-1].revision if read else 1, few):
        assert len(some) <= few
        read += some
    assert read == history.after(1)


@given(steps)
def test_who_follows_the_changes_after_any_revision_arrives_at_the_present(numbers: list[int]) -> None:
    store, states = played(numbers)
    for revision, state in states.items():
        followed = dict(state)
        for change in store.shelf(THINGS).history.after(revision):
            if change.new is not None:
                followed[change.new.key] = change.revision
            elif change.old is not None:
                del followed[change.old.key]
        assert followed == state_of(store)


@given(steps, st.integers(1, 40))
def test_what_is_forgotten_is_refused_and_the_rest_is_still_known(numbers: list[int], forgotten: int) -> None:
    store, states = played(numbers)
    store.forget(forgotten)
    known = min(forgotten, store.revision)
    for revision, state in states.items():
        if revision < known:
            with pytest.raises(TooOld):
                store.shelf(THINGS).history.after(revision)
        else:
            assert {each.key: each.revision for each in store.shelf(THINGS).state(revision).within("")} == state


def test_a_collection_that_comes_later_has_no_past() -> None:
    store = Store()
    for number in range(1, 5):
        store.put(THINGS, thing(number))
    with pytest.raises(TooOld, match=r"too old resource version: 4 \(5\)"):
        store.shelf(("", "others")).history.after(4)


def test_forgetting_much_gives_its_memory_back() -> None:
    store = Store()
    for _ in range(5000):
        store.put(THINGS, thing(1))
    store.forget(store.revision)
    assert len(store.shelf(THINGS).history._changes) == 0


def test_objects_of_a_namespace_are_found_in_order_from_any_key_on() -> None:
    store = Store()
    for namespace in ("b", "a", "a-a", "ab"):
        for number in (2, 1):
            store.put(THINGS, thing(number, namespace))
    shelf = store.shelf(THINGS)
    assert [each.key for each in shelf.within("a")] == ["a/t1", "a/t2"]
    assert [each.key for each in shelf.within("a", "a/t1")] == ["a/t2"]
    assert [each.key for each in shelf.within("", "a/t1")] == ["a/t2", "ab/t1", "ab/t2", "b/t1", "b/t2"]


def test_an_object_is_shown_in_any_version_and_at_any_revision() -> None:
    kept = record({"kind": "Old", "apiVersion": "v0", "metadata": {"name": "a", "resourceVersion": "7"}, "spec": 1}, 3)
    head = b'"kind":"Thing","apiVersion":"v1",'
    assert kept.at(9).value(head) == {
        "kind": "Thing",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": "9", "name": "a"},
        "spec": 1,
    }
