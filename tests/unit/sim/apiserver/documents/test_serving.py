"""Documents of custom types are made once for each change of a definition, and not sent to who has them."""

from __future__ import annotations

from typing import Any

import msgspec
from tests.support.simulated import ADMIN, simulated_server

from homeostat.kit.clock import SystemClock
from homeostat.sim.apiserver.answer import Answer
from homeostat.sim.apiserver.server import ApiServer, Request

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAME = "apis/example.com/v1"


def served(server: ApiServer, path: str, **headers: str) -> Answer:
    return server.answer_at_once(Request(method="GET", path=path, headers=headers), ADMIN)


def defined() -> ApiServer:
    """A server with one custom type."""
    schema = {"type": "object", "properties": {"spec": {"type": "object"}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "things", "kind": "Thing"}
    spec = {"group": "example.com", "scope": "Cluster", "names": names, "versions": [version]}
    body = msgspec.json.encode({"metadata": {"name": "things.example.com"}, "spec": spec})
    server = simulated_server(SystemClock())
    assert server.answer_at_once(Request(method="POST", path=CRDS, body=body), ADMIN).code == 201
    return server


def location(server: ApiServer) -> str:
    paths: dict[str, Any] = msgspec.json.decode(served(server, "/openapi/v3").body)["paths"]
    return str(paths[NAME]["serverRelativeURL"])


def test_a_document_that_a_client_has_is_not_sent_again() -> None:
    server = defined()
    first = served(server, f"/openapi/v3/{NAME}")
    again = served(server, f"/openapi/v3/{NAME}", **{"if-none-match": first.headers["Etag"]})
    assert (first.code, again.code, again.body) == (200, 304, b"")


def test_the_list_says_that_a_document_has_changed_with_its_definition() -> None:
    server = defined()
    before = location(server)
    assert location(server) == before
    patch = {"spec": {"names": {"shortNames": ["th"]}, "scope": "Cluster"}}
    path, headers = f"{CRDS}/things.example.com", {"content-type": "application/merge-patch+json"}
    server.answer_at_once(Request(method="PATCH", path=path, headers=headers, body=msgspec.json.encode(patch)), ADMIN)
    assert location(server) == before
    described = [{"op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/description", "value": "A thing."}]
    headers = {"content-type": "application/json-patch+json"}
    server.answer_at_once(
        Request(method="PATCH", path=path, headers=headers, body=msgspec.json.encode(described)), ADMIN
    )
    assert location(server) != before


def test_what_is_defined_no_more_has_no_document() -> None:
    server = defined()
    server.answer_at_once(Request(method="DELETE", path=f"{CRDS}/things.example.com"), ADMIN)
    assert NAME.encode() not in served(server, "/openapi/v3").body
    assert served(server, f"/openapi/v3/{NAME}").code == 404
