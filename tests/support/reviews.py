"""Admission reviews as an API server writes them, about thermostats: a kind with a spec and nothing behind it."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta
from homeostat.runtime.webhook.answering import Answer


class ThermostatSpec(Struct, frozen=True):
    target: int = 20


class Thermostat(Struct, frozen=True):
    metadata: ObjectMeta
    spec: ThermostatSpec = ThermostatSpec()


THERMOSTAT = Kind(Resource("test.homeostat.dev", "v1", "Thermostat", "thermostats"), Thermostat)
NAME = THERMOSTAT.resource.qualified


def thermostat(target: object = 20, name: str = "hall") -> dict[str, Any]:
    """An object in the API's own words."""
    return {"metadata": {"name": name, "namespace": "home"}, "spec": {"target": target}}


def review(
    operation: str = "CREATE", new: dict[str, Any] | None = None, old: dict[str, Any] | None = None, **changes: Any
) -> bytes:
    """The body of a review; changes are of fields of the request."""
    if new is None and operation != "DELETE":
        new = thermostat()
    if old is None and operation != "CREATE":
        old = thermostat()
    resource = THERMOSTAT.resource
    request = {
        "uid": "review-1",
        "kind": {"group": resource.group, "version": resource.version, "kind": resource.kind},
        "resource": {"group": resource.group, "version": resource.version, "resource": resource.plural},
        "name": "hall",
        "namespace": "home",
        "operation": operation,
        "userInfo": {"username": "ann", "groups": ["system:authenticated"]},
        "object": new,
        "oldObject": old,
        "dryRun": False,
        "options": None,
        **changes,
    }
    return msgspec.json.encode({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})


def response(answer: Answer) -> dict[str, Any]:
    """The response inside an answered review, which must be for the review above."""
    assert answer.code == 200, answer.body
    whole = msgspec.json.decode(answer.body)
    assert (whole["apiVersion"], whole["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    found: dict[str, Any] = whole["response"]
    assert found.pop("uid") == "review-1"
    return found
