"""Where Services lead, and who may speak to whom: Endpoints, EndpointSlices and NetworkPolicies.

Not judged: names and zones of endpoints, address types beyond their names, and ranges of ports.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from homeostat.sim.apiserver.kinds.names import selector_causes
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import at_index, child, invalid, not_supported, required
from homeostat.sim.apiserver.types.metadata import IMMUTABLE
from homeostat.sim.apiserver.types.type import Strategy, Value

_FAMILIES = ("FQDN", "IPv4", "IPv6")
_VERSIONS = {"IPv4": 4, "IPv6": 6}
_NO_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
_NO_RANGE = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
# What changes with every change.
_COUNTED = ("generation", "managedFields", "resourceVersion")
_TYPES = ("Ingress", "Egress")


class EndpointsStrategy(Strategy):
    """The old form."""

    def default(self, value: Value) -> None:
        """Ports are of TCP."""
        for subset in value.get("subsets") or ():
            for port in subset.get("ports") or ():
                port.setdefault("protocol", "TCP")

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:  # noqa: ARG002
        """Of addresses."""
        for index, subset in enumerate(value.get("subsets") or ()):
            place = at_index("subsets", index)
            if not subset.get("addresses") and not subset.get("notReadyAddresses"):
                yield required(place, "must specify `addresses` or `notReadyAddresses`")
            for name in ("addresses", "notReadyAddresses"):
                for at, address in enumerate(subset.get(name) or ()):
                    if _parsed(address.get("ip", "")) is None:
                        where = child(at_index(child(place, name), at), "ip")
                        # Two rules of a real server say so, each in its words.
                        yield invalid(where, address.get("ip", ""), _NO_ADDRESS)
                        yield invalid(where, address.get("ip", ""), "must be a valid IP address")


class EndpointSliceStrategy(Strategy):
    """The new form."""

    def default(self, value: Value) -> None:
        """A port without a name has an empty one."""
        for port in value.get("ports") or ():
            port.setdefault("name", "")
            port.setdefault("protocol", "TCP")

    def on_update(self, value: Value, old: Value) -> None:
        """What is said about it is part of what it says."""
        if _said(value["metadata"]) != _said(old["metadata"]):
            value["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of the kind of its addresses, and of them."""
        family = value.get("addressType", "")
        if not family:
            yield required("addressType")
        elif family not in _FAMILIES:
            yield not_supported("addressType", family, _FAMILIES)
        for index, endpoint in enumerate(value.get("endpoints") or ()):
            place = child(at_index("endpoints", index), "addresses")
            addresses = endpoint.get("addresses") or ()
            if not addresses:
                yield required(place, "must contain at least 1 address")
            for at, address in enumerate(addresses):
                yield from _of_address(address, family, at_index(place, at))
        if old is not None and family != old.get("addressType"):
            yield invalid("addressType", family, IMMUTABLE)


class NetworkPolicyStrategy(Strategy):
    """Rules of traffic. They are kept; no traffic is judged here."""

    def default(self, value: Value) -> None:
        """It is about what comes in, and about what goes out if it says something of that."""
        spec = value.setdefault("spec", {})
        spec.setdefault("podSelector", {})
        for rule in (*(spec.get("ingress") or ()), *(spec.get("egress") or ())):
            for port in rule.get("ports") or ():
                port.setdefault("protocol", "TCP")
        if not spec.get("policyTypes"):
            spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:  # noqa: ARG002
        """Of selectors, peers and directions."""
        spec = value.get("spec", {})
        yield from selector_causes(spec.get("podSelector") or {}, "spec.podSelector")
        for name, side in (("ingress", "from"), ("egress", "to")):
            for index, rule in enumerate(spec.get(name) or ()):
                for at, peer in enumerate(rule.get(side) or ()):
                    place = at_index(child(at_index(f"spec.{name}", index), side), at)
                    yield from _of_peer(peer, place)
        for index, each in enumerate(spec.get("policyTypes") or ()):
            if each not in _TYPES:
                yield not_supported(at_index("spec.policyTypes", index), each, _TYPES)


def _said(metadata: Value) -> Value:
    return {name: each for name, each in metadata.items() if name not in _COUNTED}


def _of_address(address: str, family: str, path: str) -> Iterator[Cause]:
    version = _VERSIONS.get(family)
    if version is None:
        return
    parsed = _parsed(address)
    if parsed is None:
        yield invalid(path, address, _NO_ADDRESS)
    elif parsed.version != version:
        yield invalid(path, address, f"must be an {family} address")


def _of_peer(peer: Value, path: str) -> Iterator[Cause]:
    if not peer:
        yield required(path, "must specify a peer")
    for name in ("podSelector", "namespaceSelector"):
        yield from selector_causes(peer.get(name) or {}, child(path, name))
    block = peer.get("ipBlock")
    if block is not None:
        place, cidr = child(child(path, "ipBlock"), "cidr"), block.get("cidr", "")
        try:
            ipaddress.ip_network(cidr)
        except ValueError:
            yield invalid(place, cidr, _NO_RANGE) if cidr else required(place)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None
