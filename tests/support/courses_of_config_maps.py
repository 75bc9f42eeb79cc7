"""Courses of writes to ConfigMaps: what applies and updates do to owners, and when they are refused."""

from __future__ import annotations

from typing import Any

from tests.support.judging import Write
from tests.support.writes import apply, create, merge, put

LAST = "kubectl.kubernetes.io/last-applied-configuration"


def config(**data: Any) -> dict[str, Any]:
    return {"data": data}


COURSES: dict[str, tuple[Write, ...]] = {
    "an applied map": (apply(config(a="1", b="2")), apply(config(a="1")), apply(config(a="1"))),
    "two appliers": (apply(config(a="1")), apply(config(a="1", b="2"), "two"), apply(config()), apply({})),
    "a conflict": (apply(config(a="1")), apply(config(a="2"), "two"), apply(config(a="2"), "two", force=True)),
    "conflicts": (
        create(config(a="1", b="1", c="1"), "maker"),
        apply(config(c="2"), "three", force=True),
        apply(config(a="2", b="2", c="3"), "two"),
        apply(config(a="2", b="2", c="3"), "two", force=True),
    ),
    "updates": (
        create(config(a="1"), "maker"),
        put(config(a="1", b="2"), "other"),
        put(config(a="1", b="2"), "third"),
        merge(config(a="3"), "third"),
        merge(config(a=None), "fourth"),
        put({"data": {}}, "fifth"),
    ),
    "labels and finalizers": (
        apply({"metadata": {"labels": {"a": "b"}, "finalizers": ["x.y/z"]}}),
        merge({"metadata": {"labels": {"c": "d"}, "finalizers": ["x.y/w", "x.y/z"]}}, "two"),
        apply({"metadata": {"labels": {"a": "b"}}}),
        merge({"metadata": {"finalizers": None}}, "two"),
    ),
    "owners": (
        apply({"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u-1"}]}}),
        apply(
            {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "m", "uid": "u-2"}]}},
            "two",
        ),
        apply({}),
    ),
    "managedFields sent along": (
        create(config(a="1"), "maker"),
        merge({"metadata": {"managedFields": [{}]}}, "two"),
        merge(config(b="1"), "two"),
        apply(config(a="1"), "three"),
        apply(config(a="2"), "three"),
        apply(config(a="2"), "three", force=True),
        merge({"metadata": {"managedFields": []}}, "two"),
    ),
    "managedFields by hand": (
        create(config(a="1"), "maker"),
        merge(
            {
                "metadata": {
                    "managedFields": [
                        {
                            "manager": "mine",
                            "operation": "Apply",
                            "apiVersion": "v1",
                            "fieldsType": "FieldsV1",
                            "fieldsV1": {"f:data": {"f:a": {}, ".": {}}},
                        }
                    ]
                }
            },
            "two",
        ),
        apply(config(), "mine"),
    ),
    "managedFields that cannot be applied": (apply({"metadata": {"managedFields": []}}),),
    "many updaters": (create(config(k="0")), *(merge(config(**{f"k{n}": "1"}), f"m{n:02}") for n in range(14))),
    "kubectl goes over to applying on the server": (
        create(
            {
                "metadata": {
                    "annotations": {LAST: '{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"1","b":"1","c":"1"}}'}
                },
                "data": {"a": "1", "b": "1", "c": "2"},
            },
            "kubectl-client-side-apply",
        ),
        apply(config(a="2", c="3"), "kubectl"),
        apply(config(a="2", b="<2>"), "kubectl"),
    ),
    "an unknown field": (apply({"dato": {}}),),
    "no map": (apply({"data": "x"}), apply({"data": ["x"]})),
    "null": (apply({"data": None}), apply(config(a="1")), apply({"data": None}, "two")),
    "another type": (apply({"kind": "Secret"}), apply({"apiVersion": "v2"})),
}
