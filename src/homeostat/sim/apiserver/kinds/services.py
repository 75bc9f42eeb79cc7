"""Services: addresses and ports are allocated when a Service needs them, and stay while it does.

Addresses are given in order, not by chance. One family of addresses (IPv4) is imitated, as in a cluster with one range.
Not judged: annotations, external addresses, source ranges, traffic distribution and session affinity settings.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from homeostat.sim.apiserver.kinds.holdings import Holdings
from homeostat.sim.apiserver.kinds.pods.judging import port_name_faults
from homeostat.sim.apiserver.refusing import Cause, Refused
from homeostat.sim.apiserver.schemas.causes import InOrder, at_index, duplicate, invalid, not_supported, required
from homeostat.sim.apiserver.schemas.rfc import dns_label_faults, dns_subdomain_faults
from homeostat.sim.apiserver.store.record import key_of
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.type import Strategy, Value

Taken = tuple[tuple[str, ...], tuple[int, ...]]
RANGE = "10.0.0.0/16"
_ENDPOINTS = ("", "endpoints")
_HEADLESS, _EXTERNAL = "None", "ExternalName"
_ON_HOSTS = ("NodePort", "LoadBalancer")
_TYPES = ("ClusterIP", _EXTERNAL, "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_AFFINITIES = ("ClientIP", "None")
_POLICIES = ("Cluster", "Local")
_PORTS = range(30000, 32768)
_FULL = "Internal error occurred: failed to allocate a nodePort: range is full"
_PORT_SAYS = "must be between 1 and 65535, inclusive"
_NO_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


class ServiceStrategy(Strategy):
    """Knows which ports of one server are taken, and keeps the objects that tell of addresses."""

    names = "label 1035"
    returns_deleted = True

    def __init__(self, store: Store, holdings: Holdings, cidr: str = RANGE) -> None:
        self._range = ipaddress.ip_network(cidr)
        self._store = store
        self._holdings = holdings
        self._ports: dict[int, str] = {}
        self._held: dict[str, Taken] = {}
        self._least_port = _PORTS.start  # none below is free
        # The first is the network's own, the second that of the API server.
        self._next = 2

    def default(self, value: Value) -> None:
        """Of everything but what is allocated."""
        spec = value.setdefault("spec", {})
        spec.setdefault("sessionAffinity", "None")
        kind = spec.setdefault("type", "ClusterIP")
        if spec["sessionAffinity"] == "ClientIP":
            spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {}).setdefault("timeoutSeconds", 10800)
        for port in spec.get("ports") or ():
            port.setdefault("protocol", "TCP")
            if port.get("targetPort") in (None, 0, ""):
                port["targetPort"] = port.get("port", 0)
        if kind in _ON_HOSTS:
            spec.setdefault("externalTrafficPolicy", "Cluster")
        if kind != _EXTERNAL:
            spec.setdefault("internalTrafficPolicy", "Cluster")
        if kind == "LoadBalancer":
            spec.setdefault("allocateLoadBalancerNodePorts", True)
            for one in value.get("status", {}).get("loadBalancer", {}).get("ingress") or ():
                if one.get("ip"):
                    one.setdefault("ipMode", "VIP")

    def on_create(self, value: Value) -> None:
        """Give it what it needs."""
        value["status"] = {"loadBalancer": {}}
        self._allocate(value)

    def on_update(self, value: Value, old: Value) -> None:
        """What an update leaves out stays; what it needs now is allocated."""
        self._held[_whose(old)] = _taken(old)
        spec, before = value["spec"], old.get("spec", {})
        if before.get("type") != _EXTERNAL and spec.get("type") != _EXTERNAL:
            for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
                if not spec.get(name) and before.get(name):
                    spec[name] = before[name]
        elif spec.get("type") == _EXTERNAL:
            _leave_addresses(spec, before)
        if before.get("type") in _ON_HOSTS and spec.get("type") in _ON_HOSTS:
            taken = {
                (each.get("port"), each.get("protocol")): each.get("nodePort") for each in before.get("ports") or ()
            }
            for port in spec.get("ports") or ():
                number = taken.get((port.get("port"), port.get("protocol")))
                if number and not port.get("nodePort"):
                    port["nodePort"] = number
        elif before.get("type") in _ON_HOSTS:
            self._leave_hosts(spec, before)
        self._allocate(value)

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its addresses, its ports, and its words."""
        spec = value.get("spec", {})
        bad = list(self._address_causes(value))
        yield from bad
        if bad:
            return
        yield from _of_ports(spec)
        yield from _of_words(spec)
        if old is not None:
            yield from _of_change(spec, old.get("spec", {}))

    def on_stored(self, value: Value) -> None:
        """What it has is taken, and what it had is not."""
        whose = _whose(value)
        addresses, ports = self._held[whose] = self._left(value, _taken(value))
        for address in addresses:
            self._holdings.hold(address, whose)
        self._ports |= dict.fromkeys(ports, whose)

    def on_gone(self, value: Value) -> None:
        """What it had can be given to others, and nobody is told of its endpoints any more."""
        self._held[_whose(value)] = _taken(value)
        self._left(value, ((), ()))
        del self._held[_whose(value)]
        meta = value["metadata"]
        endpoints = self._store.shelf(_ENDPOINTS).get(key_of(meta["namespace"], meta["name"]))
        if endpoints is not None and not endpoints.value(b"")["metadata"].get("finalizers"):
            self._store.drop(_ENDPOINTS, endpoints.key)

    def _left(self, value: Value, kept: Taken) -> Taken:
        """Give away what it had and does not keep."""
        whose = _whose(value)
        addresses, ports = self._held.get(whose, ((), ()))
        for address in addresses:
            if address not in kept[0]:
                self._holdings.release(address, whose)
        for port in ports:
            if port not in kept[1]:
                self._ports.pop(port, None)
                self._least_port = max(min(self._least_port, port), _PORTS.start)
        return kept

    def _allocate(self, value: Value) -> None:
        spec = value["spec"]
        if spec.get("type") == _EXTERNAL:
            return
        if not spec.get("clusterIPs"):
            spec["clusterIP"] = spec.get("clusterIP") or self._free_address()
            spec["clusterIPs"] = [spec["clusterIP"]]
        spec["clusterIP"] = spec.get("clusterIP") or spec["clusterIPs"][0]
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        wants = spec.get("type") == "NodePort" or spec.get("allocateLoadBalancerNodePorts")
        if spec.get("type") in _ON_HOSTS and wants:
            given: set[int] = set()
            for port in spec.get("ports") or ():
                if not port.get("nodePort"):
                    port["nodePort"] = self._free_port(given)
                if not port["nodePort"]:
                    raise Refused(500, "InternalError", _FULL)
                given.add(port["nodePort"])

    def _free_address(self) -> str:
        size = self._range.num_addresses
        for _ in range(size):
            address = str(self._range[self._next])
            if self._holdings.is_free(address):
                return address
            self._next = self._next + 1 if self._next + 2 < size else 2
        return ""

    def _free_port(self, given: set[int]) -> int:
        """The lowest that nobody has; 0 when there is none. Thousands that are taken are not looked at each time."""
        while self._least_port in self._ports:
            self._least_port += 1
        free = (each for each in range(self._least_port, _PORTS.stop) if each not in self._ports and each not in given)
        return next(free, 0)

    def _leave_hosts(self, spec: Value, before: Value) -> None:
        had = {each.get("nodePort") for each in before.get("ports") or ()}
        for port in spec.get("ports") or ():
            if port.get("nodePort") in had:
                port.pop("nodePort", None)
        for name in ("externalTrafficPolicy", "allocateLoadBalancerNodePorts"):
            if spec.get(name) == before.get(name):
                spec.pop(name, None)

    def _address_causes(self, value: Value) -> Iterator[Cause]:
        for index, address in enumerate(value["spec"].get("clusterIPs") or ()):
            if address in ("", _HEADLESS):
                continue
            try:
                parsed = ipaddress.ip_address(address)
            except ValueError:
                yield invalid(at_index("spec.clusterIPs", index), address, _NO_ADDRESS)
                continue
            failed = f"failed to allocate IP {address}:"
            if parsed not in self._range:
                why = f"the provided IP ({address}) is not in the valid range. The range of valid IPs is {self._range}"
                yield invalid("spec.clusterIPs", [address], f"{failed} {why}")
            elif not self._holdings.is_free(address, _whose(value)):
                yield invalid("spec.clusterIPs", [address], f"{failed} provided IP is already allocated")


