"""JSON patch: the operations, and how a patch that does not apply is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from homeostat.sim.apiserver.patches.json_patch import MOST_OPERATIONS, json_patched
from homeostat.sim.apiserver.refusing import Refused

LIVE = {"a": 1, "b": [1, 2, 3], "c": {"d": {"e": "f"}, "x/y": 1, "x~y": 2}, "n": None}


def op(kind: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": kind, "path": path, **more}


@pytest.mark.parametrize(
    ("operations", "place", "expected"),
    [
        ([op("add", "/z", value=1)], "z", 1),
        ([op("add", "/z")], "z", None),
        ([op("add", "/a", value=2)], "a", 2),
        ([op("add", "/b/1", value=9)], "b", [1, 9, 2, 3]),
        ([op("add", "/b/-", value=9)], "b", [1, 2, 3, 9]),
        ([op("add", "/b/3", value=9)], "b", [1, 2, 3, 9]),
        ([op("add", "/b/-1", value=9)], "b", [1, 2, 3, 9]),
        ([op("remove", "/b/0")], "b", [2, 3]),
        ([op("remove", "/b/-1")], "b", [1, 2]),
        ([op("replace", "/b/-3", value=9)], "b", [9, 2, 3]),
        ([op("replace", "/new", value=9)], "new", 9),
        ([op("replace", "/c/x~1y", value=9), op("remove", "/c/x~0y"), op("remove", "/c/d")], "c", {"x/y": 9}),
        ([op("move", "/b/0", **{"from": "/b/2"})], "b", [3, 1, 2]),
        ([op("copy", "/z", **{"from": "/c/d"}), op("add", "/z/e", value="g")], "c", LIVE["c"]),
        ([op("copy", "/z", **{"from": "/none"})], "z", None),
        ([op("test", "/c/d", value={"e": "f"}), op("test", "/none"), op("test", "/n", value=None)], "a", 1),
    ],
)
def test_operations(operations: list[Any], place: str, expected: Any) -> None:
    assert json_patched(LIVE, operations)[place] == expected


def test_the_whole_object_can_be_tested_and_replaced() -> None:
    assert json_patched(LIVE, [op("test", "", value=copy.deepcopy(LIVE)), op("replace", "", value=[1])]) == [1]


def test_the_live_object_is_not_changed_nor_is_the_patch_taken_into_it() -> None:
    before, value = copy.deepcopy(LIVE), {"k": "v"}

    made = json_patched(LIVE, [op("add", "/c/new", value=value), op("add", "/c/new/k", value="w")])

    assert (LIVE, value, made["c"]["new"]) == (before, {"k": "v"}, {"k": "w"})


@pytest.mark.parametrize(
    "operation",
    [
        op("remove", "/none"),
        op("remove", "/b/3"),
        op("remove", "/b/x"),
        op("remove", "a"),
        op("add", "/none/none", value=1),
        op("add", "/a/none", value=1),
        op("add", "/n/none", value=1),
        op("add", "/b/5", value=1),
        op("add", "", value={}),
        op("replace", "/b/3", value=1),
        op("replace", "/b/-", value=1),
        op("replace", "", value=1),
        op("move", "/z", **{"from": "/none"}),
        op("move", "/z"),
        op("copy", "/none/z", **{"from": "/a"}),
        op("test", "/a", value=1.0),
        op("test", "/a", value=True),
        op("test", "/a"),
        op("test", "/b", value=[1, 2]),
        op("nonsense", "/a"),
        {"op": "remove"},
        {},
        None,
    ],
)
def test_an_operation_that_does_not_apply_is_refused_without_saying_why(operation: Any) -> None:
    with pytest.raises(Refused) as refused:
        json_patched(LIVE, [operation])

    assert (refused.value.code, refused.value.reason) == (422, "Invalid")
    assert refused.value.message == "the server rejected our request due to an error in our request"


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({}, "cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
        ([1], "cannot unmarshal number into Go value of type handlers.jsonPatchOp"),
        ([{"op": 1}], "cannot unmarshal number into Go struct field jsonPatchOp.op of type string"),
        (
            [op("add", "/a", **{"from": []})],
            "cannot unmarshal array into Go struct field jsonPatchOp.from of type string",
        ),
    ],
)
def test_what_is_no_list_of_operations_is_a_bad_request(patch: Any, message: str) -> None:
    with pytest.raises(Refused) as refused:
        json_patched(LIVE, patch)

    assert (refused.value.code, refused.value.message) == (400, f"error decoding patch: json: {message}")


def test_nothing_is_done_by_a_patch_without_operations() -> None:
    assert json_patched(LIVE, []) == json_patched(LIVE, None) == LIVE


def test_too_many_operations_are_too_large_a_request() -> None:
    with pytest.raises(Refused, match="maximum operations in a JSON patch is 10000, got 10001") as refused:
        json_patched(LIVE, [op("test", "/n")] * (MOST_OPERATIONS + 1))

    assert (refused.value.code, refused.value.reason) == (413, "RequestEntityTooLarge")
