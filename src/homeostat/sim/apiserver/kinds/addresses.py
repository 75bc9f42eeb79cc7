"""Ranges of addresses for Services, and addresses that are taken, as objects.

The range of the server itself is there from the beginning, and Services are given addresses out of that one alone. What
Services have is told of by addresses (`holdings`); ranges that somebody writes are kept, and nobody acts on them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from datetime import datetime

from homeostat.sim.apiserver.kinds.services import RANGE
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import InOrder, at_index, child, invalid, required
from homeostat.sim.apiserver.schemas.rfc import dns_subdomain_faults
from homeostat.sim.apiserver.types.metadata import IMMUTABLE, segment_faults
from homeostat.sim.apiserver.types.type import Strategy, Value

GROUP = "networking.k8s.io"
_READY = {"type": "Ready", "status": "True", "reason": "", "message": "Kubernetes default Service CIDR is ready"}
_NO_RANGE = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_TWICE = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
_MOST = 2  # one of each family


def first(now: datetime) -> Value:
    """The range of the server itself."""
    ready = {**_READY, "lastTransitionTime": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return {"metadata": {"name": "kubernetes"}, "spec": {"cidrs": [RANGE]}, "status": {"conditions": [ready]}}


class RangeStrategy(Strategy):
    """A range: one of IPv4, one of IPv6, or one of each."""

    keeps_first_status = True
    keeps_metadata_of_status = True

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of what is in it, which stays; only a second one may come."""
        cidrs = value.get("spec", {}).get("cidrs") or []
        if old is None:
            yield from _of_ranges(cidrs)
            return
        before = old.get("spec", {}).get("cidrs") or []
        if len(cidrs) not in (len(before), _MOST) or len(cidrs) < len(before):
            yield invalid("spec.cidrs", cidrs, IMMUTABLE)
            return
        for index, (now, then) in enumerate(zip(cidrs, before, strict=False)):
            if now != then:
                yield invalid(at_index("spec.cidrs", index), now, IMMUTABLE)
        if len(cidrs) > len(before):
            yield from _of_ranges(cidrs)


class AddressStrategy(Strategy):
    """An address, which is its name, and whose it is."""

    names = "address"

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of whose it is, which stays."""
        parent = value.get("spec", {}).get("parentRef")
        yield from _of_parent(parent, "spec.parentRef")
        before = (old or {}).get("spec", {}).get("parentRef")
        if old is not None and parent != before:
            yield invalid("spec.parentRef", None if parent is None else _as_struct(parent), IMMUTABLE)


def _of_ranges(cidrs: list[str]) -> Iterator[Cause]:
    if not cidrs:
        yield required("spec.cidrs", "at least one CIDR required")
        return
    if len(cidrs) > _MOST:
        yield invalid("spec.cidrs", InOrder(CIDRs=cidrs), "may only hold up to 2 values")
        return
    versions = []
    for index, each in enumerate(cidrs):
        place = at_index("spec.cidrs", index)
        try:
            parsed = ipaddress.ip_interface(each if "/" in each else "")
        except ValueError:
            yield invalid(place, each, _NO_RANGE)
            continue
        versions.append(parsed.version)
        if parsed.ip != parsed.network.network_address:
            yield invalid(place, each, "must not have bits set beyond the prefix length")
        elif str(parsed.network) != each:
            yield invalid(place, each, f'must be in canonical form ("{parsed.network}")')
    if versions in ([4, 4], [6, 6]):
        yield invalid("spec.cidrs", cidrs, _TWICE)


def _of_parent(parent: Value | None, path: str) -> Iterator[Cause]:
    if parent is None:
        yield required(path)
        return
    group = parent.get("group", "")
    for fault in dns_subdomain_faults(group) if group else ():
        yield invalid(child(path, "group"), group, fault)
    for name in ("resource", "name", "namespace"):
        told = parent.get(name, "")
        if not told and name != "namespace":
            yield required(child(path, name))
        yield from (invalid(child(path, name), told, fault) for fault in segment_faults(told))


def _as_struct(parent: Value) -> InOrder:
    names = {"Group": "group", "Resource": "resource", "Namespace": "namespace", "Name": "name"}
    return InOrder(**{go: parent.get(name, "") for go, name in names.items()})
