"""The store: indexes always agree with the objects, and versions wake who waits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.widgets import WIDGET, Widget, WidgetSpec

from homeostat.api.meta import ObjectMeta
from homeostat.runtime.store import Store, key_function, split_key


def widget(name: str, size: int = 0) -> Widget:
    return Widget(ObjectMeta(name=name, namespace="shop"), WidgetSpec(size))


def sizes(obj: Widget) -> list[str]:
    return [str(obj.spec.size), "even" if obj.spec.size % 2 == 0 else "odd"]


CHANGES = st.lists(st.tuples(st.sampled_from("abcd"), st.none() | st.integers(0, 3)), max_size=40)


@settings(max_examples=100, deadline=None)
@given(CHANGES)
def test_an_index_answers_as_a_search_over_all_objects_would(changes: list[tuple[str, int | None]]) -> None:
    store, model = Store({"size": sizes}), dict[str, Widget]()
    for name, size in changes:
        if size is None:
            assert store.remove(name) == model.pop(name, None)
        else:
            assert store.put(name, widget(name, size)) == model.get(name)
            model[name] = widget(name, size)
    for value in ("0", "1", "2", "3", "even", "odd"):
        found = sorted(obj.metadata.name for obj in store.by_index("size", value))
        assert found == sorted(name for name, obj in model.items() if value in sizes(obj))
    assert set(store.index_values("size")) == {value for obj in model.values() for value in sizes(obj)}


def test_an_index_counts_all_and_names_as_many_as_are_asked_for() -> None:
    store = Store({"size": sizes})
    for number in range(12):
        store.put(f"w-{number}", widget(f"w-{number}", 1))
    count, keys = store.keys_by_index("size", "odd", 5)
    assert (count, len(keys), set(keys) <= set(store.keys())) == (12, 5, True)
    assert store.keys_by_index("size", "odd") == (12, list(store.keys()))
    assert store.keys_by_index("size", "even", 5) == (0, [])


def test_an_index_added_later_covers_what_is_already_there() -> None:
    store: Store[Widget] = Store()
    store.put("shop/a", widget("a", 3))
    store.add_index("size", sizes)
    assert len(store.by_index("size", "odd")) == 1


def test_an_unknown_index_names_those_there_are() -> None:
    with pytest.raises(KeyError, match=r"expected one of \['size'\]"):
        Store({"size": sizes}).by_index("colour", "red")


def test_who_waits_for_a_version_is_called_once_it_is_in() -> None:
    store: Store[Widget] = Store()
    called: list[str] = []
    store.when("7", lambda: called.append("seven"))
    store.when("9", lambda: called.append("nine"))
    store.advance("8")
    assert called == ["seven"]
    store.advance("10")
    assert called == ["seven", "nine"]
    store.when("10", lambda: called.append("at once"))
    assert called[-1] == "at once"


def test_a_full_read_serves_who_waited_before_it_even_when_versions_went_back() -> None:
    store: Store[Widget] = Store()
    store.advance("100")
    called: list[str] = []
    store.when("120", lambda: called.append("before"))
    mark = store.mark()
    store.when("130", lambda: called.append("during"))
    store.advance("50", mark)
    assert called == ["before"]


def test_versions_that_are_no_numbers_are_never_waited_for() -> None:
    store: Store[Widget] = Store()
    assert store.has_seen("opaque")
    assert not store.has_seen("7")


def test_keys_are_read_from_structs_and_from_plain_objects() -> None:
    assert key_function(WIDGET.type)(widget("a")) == "shop/a"
    assert key_function(dict)({"metadata": {"name": "n"}}) == "n"
    assert (split_key("shop/a"), split_key("n")) == (("shop", "a"), ("", "n"))
