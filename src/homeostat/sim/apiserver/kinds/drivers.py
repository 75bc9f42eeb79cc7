"""Drivers of storage, and which of them a host has: told by whoever installs them, and acted upon by nobody here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from homeostat.sim.apiserver.kinds.names import NEGATIVE
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import (
    InOrder,
    at_index,
    child,
    duplicate,
    invalid,
    not_supported,
    required,
    too_long,
)
from homeostat.sim.apiserver.schemas.labels import label_name_faults
from homeostat.sim.apiserver.schemas.rfc import dns_subdomain_faults
from homeostat.sim.apiserver.types.metadata import IMMUTABLE
from homeostat.sim.apiserver.types.type import Strategy, Value

_DEFAULTS: Value = {
    "attachRequired": True,
    "podInfoOnMount": False,
    "storageCapacity": False,
    "fsGroupPolicy": "ReadWriteOnceWithFSType",
    "requiresRepublish": False,
    "seLinuxMount": False,
}
_GROUP_POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
_MODES = ("Persistent", "Ephemeral")
_PERIOD_S = 10
_TOKEN_S, _LONGEST_TOKEN_S = 600, 2**32
_NAME, _NODE_ID = 63, 256


class DriverStrategy(Strategy):
    """What a driver can do, and what it wants to know."""

    needs_version = True

    def default(self, value: Value) -> None:
        """Volumes that are attached and last longer than a Pod."""
        spec = value.setdefault("spec", {})
        for name, each in _DEFAULTS.items():
            spec.setdefault(name, each)
        spec["volumeLifecycleModes"] = spec.get("volumeLifecycleModes") or ["Persistent"]

    def on_update(self, value: Value, old: Value) -> None:
        """Changes are counted from none, and not from one as those of others are."""
        if value["spec"] != old["spec"]:
            value["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its words; whether it attaches and how long volumes last stays the same."""
        spec = value["spec"]
        if spec["fsGroupPolicy"] not in _GROUP_POLICIES:
            yield not_supported("spec.fsGroupPolicy", spec["fsGroupPolicy"], _GROUP_POLICIES)
        requests = spec.get("tokenRequests") or ()
        yield from _of_tokens(requests, "spec.tokenRequests")
        for mode in spec["volumeLifecycleModes"]:
            if mode not in _MODES:
                yield not_supported("spec.volumeLifecycleModes", mode, _MODES)
        period = spec.get("nodeAllocatableUpdatePeriodSeconds")
        if period is not None and period < _PERIOD_S:
            path = "spec.nodeAllocatableUpdatePeriodSeconds"
            yield invalid(path, period, f"must be greater than or equal to {_PERIOD_S} seconds")
        if spec.get("serviceAccountTokenInSecrets") is not None and not requests:
            said = "serviceAccountTokenInSecrets is set but no tokenRequests are specified"
            yield invalid("spec.serviceAccountTokenInSecrets", spec["serviceAccountTokenInSecrets"], said)
        for name, told in (("attachRequired", "attachedRequired"), ("volumeLifecycleModes", "volumeLifecycleModes")):
            if old is not None and spec[name] != old["spec"][name]:
                yield invalid(f"spec.{told}", spec[name], IMMUTABLE)


class HostDriversStrategy(Strategy):
    """Which drivers a host has, and as whom it knows itself to them."""

    needs_version = True

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of each driver, which may come and go, and of which only the room may change."""
        drivers = value.get("spec", {}).get("drivers") or ()
        # Kubernetes judges the whole object twice when it is changed, and tells its faults twice.
        for _ in range(1 if old is None else 2):
            yield from _of_drivers(drivers)
        before = {each["name"]: each for each in (old or {}).get("spec", {}).get("drivers") or ()}
        for each in drivers:
            then = before.get(each.get("name", ""))
            if then is not None and _fixed(then) != _fixed(each):
                yield invalid("spec.drivers", _fixed(each), IMMUTABLE)


def _of_tokens(requests: Iterable[Value], path: str) -> Iterator[Cause]:
    seen = set[str]()
    for index, each in enumerate(requests):
        place, audience, seconds = at_index(path, index), each.get("audience", ""), each.get("expirationSeconds")
        if audience in seen:
            yield duplicate(child(place, "audience"), audience)
            continue
        seen.add(audience)
        if seconds is not None and seconds < _TOKEN_S:
            said = "may not specify a duration less than 10 minutes"
            yield invalid(child(place, "expirationSeconds"), seconds, said)
        if seconds is not None and seconds > _LONGEST_TOKEN_S:
            said = "may not specify a duration larger than 2^32 seconds"
            yield invalid(child(place, "expirationSeconds"), seconds, said)


def _of_drivers(drivers: Iterable[Value]) -> Iterator[Cause]:
    seen = set[str]()
    for index, each in enumerate(drivers):
        place, name, count = at_index("spec.drivers", index), each.get("name", ""), _count(each)
        yield from _of_name(name, child(place, "name"))
        identity = each.get("nodeID", "")
        if not identity:
            yield required(child(place, "nodeID"))
        if len(identity.encode()) > _NODE_ID:
            yield invalid(child(place, "nodeID"), identity, f"must be {_NODE_ID} characters or less")
        if count is not None and count < 0:
            yield invalid(child(place, "allocatable.count"), count, NEGATIVE)
        if name in seen:
            yield duplicate(child(place, "name"), name)
        seen.add(name)
        yield from _of_keys(each.get("topologyKeys") or (), place)


def _of_name(name: str, path: str) -> Iterator[Cause]:
    if not name:
        yield required(path)
        return
    if len(name) > _NAME:
        yield too_long(path, _NAME)
    for fault in dns_subdomain_faults(name.lower()):
        yield invalid(path, name, fault)


def _of_keys(keys: Iterable[str], path: str) -> Iterator[Cause]:
    seen = set[str]()
    for key in keys:
        if not key:
            yield required(path)
        if key in seen:
            yield duplicate(path, key)
        seen.add(key)
        for fault in label_name_faults(key):
            yield invalid(path, key, fault)


def _count(driver: Value) -> Any:
    return (driver.get("allocatable") or {}).get("count")


def _fixed(driver: Value) -> InOrder:
    """All but the room, as Go shows it."""
    shown = {"Name": driver.get("name", ""), "NodeID": driver.get("nodeID", "")}
    return InOrder(**shown, TopologyKeys=driver.get("topologyKeys"), Allocatable=None)
