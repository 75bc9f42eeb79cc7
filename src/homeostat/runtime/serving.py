"""Health, readiness and metrics over HTTP.

`/livez` fails when restarting the process would help (a wedged worker); `/readyz` fails when its answers could not be
trusted (a cache that is not filled, a stale watch, draining). Both say in plain lines what is wrong. `/healthz` is
`/livez` under its old name.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from homeostat.telemetry.metrics import Metrics

Check = Callable[[], list[str]]


def health_app(*, live: Check, ready: Check, metrics: Metrics) -> Starlette:
    """The application; checks return what is wrong, nothing when all is well."""

    def answer(check: Check) -> Callable[[Request], Response]:
        def endpoint(_: Request) -> Response:
            problems = check()
            return PlainTextResponse("\n".join(problems or ["ok"]) + "\n", 503 if problems else 200)

        return endpoint

    def expose(_: Request) -> Response:
        return Response(metrics.expose(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return Starlette(
        routes=[
            Route("/livez", _in_loop(answer(live))),
            Route("/healthz", _in_loop(answer(live))),
            Route("/readyz", _in_loop(answer(ready))),
            Route("/metrics", _in_loop(expose)),
        ]
    )


def _in_loop(endpoint: Callable[[Request], Response]) -> Callable[[Request], object]:
    """As a coroutine function: Starlette would run a plain one in a thread, beside the loop whose state it reads."""

    async def run(request: Request) -> Response:
        return endpoint(request)

    return run


class QuietServer(uvicorn.Server):
    """Leaves signals to the manager, and tells when it listens."""

    def __init__(self, config: uvicorn.Config, listening: asyncio.Event | None = None) -> None:
        super().__init__(config)
        self.listening = listening or asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing."""
        yield


async def serve(app: Starlette, host: str, port: int) -> None:
    """Serve until cancelled. Raises OSError when the address cannot be had."""
    config = uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False, lifespan="off")
    with contextlib.closing(listen("health endpoint", host, port)) as listener:
        await QuietServer(config).serve(sockets=[listener])


def listen(what: str, host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError that says for what it was meant when the address cannot be had."""
    try:
        made = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise OSError(
            error.errno,
            f"{what}: expected {host}:{port} to be free, but {error.strerror}; choose another port",
        ) from error
    # Accepted sockets inherit it. asyncio sets it only where the protocol is given by number; without it, an answer in
    # two writes waits for the client's delayed acknowledgement: measured, 44 ms in place of 3.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