def _leave_addresses(spec: Value, before: Value) -> None:
    """A name elsewhere needs none; what somebody asks for all the same is refused later."""
    addresses, alone = ("clusterIP", "clusterIPs"), ("ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy")
    for name in alone:
        if spec.get(name) == before.get(name):
            spec.pop(name, None)
    if all(spec.get(name) in (None, "", [], before.get(name)) for name in addresses):
        for name in addresses:
            spec.pop(name, None)


def _of_ports(spec: Value) -> Iterator[Cause]:
    ports = spec.get("ports") or ()
    if not ports and spec.get("clusterIP") != _HEADLESS and spec.get("type") != _EXTERNAL:
        yield required("spec.ports")
    names: set[str] = set()
    seen: set[tuple[object, object]] = set()
    for index, port in enumerate(ports):
        place, name, number = at_index("spec.ports", index), port.get("name", ""), port.get("port", 0)
        if not name:
            if len(ports) > 1:
                yield required(f"{place}.name")
        else:
            yield from (invalid(f"{place}.name", name, fault) for fault in dns_label_faults(name))
            if name in names:
                yield duplicate(f"{place}.name", name)
            names.add(name)
        if not 0 < number < 65536:
            yield invalid(f"{place}.port", number, _PORT_SAYS)
        if port.get("protocol") not in _PROTOCOLS:
            yield not_supported(f"{place}.protocol", port.get("protocol"), _PROTOCOLS)
        yield from _of_target(port.get("targetPort"), f"{place}.targetPort")
    for index, port in enumerate(ports):
        key = (port.get("protocol"), port.get("port"))
        if key in seen:
            shown = InOrder(Name="", Protocol=key[0], AppProtocol=None, Port=key[1], TargetPort=0, NodePort=0)
            yield duplicate(at_index("spec.ports", index), shown)
        seen.add(key)


