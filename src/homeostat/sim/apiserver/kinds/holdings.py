"""Which addresses Services have, as objects (IPAddress): so that all servers of one store know it, and others too.

Written by the server itself, and no webhook hears of it. An address of which somebody else has made an object is not
given to a Service.
"""

from __future__ import annotations

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.sim.apiserver.store.record import key_of, record
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.metadata import new_uid, stamp
from homeostat.sim.apiserver.types.type import Value

COLLECTION = ("networking.k8s.io", "ipaddresses")
_SELF = "kube-apiserver"
_LABELS = {
    "ipaddress.kubernetes.io/ip-family": "IPv4",
    "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
}
_OWNED: Value = {
    "f:metadata": {"f:labels": {".": {}, **{f"f:{name}": {} for name in _LABELS}}},
    "f:spec": {"f:parentRef": {".": {}, "f:name": {}, "f:namespace": {}, "f:resource": {}}},
}
_SERVICES = "services"


class Holdings:
    """Addresses that are taken."""

    def __init__(self, store: Store, clock: Clock, random: Random) -> None:
        self._store = store
        self._shelf = store.shelf(COLLECTION)
        self._clock = clock
        self._random = random

    def is_free(self, address: str, whose: str = "") -> bool:
        """Whether a Service, by namespace and name, may have it, or has it."""
        kept = self._shelf.get(key_of("", address))
        return kept is None or (whose != "" and _holder(kept.value(b"")) == whose)

    def hold(self, address: str, whose: str) -> None:
        """It is a Service's now."""
        if self._shelf.get(key_of("", address)) is not None:
            return
        namespace, _, name = whose.partition("/")
        now = stamp(self._clock.now())
        owned = {"manager": _SELF, "operation": "Update", "apiVersion": f"{COLLECTION[0]}/v1", "time": now}
        metadata = {
            "name": address,
            "uid": new_uid(self._random),
            "creationTimestamp": now,
            "labels": _LABELS,
            "managedFields": [{**owned, "fieldsType": "FieldsV1", "fieldsV1": _OWNED}],
        }
        parent = {"resource": _SERVICES, "namespace": namespace, "name": name}
        self._store.put(COLLECTION, record({"metadata": metadata, "spec": {"parentRef": parent}}, 0))

    def release(self, address: str, whose: str) -> None:
        """It is no longer that Service's."""
        key = key_of("", address)
        kept = self._shelf.get(key)
        if kept is not None and _holder(kept.value(b"")) == whose:
            self._store.drop(COLLECTION, key)


def _holder(value: Value) -> str:
    parent = value["spec"].get("parentRef") or {}
    if parent.get("resource") != _SERVICES or parent.get("group"):
        return ""
    return f"{parent.get('namespace', '')}/{parent.get('name', '')}"
