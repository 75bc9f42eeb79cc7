"""Courses of writes to Things: every way in which values merge, and patches."""

from __future__ import annotations

from typing import Any

from tests.support.judging import Write
from tests.support.writes import apply, create, json, merge, put


def thing(**spec: Any) -> dict[str, Any]:
    return {"spec": spec}


ALL = thing(
    size=1,
    tags=["b", "a"],
    numbers=[1, 2],
    parts=[{"name": "x", "zone": "a", "weight": 1}, {"name": "y", "zone": "b", "notes": {"k": "v"}}],
    labels={"k": "v"},
    whole={"one": "1"},
    inner={"one": "1", "deep": {"a": "b"}},
    free={"a": {"b": [1]}, "c": 1.5, "e": {}},
)

COURSES: dict[str, tuple[Write, ...]] = {
    "a thing": (apply(ALL), apply(ALL), apply(ALL, "two"), apply({}), apply({}, "two")),
    "a created thing": (create(ALL, "maker"), apply(ALL), put(thing(size=2)), apply(thing(), "two")),
    "sets": (
        apply(thing(tags=["a", "b", "c"])),
        apply(thing(tags=["d", "b"]), "two"),
        apply(thing(tags=["c", "a"])),
        apply(thing(tags=["a", "a"])),
        merge(thing(tags=["z", "d", "a"]), "three"),
        apply(thing(tags=[]), "two"),
        apply(thing(tags=None), "two"),
    ),
    "keys": (
        apply(thing(parts=[{"name": "x"}, {"name": "y", "zone": "b"}])),
        apply(thing(parts=[{"name": "y", "zone": "b", "weight": 2}, {"name": "x", "zone": "b"}]), "two"),
        apply(thing(parts=[{"name": "x"}])),
        apply(thing(parts=[{"name": "x"}, {"name": "x", "zone": "a"}])),
        apply(thing(parts=[None])),
        apply(thing(parts=[]), "two"),
    ),
    "atomic": (
        apply(thing(whole={"one": "1"}, numbers=[1], size=1)),
        apply(thing(whole={"two": "2"}, numbers=[1]), "two"),
        apply(thing(whole={"two": "2"}, numbers=[1, 2]), "two", force=True),
        apply(thing(size=1)),
        apply(thing(), "two"),
    ),
    "free": (
        apply(thing(free={"a": {"b": 1}, "l": [1]})),
        apply(thing(free={"a": 1, "l": {"x": 1}}), "two"),
        apply(thing(free={"a": 1, "l": {"x": 1}}), "two", force=True),
        merge(thing(free={"a": {"b": 2}}), "three"),
        apply(thing(free={"a": None}), "four", force=True),
        apply(thing(free={}), "two"),
    ),
    "nulls": (
        apply(thing(inner={"one": "1", "deep": {"a": "b"}}, parts=[{"name": "x"}], size=1)),
        apply(thing(inner=None, parts=None, size=None), "two"),
        apply({"spec": None}, "two", force=True),
    ),
    "status": (
        apply(thing(size=1) | {"status": {"phase": "no"}}),
        apply({"status": {"phase": "yes"}}, "two", to="status"),
        merge({"status": {"seen": {"a": "b"}}}, "three", to="status"),
        apply({"status": {"phase": "no"}}, "four", to="status"),
        merge({"status": {"phase": "never"}}, "three"),
        put({"status": {"phase": "x"}, "spec": {"size": 3}}, "five", to="status"),
    ),
    "JSON patches": (
        create(ALL, "maker"),
        json(
            {"op": "add", "path": "/spec/numbers/-", "value": 3},
            {"op": "add", "path": "/spec/numbers/0", "value": 0},
        ),
        json({"op": "remove", "path": "/spec/numbers/-1"}, manager="two"),
        json({"op": "move", "from": "/spec/labels/k", "path": "/spec/labels/a~1b"}, manager="two"),
        json({"op": "copy", "from": "/spec/tags/0", "path": "/spec/labels/c"}, manager="two"),
        json({"op": "replace", "path": "/spec/labels/new", "value": "x"}, manager="two"),
        json({"op": "test", "path": "/spec/none"}, {"op": "test", "path": "/spec/size", "value": 1}),
        json({"op": "test", "path": "/spec/size", "value": 2}),
        json({"op": "remove", "path": "/spec/none"}),
        json({"op": "add", "path": "/none/none", "value": 1}),
        json({"op": "add", "path": "/spec/numbers/9", "value": 1}),
        json({"op": "nonsense", "path": "/spec/numbers/9", "value": 1}),
        json({"op": "add", "value": 1}),
        Write("json", {}),
        Write("json", "text"),
        Write("json", [1]),
        Write("json", [{"op": 1}]),
        Write("json", [{"op": "add", "path": ["x"]}]),
        Write("json", [None]),
        Write("json", None),
        Write("json", [{"op": "test", "path": ""}] * 10001),
        json({"op": "replace", "path": "", "value": 1}),
        json(
            {"op": "test", "path": "/spec/free/c", "value": 1.5},
            {"op": "test", "path": "/spec/free/a/b/0", "value": 1},
        ),
        json({"op": "test", "path": "/spec/size", "value": 1.0}),
        json({"op": "remove", "path": "spec"}),
        json({"op": "add", "path": "", "value": {}}),
        json({"op": "add", "path": "/spec/free/null"}),
    ),
    "merge patches": (
        create(ALL, "maker"),
        merge(thing(free={"n": {"a": None, "b": [{"c": None}]}, "a": None}), "two"),
        merge(thing(whole={"one": None, "two": "2"}, parts=[]), "two"),
        Write("merge", []),
        Write("merge", None),
        Write("merge", 1),
    ),
}
