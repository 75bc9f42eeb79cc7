"""Scale: how many of a workload there are to be, as one small object for all kinds of workloads (autoscaling/v1)."""

from __future__ import annotations

import msgspec

from homeostat.sim.apiserver.answer import Answer, told
from homeostat.sim.apiserver.kinds.names import NEGATIVE
from homeostat.sim.apiserver.patches.json_patch import json_patched
from homeostat.sim.apiserver.patches.merge import merged
from homeostat.sim.apiserver.refusing import bad_request, invalid, not_imitated
from homeostat.sim.apiserver.schemas import causes
from homeostat.sim.apiserver.selecting.texts import selector_text
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.routing import Asked, not_found_here
from homeostat.sim.apiserver.types.type import Value
from homeostat.sim.apiserver.verbs.bodies import json_of, yaml_of
from homeostat.sim.apiserver.verbs.patching import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from homeostat.sim.apiserver.verbs.reading import existing
from homeostat.sim.apiserver.verbs.writing import Writer

_KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


class Scaler:
    """Reads and writes scales of one server's workloads."""

    def __init__(self, store: Store, writer: Writer) -> None:
        self._store = store
        self._writer = writer

    async def answer(self, asked: Asked, body: bytes) -> Answer:
        """The scale as it is, or as a client wants it. Raises Refused."""
        if asked.type.is_custom:
            raise not_imitated("the scale of custom objects")
        live = existing(self._store, asked).value(asked.type.head)
        match asked.verb:
            case "get":
                return told(scale_of(live))
            case "update":
                return await self._write(asked, _of_type(yaml_of(body)))
            case "patch":
                return await self._write(asked, _patched(scale_of(live), body, asked.media))
        raise not_found_here()

    async def _write(self, asked: Asked, scale: Value) -> Answer:
        replicas = (scale.get("spec") or {}).get("replicas", 0)
        if not isinstance(replicas, int) or isinstance(replicas, bool):
            raise bad_request("spec.replicas: expected an integer")
        if replicas < 0:
            cause = causes.invalid("spec.replicas", replicas, NEGATIVE)
            raise invalid("autoscaling", "Scale", asked.name, [cause])
        version = (scale.get("metadata") or {}).get("resourceVersion")

        def change(live: Value) -> Value:
            live["spec"]["replicas"] = replicas
            live["metadata"]["resourceVersion"] = version or live["metadata"]["resourceVersion"]
            return live

        answer = await self._writer.change(asked, change)
        return told(scale_of(msgspec.json.decode(answer.body)))


def scale_of(value: Value) -> Value:
    """The scale of a workload."""
    wanted, present = value["spec"].get("replicas", 0), value.get("status", {}).get("replicas", 0)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: each for key, each in value["metadata"].items() if key in _KEPT},
        "spec": {"replicas": wanted} if wanted else {},
        "status": {"replicas": present, "selector": selector_text(_selector(value))},
    }


def _selector(value: Value) -> Value:
    selector: Value = value["spec"].get("selector") or {}
    return {"matchLabels": selector} if value["kind"] == "ReplicationController" else selector


def _patched(scale: Value, body: bytes, language: str) -> Value:
    patch = json_of(body)
    if language == JSON_PATCH:
        return _of_type(json_patched(scale, patch))
    if language in (MERGE_PATCH, STRATEGIC_PATCH):  # a scale has no lists, so these are the same
        return _of_type(merged(scale, patch))
    raise not_imitated("apply of scales")


def _of_type(value: object) -> Value:
    if not isinstance(value, dict):
        raise bad_request("the body of the request was not a JSON object; expected a Scale")
    if value.get("kind") not in (None, "", "Scale"):
        raise bad_request(f"{value['kind']} cannot be handled as a Scale")
    return value
