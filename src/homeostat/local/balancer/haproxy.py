"""HAProxy's configuration as a pure function of what is balanced.

Connections are passed through (mode tcp), so TLS ends at the backend. Checks run every half second: a dead backend is
left after one second at most, and a connection that fails to open is tried at another one (`redispatch`). Where there
is one backend only, there is no other to go to: it is checked every five seconds, for an API server of an idle cluster
does little else than to answer checks, each with a handshake of TLS. When one check failed they come fast. Timeouts are
long because watches are silent for minutes; TCP keep-alive finds peers that are gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

MARK = "changed"  # a file beside the configuration; who loads that takes the mark away first
_UNSAFE = re.compile(r"[^A-Za-z0-9_.:-]")
_UNSAFE_IN_PATH = re.compile(r"[^A-Za-z0-9_./?=&-]")


class Backend(Struct, frozen=True, order=True):
    """One address that serves a port."""

    address: str
    port: int
    name: str = ""


class Frontend(Struct, frozen=True, order=True):
    """One port of one Service at its address, with what stands behind it."""

    service: str  # namespace/name
    port_name: str
    address: str
    port: int
    backends: tuple[Backend, ...] = ()
    health_path: str = ""  # asked over TLS without verification; empty means that opening a connection is health


_GLOBAL = """\
# Written by homeostat's balancer from Services and EndpointSlices; changes by hand are overwritten.
global
    maxconn 8000
    stats socket /run/haproxy/admin.sock mode 600 level admin
    hard-stop-after 10m
    log stderr format raw local0 notice

defaults
    mode tcp
    log global
    option tcpka
    option redispatch 1
    retries 3
    timeout connect 1s
    timeout check 2s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
    timeout queue 5s
    balance leastconn

frontend health
    mode http
    bind 127.0.0.1:8404
    http-request return status 200
"""


def render(frontends: Iterable[Frontend]) -> str:
    """The whole file; the same frontends in any order give the same bytes."""
    return "\n".join([_GLOBAL, *(_section(frontend) for frontend in sorted(frontends))])


def _section(frontend: Frontend) -> str:
    name = _UNSAFE.sub("_", f"{frontend.service}:{frontend.port_name or frontend.port}".replace("/", ":"))
    lines = [f"listen {name}", f"    bind {frontend.address}:{frontend.port}"]
    every = "500ms" if len(frontend.backends) > 1 else "5s"
    check = f"check inter {every} fastinter 250ms downinter 500ms fall 2 rise 1 on-marked-down shutdown-sessions"
    if frontend.health_path:
        path = _UNSAFE_IN_PATH.sub("", frontend.health_path)
        lines += [
            "    option httpchk",
            f"    http-check send meth GET uri {path} ver HTTP/1.1 hdr Host {frontend.address}",
            "    http-check expect status 200",
        ]
        check += " check-ssl verify none"
    for number, backend in enumerate(sorted(frontend.backends)):
        label = _UNSAFE.sub("_", backend.name or f"b{number}")
        lines.append(f"    server {label} {backend.address}:{backend.port} {check}")
    return "\n".join(lines) + "\n"
