"""The endpoints say what is wrong, in lines."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import Any

import pytest

from homeostat.runtime.serving import health_app, listen
from homeostat.telemetry.metrics import Metrics, declare

DOORS = declare("test_serving_doors", "counter", "doors", "Doors opened")


async def ask(path: str, ready: list[str]) -> tuple[int, str]:
    """One request over ASGI, without a network."""
    metrics = Metrics()
    metrics.counter(DOORS).inc()
    app = health_app(live=list, ready=lambda: ready, metrics=metrics)
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b"", "root_path": ""}
    await app(scope, receive, send)
    return sent[0]["status"], sent[1]["body"].decode()


async def test_a_ready_process_says_ok() -> None:
    assert await ask("/readyz", []) == (200, "ok\n")
    assert await ask("/livez", ["not asked"]) == (200, "ok\n")


async def test_an_unready_process_names_every_reason() -> None:
    assert await ask("/readyz", ["watch of pods is stale", "shutting down"]) == (
        503,
        "watch of pods is stale\nshutting down\n",
    )


async def test_metrics_are_shown_as_text() -> None:
    code, body = await ask("/metrics", [])
    assert code == 200
    assert "test_serving_doors_total 1.0" in body


def test_answers_leave_at_once_and_a_port_in_use_is_named() -> None:
    with closing(listen("doors", "127.0.0.1", 0)) as first:
        assert first.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        with pytest.raises(OSError, match=r"doors: expected 127.0.0.1:[0-9]+ to be free"):
            listen("doors", *first.getsockname()).close()
