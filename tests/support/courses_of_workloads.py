"""Courses of writes to Services and Deployments: lists by keys, defaults, strategic merge patches."""

from __future__ import annotations

from typing import Any

from tests.support.judging import Write
from tests.support.writes import apply, create, merge, put, strategic


def service(*ports: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"spec": {"ports": list(ports), **spec}}


def deployment(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    labels = {"app": "x"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": list(containers)}}
    return {"spec": {"selector": {"matchLabels": labels}, "template": template, **spec}}


def container(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": "image", **more}


COURSES_OF_SERVICES: dict[str, tuple[Write, ...]] = {
    "a service": (
        apply(service({"port": 80, "name": "a"}, {"port": 80, "protocol": "UDP", "name": "b"})),
        apply(service({"port": 80, "name": "c"}), "two"),
        apply(service({"port": 81, "name": "c"}), "two"),
        apply(service({"port": 80, "name": "a"}, selector={"a": "b"})),
        apply(service({"port": 80}, {"port": 80, "protocol": "TCP"})),
    ),
    "a created service": (
        create(service({"port": 80, "name": "a"}), "maker"),
        strategic(service({"port": 81, "name": "b"}), "two"),
        strategic(service({"port": 80, "$patch": "delete"}), "two"),
        strategic({"spec": {"ports": [{"name": "x"}]}}, "two"),
    ),
}

COURSES_OF_DEPLOYMENTS: dict[str, tuple[Write, ...]] = {
    "a deployment": (
        apply(deployment(container("a", env=[{"name": "x", "value": "1"}]), container("b"))),
        apply(deployment(container("b", args=["x"]), container("c")), "two"),
        apply(deployment(container("a", env=[{"name": "y", "value": "1"}]), replicas=2)),
        merge({"spec": {"replicas": 3}}, "three"),
        apply(deployment(container("a"), replicas=2)),
        apply(deployment(container("a"))),
    ),
    "a created deployment": (
        create(deployment(container("a", env=[{"name": "x", "value": "1"}]), container("b")), "maker"),
        strategic(
            {
                "spec": {
                    "template": {
                        "spec": {
                            "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
                            "containers": [
                                container("c"),
                                {
                                    "name": "a",
                                    "env": [{"name": "y", "value": "2"}, {"name": "x", "$patch": "delete"}],
                                    "resources": {"limits": {"cpu": "1"}, "requests": None},
                                },
                            ],
                        }
                    }
                }
            },
            "two",
        ),
        strategic({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}, "three"),
        strategic({"spec": {"strategy": {"$retainKeys": ["x"], "type": "Recreate"}}}, "three"),
        strategic({"spec": {"template": {"spec": {"containers": [container("z"), {"$patch": "replace"}]}}}}, "four"),
        strategic({"metadata": {"finalizers": ["a/b", "a/c"], "labels": {"a": "b", "c": None}}}, "five"),
        strategic({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/b"]}}, "five"),
        strategic({"metadata": {"labels": {"$patch": "replace", "z": "y"}}}, "five"),
        strategic({"metadata": {"labels": {"$patch": "nonsense"}}}, "five"),
        strategic({"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}, "five"),
        strategic([], "five"),
        strategic(None, "five"),
        strategic(1, "five"),
        strategic({"spec": {"template": {"spec": {"containers": [[]]}}}}, "five"),
        strategic({"spec": {"template": {"spec": {"containers": ["x"]}}}}, "five"),
        strategic(
            {
                "spec": {
                    "template": {
                        "spec": {"$setElementOrder/containers": [{"name": "q"}], "containers": [container("z")]}
                    }
                }
            },
            "five",
        ),
        strategic({"spec": {"template": {"spec": {"$setElementOrder/containers": {}}}}}, "five"),
        strategic(
            {
                "spec": {
                    "template": {"spec": {"$setElementOrder/containers": [{"x": "q"}], "containers": [container("z")]}}
                }
            },
            "five",
        ),
        strategic({"spec": {"template": {"spec": {"containers": [{"name": "z", "$patch": "merge"}]}}}}, "five"),
        strategic({"spec": {"template": {"spec": {"containers": [{"image": "z", "$patch": "delete"}]}}}}, "five"),
        strategic({"spec": {"template": {"spec": {"containers": [{"name": "z", "$patch": "what"}]}}}}, "five"),
        strategic({"spec": {"strategy": {"$retainKeys": "x"}}}, "five"),
        strategic({"metadata": {"$deleteFromPrimitiveListX": ["a/b"]}}, "five"),
        strategic({"metadata": {"$setElementOrder/finalizers": ["a/d", "a/c"], "finalizers": ["a/d"]}}, "five"),
        strategic({"metadata": {"$setElementOrder/finalizers": ["a/c", "a/d"]}}, "five"),
        strategic({"metadata": {"annotations": {"$patch": "delete"}, "labels": None}}, "five"),
        put({}, "six"),
    ),
}
