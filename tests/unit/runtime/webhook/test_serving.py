"""Reviews over HTTP: what is too large, too slow or cut is turned away, and the end asks clients to leave."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.clock import START, ManualClock, settle
from tests.support.reviews import NAME, THERMOSTAT, review

from homeostat.kit.pki.authority import Request
from homeostat.kube.target import ConfigError
from homeostat.runtime.webhook.answering import Reviewer
from homeostat.runtime.webhook.asking import ALLOWED
from homeostat.runtime.webhook.certificates import AUTHORITY, Lifetimes, first, served_by
from homeostat.runtime.webhook.serving import MAX_BYTES, READ_WITHIN_S, HttpsServer
from homeostat.telemetry.metrics import Metrics

Receive = Callable[[], Awaitable[dict[str, Any]]]


def server(clock: ManualClock) -> HttpsServer:
    """A server of thermostats that allows all."""
    reviewer = Reviewer(clock=clock, metrics=Metrics())
    reviewer.add(THERMOSTAT, ("CREATE",), lambda _: ALLOWED)
    return HttpsServer(reviewer, "127.0.0.1", 0, linger_s=5.0, clock=clock)


def whole(*parts: bytes) -> Receive:
    """A body in parts."""
    rest = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    rest.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, Any]:
        return rest.pop(0)

    return receive


async def never() -> dict[str, Any]:
    """A body that does not come."""
    await asyncio.Event().wait()
    raise AssertionError


async def cut() -> dict[str, Any]:
    """A client that went away."""
    return {"type": "http.disconnect"}


async def post(of: HttpsServer, receive: Receive, path: str = f"/validate/{NAME}") -> tuple[int, dict[str, str], str]:
    """One request over ASGI, without a network."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b"", "root_path": ""}
    await of.app()(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, sent[1]["body"].decode()


async def test_a_review_in_parts_is_answered_as_json() -> None:
    body = review()
    code, headers, said = await post(server(ManualClock()), whole(body[:10], body[10:]))
    assert (code, headers["content-type"], headers["connection"]) == (200, "application/json", "close")
    assert '"allowed":true' in said


async def test_a_body_that_is_too_large_is_not_read_to_its_end() -> None:
    read = 0

    async def endless() -> dict[str, Any]:
        nonlocal read
        read += 1 << 20
        return {"type": "http.request", "body": b" " * (1 << 20), "more_body": True}

    code, headers, said = await post(server(ManualClock()), endless)
    assert (code, headers["connection"]) == (413, "close")
    assert str(MAX_BYTES) in said
    assert read == MAX_BYTES + (1 << 20)


async def test_a_body_that_does_not_come_is_given_up() -> None:
    clock = ManualClock()
    asked = asyncio.ensure_future(post(server(clock), never))
    await settle()
    await clock.advance(READ_WITHIN_S)
    assert (await asked)[0] == 408


async def test_a_client_that_goes_away_is_no_error() -> None:
    assert (await post(server(ManualClock()), cut))[0] == 408


async def test_other_paths_are_not_found() -> None:
    assert (await post(server(ManualClock()), whole(review()), "/metrics"))[0] == 404


async def test_a_pair_that_does_not_fit_leaves_the_one_in_use() -> None:
    served = server(ManualClock())
    wanted = Request(AUTHORITY, "hooks", dns_names=("hooks.system.svc",))
    pair, other = (served_by(first(wanted, START, Lifetimes(leaf=timedelta(days=365)))) for _ in range(2))
    served.present(pair)
    with pytest.raises(ConfigError, match="webhook certificate and key"):
        served.present(replace(other, key=pair.key))
    assert isinstance(served._context, ssl.SSLContext)
