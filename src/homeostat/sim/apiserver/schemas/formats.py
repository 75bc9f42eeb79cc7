"""The formats of texts that an API server checks in custom objects, after go-openapi's `strfmt` as kube-openapi has it.

Formats that it does not know are ignored, and so are those of numbers. Formats that nobody uses in Kubernetes (isbn,
creditcard, ssn, colours, bson) are known and not imitated: a CRD with one is refused.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from datetime import date

from homeostat.sim.apiserver.schemas.rfc import is_dns_label, is_dns_subdomain

NOT_IMITATED = frozenset(
    ("bsonobjectid", "isbn", "isbn10", "isbn13", "creditcard", "ssn", "hexcolor", "rgbcolor", "email")
)
_UUID = r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?%s[0-9a-f]{3}-?[0-9a-f]{12}"
_TIME = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))")
_MAC = re.compile(r"([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}|([0-9a-fA-F]{4}\.){2}[0-9a-fA-F]{4}")
_LABEL = re.compile(r"[^\W_](?:(?:[^\W_]|-){0,61}[^\W_])?")
_GO_DURATION = re.compile(
    r"[+-]?(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))*|[+-]?0"
)
_SCALA_DURATION = re.compile(r"(\d+)\s*([A-Za-zµ]+)")
_UNITS: tuple[str, ...] = (
    "ns",
    "nano",
    "us",
    "µs",
    "micro",
    "ms",
    "milli",
    "s",
    "sec",
    "m",
    "min",
    "h",
    "hr",
    "hour",
    "d",
    "day",
    "w",
)
_UNITS += ("wk", "week")
_LONG_UNITS: tuple[str, ...] = ("nano", "micro", "milli", "sec", "min", "hour", "day", "week")


def matches(format_name: str, text: str) -> bool:
    """Whether a text has a known format."""
    return KNOWN[format_name.replace("-", "")](text)


def _is_ip(version: int) -> Callable[[str], bool]:
    def is_one(text: str) -> bool:
        address = _address(text)
        return address is not None and (("." in text) if version == 4 else (":" in text and address.version == 6))

    return is_one


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    # Go's older parser, which the API server keeps, takes leading zeros.
    plain = re.sub(r"(^|\.)0+(?=\d)", r"\1", text) if ":" not in text else text
    try:
        return ipaddress.ip_address(plain) if "%" not in text else None
    except ValueError:
        return None


def _is_cidr(text: str) -> bool:
    address, slash, length = text.partition("/")
    parsed = _address(address)
    if parsed is None or not slash or not re.fullmatch("[0-9]{1,3}", length):
        return False
    return int(length) <= parsed.max_prefixlen


def _is_date(text: str) -> bool:
    try:
        return re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_date_time(text: str) -> bool:
    day, letter, rest = text.lower().partition("t")
    found = _TIME.fullmatch(rest)
    if not letter or not _is_date(day) or not found:
        return False
    return found[1] <= "23" and found[2] <= "59" and found[3] <= "59"


def _is_duration(text: str) -> bool:
    if _GO_DURATION.fullmatch(text):
        return True
    units = [unit.lower() for _, unit in _SCALA_DURATION.findall(text)]
    return any(unit in _UNITS or unit.startswith(_LONG_UNITS) for unit in units)


def _is_host_name(text: str) -> bool:
    labels = text.split(".")
    if len(text) > 255 or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    return len(labels) == 1 or re.fullmatch(r"[^\W\d_]{2,63}", labels[-1]) is not None


def _is_uri(text: str) -> bool:
    if not text or any(each in " \x7f" or each < " " for each in text):
        return False
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text):
        return re.match(r"[A-Za-z][A-Za-z0-9+.-]*:.+", text) is not None
    return text.startswith("/")


def _is_base64(text: str) -> bool:
    try:
        return bool(text) and base64.b64encode(base64.b64decode(text, validate=True)) == text.encode()
    except (binascii.Error, ValueError):
        return False


def _matching(pattern: str) -> Callable[[str], bool]:
    expression = re.compile(pattern)
    return lambda text: expression.fullmatch(text) is not None


def _is_anything(text: str) -> bool:
    del text
    return True


KNOWN: dict[str, Callable[[str], bool]] = {
    "uri": _is_uri,
    "hostname": _is_host_name,
    "ipv4": _is_ip(4),
    "ipv6": _is_ip(6),
    "cidr": _is_cidr,
    "mac": _matching(_MAC.pattern),
    "uuid": _matching(_UUID % ("[0-9a-f]", "[0-9a-f]")),
    "uuid3": _matching(_UUID % ("3", "[0-9a-f]")),
    "uuid4": _matching(_UUID % ("4", "[89ab]")),
    "uuid5": _matching(_UUID % ("5", "[89ab]")),
    "byte": _is_base64,
    "password": _is_anything,
    "date": _is_date,
    "duration": _is_duration,
    "datetime": _is_date_time,
    "k8sshortname": is_dns_label,
    "k8slongname": is_dns_subdomain,
} | dict.fromkeys(NOT_IMITATED, _is_anything)
"""By the name without dashes, as `date-time` and `datetime` are one."""
