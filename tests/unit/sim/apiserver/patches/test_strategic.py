"""Strategic merge patch: lists by their keys, directives, and order."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.shapes import DEPLOYMENT, by_keys, mapping, set_of, struct

from homeostat.sim.apiserver.patches.strategic import strategically_merged
from homeostat.sim.apiserver.refusing import Refused
from homeostat.sim.apiserver.schemas.shape import SCALAR, Shape

ITEM = struct(name=SCALAR, value=SCALAR, tags=set_of("merge"), more=mapping())
SHAPE = struct(
    items=by_keys(ITEM, "name", patch_key="name"),
    texts=set_of("merge"),
    whole=Shape("list", each=SCALAR),
    map_=mapping(),
    replaced=Shape("object", each=SCALAR, patch_strategy="replace"),
)


def items(names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def patched(live: Any, patch: Any) -> Any:
    return strategically_merged(live, patch, SHAPE)


def names(live: str, patch: list[dict[str, Any]], order: str | None = None) -> str:
    more = {} if order is None else {"$setElementOrder/items": items(order)}
    made = patched({"items": items(live)}, {"items": patch} | more)
    return "".join(item["name"] for item in made["items"])


def test_items_are_merged_by_their_key_and_new_ones_are_added() -> None:
    live = {"items": [{"name": "a", "value": 1, "more": {"x": "1"}}, {"name": "b"}]}
    patch = {"items": [{"name": "a", "value": 2, "more": {"y": "2", "x": None}}, {"name": "c"}]}

    assert patched(live, patch)["items"] == [
        {"name": "a", "value": 2, "more": {"y": "2"}},
        {"name": "c"},
        {"name": "b"},
    ]


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"whole": [3]}, {"whole": [3]}),
        ({"texts": ["c", "a"]}, {"texts": ["c", "a", "b"]}),
        ({"$deleteFromPrimitiveList/texts": ["a", "z"]}, {"texts": ["b"]}),
        ({"$deleteFromPrimitiveList/none": ["a"]}, {}),
        ({"map": None}, {"map": None}),
        ({"map": {"k": "w"}}, {"map": {"k": "w", "l": "m"}}),
        ({"map": {"$patch": "replace", "z": "y"}}, {"map": {"z": "y"}}),
        ({"map": {"$patch": "delete"}}, {"map": {}}),
        ({"map": {"$retainKeys": ["l", "n"], "n": "o"}}, {"map": {"l": "m", "n": "o"}}),
        ({"map": "scalar"}, {"map": "scalar"}),
        ({"replaced": {"b": 1}}, {"replaced": {"b": 1}}),
        ({"new": {"a": None, "b": [{"c": None}], "d": {"$patch": "delete"}}}, {"new": {"b": [{}]}}),
        ({"new": {"$patch": "delete"}}, {}),
    ],
)
def test_fields_merge_as_their_type_or_their_directive_says(patch: Any, expected: dict[str, Any]) -> None:
    live = {"whole": [1, 2], "texts": ["a", "b"], "map": {"k": "v", "l": "m"}, "replaced": {"a": 1}}

    made = patched(live, patch)

    assert made == {name: each for name, each in (live | expected).items() if each is not None}


@pytest.mark.parametrize(
    ("live", "patch", "order", "expected"),
    [
        ("abc", items("c"), None, "abc"),
        ("abc", items("ca"), None, "bca"),
        ("abc", items("d"), None, "dabc"),
        ("abc", [{"name": "b", "$patch": "delete"}], None, "ac"),
        ("abc", [{"name": "d"}, {"$patch": "replace"}], None, "d"),
        ("abc", items("d"), "dcba", "dcba"),
        ("abc", items("d"), "cd", "abcd"),
        ("abc", [], "cba", "cba"),
        ("", items("ba"), "bca", "ba"),
        ("abc", [{"name": "c", "$patch": "delete"}], "ba", "ba"),
    ],
)
def test_items_stand_in_the_order_that_is_set_or_that_of_the_patch_the_others_among_them(
    live: str, patch: list[dict[str, Any]], order: str | None, expected: str
) -> None:
    assert names(live, patch, order) == expected


def test_an_order_may_come_without_a_change_and_for_scalars() -> None:
    assert patched({"texts": ["a", "b", "c"]}, {"$setElementOrder/texts": ["c", "a"]}) == {"texts": ["b", "c", "a"]}
    assert patched({}, {"$setElementOrder/texts": ["c"]}) == {}


@pytest.mark.parametrize(
    ("patch", "code", "message"),
    [
        ([], 400, "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ({"map": {"$patch": "x"}}, 500, "unknown patch type: x in map: map[$patch:x]"),
        ({"map": {"$retainKeys": "k"}}, 400, "invalid patch format of retainKeys"),
        ({"map": {"$retainKeys": ["k"], "l": "m"}}, 400, "invalid patch format of retainKeys"),
        ({"$deleteFromPrimitiveList": []}, 400, "invalid patch format of primitive list"),
        ({"$setElementOrder": []}, 400, "invalid patch format of setElementOrder list"),
        ({"$setElementOrder/items": {}}, 500, "expected a []interface {}, but received a map[string]interface {}"),
        ({"items": [{"value": 1}]}, 500, "map: map[value:1] does not contain declared merge key: name"),
        ({"items": [{"$patch": "delete"}]}, 500, "map: map[$patch:delete] does not contain declared merge key: name"),
        ({"items": [{"$patch": "merge"}]}, 500, "merging lists cannot yet be specified in the patch"),
        ({"items": [{"$patch": "x"}]}, 500, "unknown patch type: x in map: map[$patch:x]"),
        ({"items": ["x"]}, 500, "list element types are not identical: [[map[name:a]] [x]]"),
        ({"texts": [{}]}, 500, "list element types are not identical: [[a] [map[]]]"),
    ],
)
def test_a_patch_that_makes_no_sense_is_refused_as_a_kube_apiserver_does(patch: Any, code: int, message: str) -> None:
    with pytest.raises(Refused) as refused:
        patched({"map": {"k": "v"}, "items": items("a"), "texts": ["a"]}, patch)

    assert (refused.value.code, refused.value.message) == (code, message)


def test_an_order_that_is_not_that_of_the_patch_is_refused() -> None:
    with pytest.raises(Refused, match="The order in patch list"):
        names("a", items("bc"), "cb")


def test_a_list_of_lists_does_not_merge() -> None:
    with pytest.raises(Refused) as refused:
        patched({"texts": [["a"]]}, {"texts": ["a"]})

    assert refused.value.code == 422


texts = st.lists(st.sampled_from("abcd"), max_size=4, unique=True).map("".join)


@given(live=texts, patch=texts)
def test_patching_twice_is_patching_once_and_changes_neither(live: str, patch: str) -> None:
    before, change = {"items": items(live), "map": {"a": "b"}}, {"items": items(patch), "map": {"c": "d"}}
    kept = copy.deepcopy((before, change))

    once = patched(before, change)

    assert patched(once, change) == once
    assert (before, change) == kept


@given(live=texts, patch=texts)
def test_every_item_stands_once_and_those_of_the_patch_in_its_order(live: str, patch: str) -> None:
    made = names(live, items(patch))

    assert sorted(made) == sorted(set(live) | set(patch))
    assert "".join(name for name in made if name in patch) == patch
    assert "".join(name for name in made if name not in patch) == "".join(name for name in live if name not in patch)


def test_the_type_of_a_deployment_says_how_its_containers_and_their_variables_merge() -> None:
    live = {"spec": {"template": {"spec": {"containers": [{"name": "c", "env": [{"name": "x", "value": "1"}]}]}}}}
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "c", "env": [{"name": "y", "value": "2"}]}]}}}}

    made = strategically_merged(live, patch, DEPLOYMENT)

    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "y", "value": "2"}, {"name": "x", "value": "1"}]
