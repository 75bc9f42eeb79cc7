"""The functions that Kubernetes adds to CEL, as far as they are imitated: quantities, IP addresses and CIDRs.

Their values have types of their own in Kubernetes. Here they are maps of one entry, the only values of CEL that
functions in Python may take and give: `{"ip": "10.0.0.1"}`. They are equal where they mean the same.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from homeostat.kit.quantity import parse_quantity

NOT_IMITATED = frozenset(
    (
        *("isURL", "url", "find", "findAll", "isSorted", "sum", "min", "max", "indexOf", "lastIndexOf"),
        *("format.named", "authorizer", "isSemver", "semver", "sets.contains", "sets.equivalent", "sets.intersects"),
        *("jsonpatch.escapeKey", "all", "exists", "transformList", "transformMap", "exists_one"),
    )
)
"""Functions and variables of Kubernetes' CEL that are known and refused."""

Made = dict[str, Any]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_quantity(text: str) -> bool:
    """Whether it is a quantity as `100m` or `2Gi`."""
    try:
        parse_quantity(text)
    except ValueError:
        return False
    return True


def quantity(text: str) -> Made:
    """A quantity. Raises ValueError."""
    return {"quantity": str(parse_quantity(text).normalize())}


def is_ip(text: str) -> bool:
    """Whether it is an address, neither with a zone nor IPv4 as IPv6."""
    return _address(text) is not None


def ip(text: str) -> Made:
    """An address. Raises ValueError."""
    address = _address(text)
    if address is None:
        raise ValueError(f"IP Address {text!r} is not valid")
    return {"ip": str(address)}


def is_cidr(text: str) -> bool:
    """Whether it is an address and a prefix length."""
    return _cidr(text) is not None


def cidr(text: str) -> Made:
    """An address and a prefix length. Raises ValueError."""
    parsed = _cidr(text)
    if parsed is None:
        raise ValueError(f"network address {text!r} is not valid")
    return {"cidr": f"{parsed.ip}/{parsed.network.prefixlen}"}


def contains(network: Made, other: Made | str) -> bool:
    """Whether an address or a whole network is within a network."""
    outer = _interface(network["cidr"]).network
    inner = _interface(other if isinstance(other, str) else other.get("cidr") or other["ip"]).network
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]  # of one version


def masked(network: Made) -> Made:
    """The network with its first address."""
    return {"cidr": str(_interface(network["cidr"]).network)}


@functools.lru_cache(maxsize=4096)
def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text) if "%" not in text else None
    except ValueError:
        return None
    return None if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped else address


@functools.lru_cache(maxsize=4096)
def _cidr(text: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface | None:
    address, slash, length = text.partition("/")
    if not slash or _address(address) is None or not (length.isascii() and length.isdecimal()):
        return None
    if length != str(int(length)):
        return None
    try:
        return ipaddress.ip_interface(text)
    except ValueError:
        return None


@functools.lru_cache(maxsize=4096)
def _interface(text: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    return ipaddress.ip_interface(text)


def _amount(made: Made) -> Decimal:
    return Decimal(made["quantity"])


def _compared(one: Made, other: Made) -> int:
    return int(_amount(one).compare(_amount(other)))


def _sum(one: Made, other: Made | int, sign: int = 1) -> Made:
    added = Decimal(other) if isinstance(other, int) else _amount(other)
    return {"quantity": str((_amount(one) + sign * added).normalize())}


def _parsed(made: Made) -> Address:
    return ipaddress.ip_address(made["ip"])


def _inner_ip(made: Made) -> Made:
    return {"ip": str(_interface(made["cidr"]).ip)}


@functools.cache
def declared() -> list[Any]:
    """All of them as the library takes them: a name, and for each way to call it the types and what does it."""
    from cel_expr_python import cel

    text, whole, truth, real = cel.Type.STRING, cel.Type.INT, cel.Type.BOOL, cel.Type.DOUBLE
    made = cel.Type.Map(text, cel.Type.DYN)
    ways: list[tuple[str, Any, list[Any], bool, Callable[..., Any]]] = [
        ("isQuantity", truth, [text], False, is_quantity),
        ("quantity", made, [text], False, quantity),
        ("sign", whole, [made], True, lambda one: int(_amount(one).compare(Decimal(0)))),
        ("isInteger", truth, [made], True, lambda one: _amount(one) == _amount(one).to_integral_value()),
        ("asInteger", whole, [made], True, lambda one: int(_amount(one))),
        ("asApproximateFloat", real, [made], True, lambda one: float(_amount(one))),
        ("isLessThan", truth, [made, made], True, lambda one, other: _compared(one, other) < 0),
        ("isGreaterThan", truth, [made, made], True, lambda one, other: _compared(one, other) > 0),
        ("compareTo", whole, [made, made], True, _compared),
        ("add", made, [made, made], True, _sum),
        ("add", made, [made, whole], True, _sum),
        ("sub", made, [made, made], True, lambda one, other: _sum(one, other, -1)),
        ("sub", made, [made, whole], True, lambda one, other: _sum(one, other, -1)),
        ("isIP", truth, [text], False, is_ip),
        ("ip", made, [text], False, ip),
        ("ip", made, [made], True, _inner_ip),
        ("family", whole, [made], True, lambda one: _parsed(one).version),
        ("isUnspecified", truth, [made], True, lambda one: _parsed(one).is_unspecified),
        ("isLoopback", truth, [made], True, lambda one: _parsed(one).is_loopback),
        ("isCIDR", truth, [text], False, is_cidr),
        ("cidr", made, [text], False, cidr),
        ("containsIP", truth, [made, text], True, contains),
        ("containsIP", truth, [made, made], True, contains),
        ("containsCIDR", truth, [made, text], True, contains),
        ("containsCIDR", truth, [made, made], True, contains),
        ("masked", made, [made], True, masked),
        ("prefixLength", whole, [made], True, lambda one: _interface(one["cidr"]).network.prefixlen),
    ]
    overloads: dict[str, list[Any]] = {}
    for name, gives, takes, is_member, does in ways:
        known = overloads.setdefault(name, [])
        known.append(cel.Overload(f"{name}_{len(known)}", gives, takes, is_member, does))
    return [cel.FunctionDecl(name, known) for name, known in overloads.items()]