def _of_target(target: object, path: str) -> Iterator[Cause]:
    if isinstance(target, int):
        if not 0 < target < 65536:
            yield invalid(path, target, _PORT_SAYS)
    else:
        yield from (invalid(path, target, fault) for fault in port_name_faults(str(target)))


def _of_words(spec: Value) -> Iterator[Cause]:
    kind = spec.get("type")
    if spec.get("sessionAffinity") not in _AFFINITIES:
        yield not_supported("spec.sessionAffinity", spec.get("sessionAffinity"), _AFFINITIES)
    if kind not in _TYPES:
        yield not_supported("spec.type", kind, _TYPES)
    if kind == _EXTERNAL:
        if not spec.get("externalName"):
            yield required("spec.externalName")
        for fault in dns_subdomain_faults(spec["externalName"].rstrip(".")) if spec.get("externalName") else ():
            yield invalid("spec.externalName", spec["externalName"], fault)
    for name in ("internalTrafficPolicy", "externalTrafficPolicy"):
        policy = spec.get(name)
        if policy is not None and policy not in _POLICIES:
            yield not_supported(f"spec.{name}", policy, _POLICIES)


def _of_change(spec: Value, before: Value) -> Iterator[Cause]:
    if _EXTERNAL in (spec.get("type"), before.get("type")):
        return
    now, then = spec.get("clusterIPs"), before.get("clusterIPs")
    if now != then:
        yield invalid("spec.clusterIPs[0]", now, "may not change once set")


def _taken(value: Value) -> Taken:
    """Addresses of the cluster, and ports of hosts."""
    spec = value["spec"]
    ports = tuple(each["nodePort"] for each in spec.get("ports") or () if each.get("nodePort"))
    return tuple(each for each in spec.get("clusterIPs") or () if each != _HEADLESS), ports


def _whose(value: Value) -> str:
    metadata = value["metadata"]
    return f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
