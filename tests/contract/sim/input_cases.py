"""What people and programs get wrong on the wire, by what it is: a method, a path, a body, and how it is sent."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

NAMESPACE = "input-agree"
CORE = f"/api/v1/namespaces/{NAMESPACE}"
MAPS, ONE = f"{CORE}/configmaps", f"{CORE}/configmaps/one"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
JSON_PATCH, MERGE = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
YAML = "application/yaml"
MEBIBYTE = 1 << 20
Case = tuple[str, str, object, dict[str, Any]]


def made(body: object, path: str = MAPS, **how: Any) -> Case:
    return ("POST", path, body, how)


def asked(query: str, path: str = MAPS) -> Case:
    return ("GET", path, None, {"query": query})


def patched(body: object, media: str, path: str = ONE, query: str = "") -> Case:
    return ("PATCH", path, body, {"media": media, "query": query})


def ended(query: str = "", body: object = None, path: str = ONE) -> Case:
    return ("DELETE", path, body, {"query": query})


def token(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


ELSEWHERE = '{"v":"meta.k8s.io/v1","rv":5,"start":"../../x"}'
STRANGE = '{"v":"meta.k8s.io/v7","rv":5,"start":"x"}'
NAMED = {"metadata": {"name": "two"}}
CASES: dict[str, Case] = {
    # bodies
    "too large a body": made(b" " * (3 * MEBIBYTE + 1)),
    "too large a map": made({**NAMED, "data": {"a": "x" * (MEBIBYTE + 1)}}),
    "too large an annotation": made({"metadata": {"name": "two", "annotations": {"a": "x" * (257 << 10)}}}),
    "an end too early": made(b'{"metadata": {'),
    "nothing": made(b""),
    "nonsense": made(b"nonsense"),
    "more than one": made(b'{"metadata":{"name":"two"}} {}'),
    "a list": made(b"[]"),
    "a number": made(b"7"),
    "null": made(b"null"),
    "no object": made(b'{"metadata": 7}'),
    "a wrong type": made(b'{"metadata": {"name": "two"}, "data": {"a": 7}}'),
    "a wrong list": made(b'{"metadata": {"name": "two", "finalizers": "a"}}'),
    "no text": made(b'{"metadata": {"name": "\xff\xfe"}}'),
    "bad YAML": made(b"metadata: [", media=YAML),
    "a tab in YAML": made(b"metadata:\n\tname: two", media=YAML),
    "YAML of no object": made(b"- a", media=YAML),
    "an unknown media type": made(NAMED, media="text/csv"),
    # kinds, places and names
    "another kind": made({"kind": "Secret", "apiVersion": "v1", **NAMED}),
    "an unknown kind": made({"kind": "Nonsense", "apiVersion": "v1", **NAMED}),
    "another version": made({"kind": "ConfigMap", "apiVersion": "v2", **NAMED}),
    "an unknown group": made({"kind": "ConfigMap", "apiVersion": "nothing.example/v1", **NAMED}),
    "a senseless version": made({"kind": "ConfigMap", "apiVersion": "a/b/c", **NAMED}),
    "an unknown collection": asked("", f"{CORE}/nonsenses"),
    "an unknown group's collection": asked("", "/apis/nothing.example/v1/nonsenses"),
    "an unknown version's collection": asked("", f"/apis/apps/v7/namespaces/{NAMESPACE}/deployments"),
    "an unknown subresource": asked("", f"{ONE}/nonsense"),
    "a name that is none": made({"metadata": {"name": "A b"}}),
    "no name": made({"metadata": {}}),
    "another namespace": made({"metadata": {"name": "two", "namespace": "default"}}),
    "no such namespace": made(NAMED, "/api/v1/namespaces/nowhere/configmaps"),
    "no namespace": made(NAMED, "/api/v1/configmaps"),
    "one that is there": made({"metadata": {"name": "one"}}),
    "one that is not there": asked("", f"{MAPS}/nobody"),
    "another name": ("PUT", ONE, NAMED, {}),
    "a put without a name": ("PUT", ONE, {"metadata": {}}, {}),
    "a put of another version": ("PUT", ONE, {"metadata": {"name": "one", "resourceVersion": "1"}}, {}),
    "a put of a senseless version": ("PUT", ONE, {"metadata": {"name": "one", "resourceVersion": "x"}}, {}),
    "a put of another one": ("PUT", ONE, {"metadata": {"name": "one", "uid": "x"}}, {}),
    "a put of nobody": ("PUT", f"{MAPS}/nobody", {"metadata": {"name": "nobody"}}, {}),
    "a method": ("PUT", MAPS, NAMED, {}),
    # selectors and lists
    "an open selector": asked("labelSelector=a+in+(b"),
    "a selector of nothing": asked("labelSelector=%3D"),
    "a selector with a strange key": asked("labelSelector=a%20b%3Dc"),
    "a selector with a strange value": asked("labelSelector=a%3D@"),
    "a selector without values": asked("labelSelector=a+in+b"),
    "a selector of text": asked("labelSelector=a%3Ez"),
    "an unknown field": asked("fieldSelector=spec.nonsense%3D1"),
    "no field selector": asked("fieldSelector=a"),
    "a strange limit": asked("limit=many"),
    "a strange version": asked("resourceVersion=x"),
    "a version of the future": asked("resourceVersion=999999999&resourceVersionMatch=Exact"),
    "a match without a version": asked("resourceVersionMatch=Exact"),
    "an unknown match": asked("resourceVersion=1&resourceVersionMatch=Nearly"),
    "a match of zero": asked("resourceVersion=0&resourceVersionMatch=Exact"),
    "a senseless token": asked("continue=nonsense&limit=1"),
    "a token of nothing": asked(f"continue={token('{}')}&limit=1"),
    "a token of no JSON": asked(f"continue={token('nonsense')}&limit=1"),
    "a token of another list": asked(f"continue={token(ELSEWHERE)}&limit=1"),
    "a token of another kind": asked(f"continue={token(STRANGE)}&limit=1"),
    "a token with a version": asked(f"continue={token('{}')}&limit=1&resourceVersion=5"),
    "a watch of a strange version": asked("watch=true&resourceVersion=x"),
    "a watch of one collection by an unknown field": asked("watch=true&fieldSelector=spec.x%3D1"),
    # patches
    "a patch that is none": patched(b"{", MERGE),
    "a patch of nothing": patched(b"", MERGE),
    "a merge by a list": patched([], MERGE),
    "a merge by a number": patched(b"7", MERGE),
    "a merge of a wrong type": patched({"data": 7}, MERGE),
    "a strategic one by a list": patched([], STRATEGIC),
    "a strategic one that is none": patched(b"nonsense", STRATEGIC),
    "an unknown directive": patched({"data": {"$patch": "nonsense"}}, STRATEGIC),
    "a JSON patch that is none": patched(b"nonsense", JSON_PATCH),
    "a JSON patch by an object": patched({}, JSON_PATCH),
    "an unknown operation": patched([{"op": "dance", "path": "/data"}], JSON_PATCH),
    "an operation without a path": patched([{"op": "add", "value": 1}], JSON_PATCH),
    "an operation on what is not there": patched([{"op": "remove", "path": "/data/nothing"}], JSON_PATCH),
    "a test that fails": patched([{"op": "test", "path": "/data/a", "value": "x"}], JSON_PATCH),
    "too many operations": patched([{"op": "add", "path": "/data/a", "value": "x"}] * 10001, JSON_PATCH),
    "a patch in an unknown language": patched({}, "application/json"),
    "a patch of nobody": patched({"data": {"a": "b"}}, MERGE, f"{MAPS}/nobody"),
    "a patch of another name": patched({"metadata": {"name": "two"}}, MERGE),
    "a patch of an old version": patched({"metadata": {"resourceVersion": "1"}}, MERGE),
    "an apply without a manager": patched({"kind": "ConfigMap", "apiVersion": "v1"}, APPLY),
    "an apply without a kind": patched({"apiVersion": "v1"}, APPLY, query="fieldManager=a"),
    "an apply without a version": patched({"kind": "ConfigMap"}, APPLY, query="fieldManager=a"),
    "an apply of another kind": patched({"kind": "Secret", "apiVersion": "v1"}, APPLY, query="fieldManager=a"),
    "an apply that is none": patched(b"a: [", APPLY, query="fieldManager=a"),
    "an apply with owners": patched(
        {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"managedFields": [{"manager": "x"}]}},
        APPLY,
        query="fieldManager=a",
    ),
    "force without apply": patched({}, MERGE, query="force=true"),
    # options
    "half a dry run": made(NAMED, query="dryRun=Some"),
    "an unknown validation": made(NAMED, query="fieldValidation=Sometimes"),
    "an unknown field, strictly": made({**NAMED, "colour": "red"}, query="fieldValidation=Strict"),
    "a field twice, strictly": made(
        b'{"metadata":{"name":"two"},"data":{"a":"1","a":"2"}}', query="fieldValidation=Strict"
    ),
    "a long manager": made(NAMED, query=f"fieldManager={'x' * 129}"),
    "an unprintable manager": made(NAMED, query="fieldManager=a%07b"),
    "an unknown propagation": ended("propagationPolicy=Sideways"),
    "a negative grace": ended("gracePeriodSeconds=-1"),
    "a strange grace": ended("gracePeriodSeconds=soon"),
    "another one than is meant": ended(body={"preconditions": {"uid": "x"}}),
    "another version than is meant": ended(body={"preconditions": {"resourceVersion": "1"}}),
    "options that are none": ended(body=b"nonsense"),
    "options of another kind": ended(body={"kind": "ConfigMap", "apiVersion": "v1"}),
    "two ways to orphan": ended(body={"propagationPolicy": "Orphan", "orphanDependents": True}),
    "the end of nobody": ended(path=f"{MAPS}/nobody"),
    "an end by a strange selector": ended("labelSelector=%3D", path=MAPS),
    "an eviction of nobody": made(
        {"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": "nobody"}}, f"{CORE}/pods/nobody/eviction"
    ),
    "a scale of nobody": patched({"spec": {"replicas": 1}}, MERGE, f"{DEPLOYMENTS}/nobody/scale"),
}
