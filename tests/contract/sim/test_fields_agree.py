"""Merging, patching and managedFields agree with a real kube-apiserver, write by write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.contract.sim.asking import await_served
from tests.support.apiserver import ApiServer, api_server
from tests.support.courses import patches_of_deployments, writes_to_config_maps, writes_to_things
from tests.support.judging import Case, Server, Type, Write
from tests.support.things import API_VERSION, GROUP, PLURAL, defaulted, definition

from homeostat.sim.apiserver.schemas import builtin
from homeostat.sim.apiserver.schemas.custom import CustomType

__all__ = ["api_server"]
pytestmark = pytest.mark.real

CONFIG_MAPS = Type(
    "/api/v1/namespaces/{namespace}/configmaps",
    "v1",
    "ConfigMap",
    builtin.shape("", "v1", "ConfigMap"),
    {"metadata": {}},
)
SERVICES = Type(
    "/api/v1/namespaces/{namespace}/services",
    "v1",
    "Service",
    builtin.shape("", "v1", "Service"),
    {"metadata": {}, "spec": {}, "status": {"loadBalancer": {}}},
    tuple(f"spec.{name}" for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")),
)
DEPLOYMENTS = Type(
    "/apis/apps/v1/namespaces/{namespace}/deployments",
    "apps/v1",
    "Deployment",
    builtin.shape("apps", "v1", "Deployment"),
    {
        "metadata": {},
        "spec": {"selector": None, "template": {"metadata": {}, "spec": {"containers": None}}, "strategy": {}},
        "status": {},
    },
)
THINGS = Type(
    f"/apis/{GROUP}/v1/namespaces/{{namespace}}/{PLURAL}",
    API_VERSION,
    "Thing",
    CustomType(definition(), "v1").shape,
    defaulted=defaulted,
)
NAMESPACE = "default"


@pytest.fixture(scope="module")
def server(api_server: ApiServer) -> Iterator[Server]:
    """The judge, which serves Things."""
    with closing(Server(api_server)) as asked:
        asked.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition())
        await_served(api_server, THINGS.path.format(namespace=NAMESPACE))
        yield asked


def config(**data: Any) -> dict[str, Any]:
    return {"data": data}


def thing(**spec: Any) -> dict[str, Any]:
    return {"spec": spec}


def service(*ports: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"spec": {"ports": list(ports), **spec}}


def deployment(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    labels = {"app": "x"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": list(containers)}}
    return {"spec": {"selector": {"matchLabels": labels}, "template": template, **spec}}


def container(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": "image", **more}


def apply(body: Any, manager: str = "one", *, force: bool = False, to: str = "") -> Write:
    return Write("apply", body, manager, force, to)


def create(body: Any, manager: str = "one") -> Write:
    return Write("create", body, manager)


def put(body: Any, manager: str = "one", to: str = "") -> Write:
    return Write("put", body, manager, subresource=to)


def merge(body: Any, manager: str = "one", to: str = "") -> Write:
    return Write("merge", body, manager, subresource=to)


def strategic(body: Any, manager: str = "one") -> Write:
    return Write("strategic", body, manager)


def json(*operations: dict[str, Any], manager: str = "one") -> Write:
    return Write("json", list(operations), manager)


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
LAST = "kubectl.kubernetes.io/last-applied-configuration"

COURSES: dict[str, tuple[Type, tuple[Write, ...]]] = {
    "an applied map": (CONFIG_MAPS, (apply(config(a="1", b="2")), apply(config(a="1")), apply(config(a="1")))),
    "two appliers": (
        CONFIG_MAPS,
        (apply(config(a="1")), apply(config(a="1", b="2"), "two"), apply(config()), apply({})),
    ),
    "a conflict": (
        CONFIG_MAPS,
        (apply(config(a="1")), apply(config(a="2"), "two"), apply(config(a="2"), "two", force=True)),
    ),
    "conflicts": (
        CONFIG_MAPS,
        (
            create(config(a="1", b="1", c="1"), "maker"),
            apply(config(c="2"), "three", force=True),
            apply(config(a="2", b="2", c="3"), "two"),
            apply(config(a="2", b="2", c="3"), "two", force=True),
        ),
    ),
    "updates": (
        CONFIG_MAPS,
        (
            create(config(a="1"), "maker"),
            put(config(a="1", b="2"), "other"),
            put(config(a="1", b="2"), "third"),
            merge(config(a="3"), "third"),
            merge(config(a=None), "fourth"),
            put({"data": {}}, "fifth"),
        ),
    ),
    "labels and finalizers": (
        CONFIG_MAPS,
        (
            apply({"metadata": {"labels": {"a": "b"}, "finalizers": ["x.y/z"]}}),
            merge({"metadata": {"labels": {"c": "d"}, "finalizers": ["x.y/w", "x.y/z"]}}, "two"),
            apply({"metadata": {"labels": {"a": "b"}}}),
            merge({"metadata": {"finalizers": None}}, "two"),
        ),
    ),
    "owners": (
        CONFIG_MAPS,
        (
            apply({"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u-1"}]}}),
            apply(
                {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "m", "uid": "u-2"}]}},
                "two",
            ),
            apply({}),
        ),
    ),
    "managedFields sent along": (
        CONFIG_MAPS,
        (
            create(config(a="1"), "maker"),
            merge({"metadata": {"managedFields": [{}]}}, "two"),
            merge(config(b="1"), "two"),
            apply(config(a="1"), "three"),
            apply(config(a="2"), "three"),
            apply(config(a="2"), "three", force=True),
            merge({"metadata": {"managedFields": []}}, "two"),
        ),
    ),
    "managedFields by hand": (
        CONFIG_MAPS,
        (
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
    ),
    "managedFields that cannot be applied": (CONFIG_MAPS, (apply({"metadata": {"managedFields": []}}),)),
    "many updaters": (
        CONFIG_MAPS,
        (create(config(k="0")), *(merge(config(**{f"k{n}": "1"}), f"m{n:02}") for n in range(14))),
    ),
    "kubectl goes over to applying on the server": (
        CONFIG_MAPS,
        (
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
    ),
    "an unknown field": (CONFIG_MAPS, (apply({"dato": {}}),)),
    "no map": (CONFIG_MAPS, (apply({"data": "x"}), apply({"data": ["x"]}))),
    "null": (CONFIG_MAPS, (apply({"data": None}), apply(config(a="1")), apply({"data": None}, "two"))),
    "another type": (CONFIG_MAPS, (apply({"kind": "Secret"}), apply({"apiVersion": "v2"}))),
    "a thing": (THINGS, (apply(ALL), apply(ALL), apply(ALL, "two"), apply({}), apply({}, "two"))),
    "a created thing": (THINGS, (create(ALL, "maker"), apply(ALL), put(thing(size=2)), apply(thing(), "two"))),
    "sets": (
        THINGS,
        (
            apply(thing(tags=["a", "b", "c"])),
            apply(thing(tags=["d", "b"]), "two"),
            apply(thing(tags=["c", "a"])),
            apply(thing(tags=["a", "a"])),
            merge(thing(tags=["z", "d", "a"]), "three"),
            apply(thing(tags=[]), "two"),
            apply(thing(tags=None), "two"),
        ),
    ),
    "keys": (
        THINGS,
        (
            apply(thing(parts=[{"name": "x"}, {"name": "y", "zone": "b"}])),
            apply(thing(parts=[{"name": "y", "zone": "b", "weight": 2}, {"name": "x", "zone": "b"}]), "two"),
            apply(thing(parts=[{"name": "x"}])),
            apply(thing(parts=[{"name": "x"}, {"name": "x", "zone": "a"}])),
            apply(thing(parts=[None])),
            apply(thing(parts=[]), "two"),
        ),
    ),
    "atomic": (
        THINGS,
        (
            apply(thing(whole={"one": "1"}, numbers=[1], size=1)),
            apply(thing(whole={"two": "2"}, numbers=[1]), "two"),
            apply(thing(whole={"two": "2"}, numbers=[1, 2]), "two", force=True),
            apply(thing(size=1)),
            apply(thing(), "two"),
        ),
    ),
    "free": (
        THINGS,
        (
            apply(thing(free={"a": {"b": 1}, "l": [1]})),
            apply(thing(free={"a": 1, "l": {"x": 1}}), "two"),
            apply(thing(free={"a": 1, "l": {"x": 1}}), "two", force=True),
            merge(thing(free={"a": {"b": 2}}), "three"),
            apply(thing(free={"a": None}), "four", force=True),
            apply(thing(free={}), "two"),
        ),
    ),
    "nulls": (
        THINGS,
        (
            apply(thing(inner={"one": "1", "deep": {"a": "b"}}, parts=[{"name": "x"}], size=1)),
            apply(thing(inner=None, parts=None, size=None), "two"),
            apply({"spec": None}, "two", force=True),
        ),
    ),
    "status": (
        THINGS,
        (
            apply(thing(size=1) | {"status": {"phase": "no"}}),
            apply({"status": {"phase": "yes"}}, "two", to="status"),
            merge({"status": {"seen": {"a": "b"}}}, "three", to="status"),
            apply({"status": {"phase": "no"}}, "four", to="status"),
            merge({"status": {"phase": "never"}}, "three"),
            put({"status": {"phase": "x"}, "spec": {"size": 3}}, "five", to="status"),
        ),
    ),
    "a service": (
        SERVICES,
        (
            apply(service({"port": 80, "name": "a"}, {"port": 80, "protocol": "UDP", "name": "b"})),
            apply(service({"port": 80, "name": "c"}), "two"),
            apply(service({"port": 81, "name": "c"}), "two"),
            apply(service({"port": 80, "name": "a"}, selector={"a": "b"})),
            apply(service({"port": 80}, {"port": 80, "protocol": "TCP"})),
        ),
    ),
    "a created service": (
        SERVICES,
        (
            create(service({"port": 80, "name": "a"}), "maker"),
            strategic(service({"port": 81, "name": "b"}), "two"),
            strategic(service({"port": 80, "$patch": "delete"}), "two"),
            strategic({"spec": {"ports": [{"name": "x"}]}}, "two"),
        ),
    ),
    "a deployment": (
        DEPLOYMENTS,
        (
            apply(deployment(container("a", env=[{"name": "x", "value": "1"}]), container("b"))),
            apply(deployment(container("b", args=["x"]), container("c")), "two"),
            apply(deployment(container("a", env=[{"name": "y", "value": "1"}]), replicas=2)),
            merge({"spec": {"replicas": 3}}, "three"),
            apply(deployment(container("a"), replicas=2)),
            apply(deployment(container("a"))),
        ),
    ),
    "a created deployment": (
        DEPLOYMENTS,
        (
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
            strategic(
                {"spec": {"template": {"spec": {"containers": [container("z"), {"$patch": "replace"}]}}}}, "four"
            ),
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
                        "template": {
                            "spec": {"$setElementOrder/containers": [{"x": "q"}], "containers": [container("z")]}
                        }
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
    ),
    "JSON patches": (
        THINGS,
        (
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
    ),
    "merge patches": (
        THINGS,
        (
            create(ALL, "maker"),
            merge(thing(free={"n": {"a": None, "b": [{"c": None}]}, "a": None}), "two"),
            merge(thing(whole={"one": None, "two": "2"}, parts=[]), "two"),
            Write("merge", []),
            Write("merge", None),
            Write("merge", 1),
        ),
    ),
}


@pytest.mark.parametrize("course", COURSES)
def test_a_course_of_writes_has_the_same_objects_owners_and_refusals(course: str, server: Server) -> None:
    type_, writes = COURSES[course]

    Case(server, type_, NAMESPACE).run(*writes)


def _tried(examples: int) -> settings:
    """The same examples each time: what agrees today is not to fail by chance tomorrow."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@_tried(150)
@given(writes=writes_to_things())
def test_any_course_of_writes_to_things_agrees(writes: list[Write], server: Server) -> None:
    Case(server, THINGS, NAMESPACE).run(*writes)


@_tried(100)
@given(writes=writes_to_config_maps())
def test_any_course_of_writes_to_config_maps_agrees(writes: list[Write], server: Server) -> None:
    Case(server, CONFIG_MAPS, NAMESPACE).run(*writes)


@_tried(60)
@given(writes=patches_of_deployments())
def test_any_course_of_patches_of_a_deployment_agrees(writes: list[Write], server: Server) -> None:
    Case(server, DEPLOYMENTS, NAMESPACE).run(*writes)
