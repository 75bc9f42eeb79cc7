"""Which proxy the environment wants for an address: HTTPS_PROXY, HTTP_PROXY and NO_PROXY with Go's meaning.

Loopback is never proxied, and NO_PROXY takes hosts, domains with their sub-domains, addresses, networks, and `*`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit


def proxy_for(server: str, environment: Mapping[str, str]) -> str:
    """The proxy's URL, or empty for a direct connection."""
    parts = urlsplit(server)
    host = parts.hostname or ""
    proxy = _first(environment, "HTTPS_PROXY" if parts.scheme == "https" else "HTTP_PROXY")
    if not proxy or _is_loopback(host) or is_excepted(host, parts.port, _first(environment, "NO_PROXY")):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def is_excepted(host: str, port: int | None, exceptions: str) -> bool:
    """Whether a NO_PROXY list names the host."""
    return any(_matches(host, port, entry.strip().lower()) for entry in exceptions.split(",") if entry.strip())


def _matches(host: str, port: int | None, entry: str) -> bool:
    if entry == "*":
        return True
    address = _address(host)
    if "/" in entry:
        try:
            return address is not None and address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name, colon, wanted_port = entry.rpartition(":")
    if colon and wanted_port.isdecimal() and _address(entry) is None:
        if port != int(wanted_port):
            return False
        entry = name
    if address is not None:
        return _address(entry.strip("[]")) == address
    entry = entry.removeprefix("*")
    return host == entry.removeprefix(".") or host.endswith(entry if entry.startswith(".") else f".{entry}")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _first(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.lower()) or ""
