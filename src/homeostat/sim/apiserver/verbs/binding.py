"""Binding: a scheduler gives a Pod a host, once."""

from __future__ import annotations

from typing import Any

from homeostat.kit.clock import Clock
from homeostat.sim.apiserver.answer import Answer, told
from homeostat.sim.apiserver.refusing import Refused, bad_request
from homeostat.sim.apiserver.store.record import record
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.metadata import is_ending, stamp
from homeostat.sim.apiserver.types.routing import Asked
from homeostat.sim.apiserver.types.type import Value
from homeostat.sim.apiserver.verbs.bodies import yaml_of
from homeostat.sim.apiserver.verbs.reading import existing

SUCCESS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


class Binder:
    """Binds Pods of one server."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def bind(self, asked: Asked, body: bytes) -> Answer:
        """Give a Pod a host. Raises Refused."""
        binding = _binding(yaml_of(body), asked)
        target = binding.get("target") or {}
        host = target.get("name", "")
        if not host:
            raise Refused(500, "", "target.name: Required value")
        kept = existing(self._store, asked)
        pod = kept.value(asked.type.head)
        self._check(pod, asked.name)
        pod["spec"]["nodeName"] = host
        metadata = binding.get("metadata") or {}
        if metadata.get("annotations"):
            pod["metadata"]["annotations"] = {**(pod["metadata"].get("annotations") or {}), **metadata["annotations"]}
        with_condition(pod, "PodScheduled", stamp(self._clock.now()))
        if not asked.is_dry_run:
            self._store.put(asked.type.collection, record(pod, kept.revision, asked.type.strategy.fields(pod)))
        return told(SUCCESS, 201)

    def _check(self, pod: Value, name: str) -> None:
        if is_ending(pod):
            why = f"pod {name} is being deleted, cannot be assigned to a host"
        elif pod["spec"].get("nodeName"):
            why = f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"'
        elif pod["spec"].get("schedulingGates"):
            why = f"pod {name} has non-empty .spec.schedulingGates"
        else:
            return
        text = f'Operation cannot be fulfilled on pods/binding "{name}": {why}'
        raise Refused(409, "Conflict", text, kind="pods/binding", name=name)


def with_condition(pod: Value, type_: str, now: str, **parts: str) -> None:
    """A Pod of which something is true from now on."""
    status = pod.setdefault("status", {})
    others = [each for each in status.get("conditions") or () if each.get("type") != type_]
    made = {"type": type_, "status": "True", "lastProbeTime": None, "lastTransitionTime": now, **parts}
    status["conditions"] = [*others, made]


def _binding(value: Any, asked: Asked) -> Value:
    if not isinstance(value, dict):
        raise bad_request("the body of the request was not a JSON object; expected a Binding")
    name = (value.get("metadata") or {}).get("name", "")
    if name and name != asked.name:
        raise bad_request("name in URL does not match name in Binding object")
    return value
