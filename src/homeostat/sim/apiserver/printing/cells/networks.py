"""Services, and who is behind them: addresses, ports, hosts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from homeostat.sim.apiserver.printing.cells.parts import (
    NONE,
    UNSET,
    Cells,
    age_of,
    few,
    labels,
    name_of,
    part,
    selector,
)
from homeostat.sim.apiserver.types.type import Value

_SHOWN = 3  # of addresses, ports and hosts


def service(value: Value, now: datetime) -> Cells:
    """Where it is reached, from inside and from outside."""
    spec = value["spec"]
    inside = (spec.get("clusterIPs") or [NONE])[0]
    ports = ",".join(map(_port, spec.get("ports") or ())) or NONE
    type_, chosen = spec.get("type", ""), labels(spec.get("selector"))
    return [name_of(value), type_, inside, _outside(value), ports, age_of(value, now), chosen]


def endpoints(value: Value, now: datetime) -> Cells:
    """The first addresses."""
    found = list(_addresses(value))
    return [name_of(value), few(found, _SHOWN, empty="" if value.get("subsets") else NONE), age_of(value, now)]


def endpoint_slice(value: Value, now: datetime) -> Cells:
    """The first ports and addresses."""
    ports = [str(each.get("port") or each.get("name") or "*") for each in value.get("ports") or ()]
    addresses = [one for each in value.get("endpoints") or () for one in each.get("addresses") or ()]
    shown = [few(each, _SHOWN, empty=UNSET) for each in (ports, addresses)]
    return [name_of(value), value.get("addressType", ""), *shown, age_of(value, now)]


def address(value: Value, now: datetime) -> Cells:
    """Whose it is; and its age, for which the real server, too, has no column."""
    owner = value["spec"].get("parentRef") or {}
    type_ = ".".join(each for each in (owner.get("resource"), owner.get("group")) if each)
    parts = (type_, owner.get("namespace"), owner.get("name"))
    return [name_of(value), "/".join(each for each in parts if each) or NONE, age_of(value, now)]


def address_range(value: Value, now: datetime) -> Cells:
    """From where to where."""
    return [name_of(value), ",".join(value["spec"].get("cidrs") or ()), age_of(value, now)]


def ingress(value: Value, now: datetime) -> Cells:
    """Which hosts it answers for."""
    spec = value["spec"]
    rules = spec.get("rules") or ()
    hosts = [each["host"] for each in rules[:_SHOWN] if each.get("host")]
    shown = ",".join(hosts) or "*"
    if hosts and len(rules) > _SHOWN:
        shown = f"{shown} + {len(rules) - _SHOWN} more..."
    ports = "80, 443" if spec.get("tls") else "80"
    return [name_of(value), spec.get("ingressClassName") or NONE, shown, _balancers(value), ports, age_of(value, now)]


def ingress_class(value: Value, now: datetime) -> Cells:
    """Who cares for ingresses of it."""
    asked, told = value["spec"].get("parameters"), NONE
    if asked:
        group = f".{asked['apiGroup']}" if asked.get("apiGroup") else ""
        told = f"{asked['kind']}{group}/{asked['name']}"
    return [name_of(value), value["spec"].get("controller", ""), told, age_of(value, now)]


def network_policy(value: Value, now: datetime) -> Cells:
    """For which Pods it is."""
    return [name_of(value), selector(value["spec"].get("podSelector")), age_of(value, now)]


def _port(port: Value) -> str:
    on_hosts = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{on_hosts}/{port.get('protocol', '')}"


def _outside(value: Value) -> str:
    spec = value["spec"]
    extra = spec.get("externalIPs") or []
    match spec.get("type"):
        case "LoadBalancer":
            return ",".join([*filter(None, [_balancers(value)]), *extra]) or "<pending>"
        case "ExternalName":
            return str(spec.get("externalName", ""))
        case _:
            return ",".join(extra) or NONE


def _balancers(value: Value) -> str:
    found = part(value, "status", "loadBalancer").get("ingress") or ()
    return ",".join(sorted({each.get("ip") or each.get("hostname") or "" for each in found} - {""}))


def _addresses(value: Value) -> Iterator[str]:
    for subset in value.get("subsets") or ():
        ready = [each["ip"] for each in subset.get("addresses") or ()]
        if not subset.get("ports"):
            yield from ready
        for port in subset.get("ports") or ():
            yield from (f"[{ip}]:{port['port']}" if ":" in ip else f"{ip}:{port['port']}" for ip in ready)
