"""What a real API server writes in protobuf is read as what it writes in JSON."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.contract.sim.asking import opener
from tests.contract.sim.both import Both, comparable, in_namespace
from tests.contract.sim.kind_cases import GOOD
from tests.contract.sim.placing import end, placed, type_of
from tests.support.apiserver import ApiServer

from homeostat.sim.apiserver.schemas.protobuf import MEDIA, as_json

pytestmark = pytest.mark.real
NAMESPACE = "protobuf-agrees"
CASES = {name: body for name, body in GOOD.items() if body["kind"] != "Event"}
THING = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "x-kubernetes-validations": [{"rule": "self.size > 0", "message": "too small"}],
            "properties": {
                "size": {"type": "integer", "minimum": 0, "default": 3},
                "names": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                "more": {"type": "object", "additionalProperties": {"type": "string"}},
                "any": {"x-kubernetes-preserve-unknown-fields": True, "type": "object"},
                "share": {"x-kubernetes-int-or-string": True},
                "colour": {"type": "string", "enum": ["red", "blue"], "nullable": True},
            },
        }
    },
}
DEFINITION = {
    "kind": "CustomResourceDefinition",
    "apiVersion": "apiextensions.k8s.io/v1",
    "metadata": {"name": "protothings.sim.test"},
    "spec": {
        "group": "sim.test",
        "scope": "Namespaced",
        "names": {
            "plural": "protothings",
            "singular": "protothing",
            "kind": "ProtoThing",
            "listKind": "ProtoThingList",
        },
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": THING}},
        ],
    },
}


@pytest.fixture(scope="module")
def both(api_server: ApiServer) -> Iterator[Both]:
    """Both with a namespace."""
    with in_namespace(api_server, NAMESPACE) as made:
        yield made


@pytest.mark.parametrize("case", [*CASES, "definition"])
def test_an_object_is_read_from_protobuf_as_from_json(case: str, both: Both) -> None:
    body, collection, path = placed(both, CASES.get(case, DEFINITION), NAMESPACE)
    end(both, path)
    query = "?dryRun=All" if case == "definition" else ""
    try:
        written, told = (asked(both.real, collection + query, body, media) for media in (MEDIA, "application/json"))
        # One of the two made it, and the other one is told so.
        binary, text = (written, told) if query else (fetched(both.real, path, MEDIA), fetched(both.real, path))
    finally:
        end(both, path)

    type_ = type_of(both, body)
    made, _ = type_.schema.decode(msgspec.json.decode(as_json(binary)))
    type_.schema.default(made)
    assert plain(made) == plain(msgspec.json.decode(text))


def asked(server: ApiServer, path: str, body: object, media: str) -> bytes:
    headers = {"Content-Type": "application/json", "Accept": media}
    request = urllib.request.Request(server.url + path, msgspec.json.encode(body), headers)
    try:
        with opener(server).open(request, timeout=30) as answer:
            content: bytes = answer.read()
    except urllib.error.HTTPError as error:
        content = error.read()
    return content


def fetched(server: ApiServer, path: str, media: str = "application/json") -> bytes:
    request = urllib.request.Request(server.url + path, headers={"Accept": media})
    with opener(server).open(request, timeout=30) as answer:
        content: bytes = answer.read()
    return content


def plain(value: Any) -> Any:
    """Without what differs between two dry runs."""
    found = comparable(value)
    found["metadata"].pop("managedFields", None)
    found.pop("status", None)
    return found
