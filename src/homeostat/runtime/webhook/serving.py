"""Reviews over HTTPS: bounded in size and time, with a certificate that changes under way, and an end without a gap.

A new pair is loaded into the context that is in use: handshakes from then on get it. A connection is for one review.
API servers would keep it for the next, and when the host of a replica loses its power, nobody closes what they keep:
the next review would be said to the dead and its write refused, while the Service has long led to the living. Writes of
specs are rare; a handshake for each is cheap. So at the end there is nobody to be asked to leave: the listener serves
while the Service still leads here, then what is under way is let finish.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import ssl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from homeostat.kit.clock import Clock
from homeostat.kube.tls import load_pair
from homeostat.runtime.serving import QuietServer, listen
from homeostat.runtime.webhook.answering import ANSWER_WITHIN_S, Reviewer
from homeostat.runtime.webhook.certificates import Pair
from homeostat.runtime.webhook.configuration import PATH

# An object has at most 3 MiB in a request to an API server, and a review of an update holds two of them.
MAX_BYTES = 7 << 20
READ_WITHIN_S = 1.0
_ONE_REVIEW = {"Connection": "close"}


class _TooLarge(Exception):
    """The body has more than MAX_BYTES."""


class HttpsServer:
    """Serves reviews until cancelled, from the first certificate on."""

    def __init__(self, reviewer: Reviewer, host: str, port: int, *, linger_s: float, clock: Clock) -> None:
        """`linger_s`: how long the end waits for the rest of the world to look for other replicas."""
        self._reviewer = reviewer
        self._host = host
        self.port = port  # 0: any that is free, which stands here as soon as it listens
        self._linger_s = linger_s
        self._clock = clock
        self._context = _context()
        self._has_certificate = asyncio.Event()
        self._server: QuietServer | None = None
        self.listening = asyncio.Event()
        self._ended = asyncio.Event()

    def present(self, pair: Pair) -> None:
        """Serve with this pair from the next handshake on. Raises ConfigError when it does not fit."""
        # First where nobody is served: a pair that fails half-way must not spoil the one in use.
        for context in (_context(), self._context):
            load_pair(context, pair.certificate, pair.key, what="webhook certificate and key")
        self._has_certificate.set()

    def app(self) -> Starlette:
        """The application, without TLS."""
        return review_app(self._reviewer, self._clock)

    async def run(self) -> None:
        """Listen at once, so that a port in use is told at once; serve when there is a certificate."""
        with contextlib.closing(listen("webhooks", self._host, self.port)) as listener:
            self.port = listener.getsockname()[1]
            await self._has_certificate.wait()
            config = uvicorn.Config(
                self.app(),
                log_config=None,
                access_log=False,
                lifespan="off",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=math.ceil(READ_WITHIN_S + ANSWER_WITHIN_S),
            )
            config.load()
            config.ssl = self._context
            self._server = QuietServer(config, self.listening)
            try:
                await self._server.serve(sockets=[listener])
            finally:
                self._ended.set()
        await asyncio.Event().wait()  # drained: an end of one's own would end the process

    async def drain(self) -> None:
        """Stay for those who have not heard that this one leaves, then finish what is under way."""
        if self._server is None:
            return
        await self._clock.sleep(self._linger_s)
        self._server.should_exit = True
        await self._ended.wait()


def review_app(reviewer: Reviewer, clock: Clock) -> Starlette:
    """Reviews over HTTP, whoever carries it."""

    async def review(request: HttpRequest) -> Response:
        try:
            async with clock.timeout(READ_WITHIN_S):
                body = await _body(request)
        except _TooLarge:
            text = f"expected a review of at most {MAX_BYTES} bytes, found more\n"
            return PlainTextResponse(text, 413, _ONE_REVIEW)
        except (TimeoutError, ClientDisconnect):
            text = f"expected a whole review within {READ_WITHIN_S:g} s\n"
            return PlainTextResponse(text, 408, _ONE_REVIEW)
        answer = await reviewer.answer(request.path_params["resource"], body)
        return Response(answer.body, answer.code, _ONE_REVIEW, answer.media_type)

    return Starlette(routes=[Route(f"{PATH}/{{resource}}", review, methods=["POST"])])


async def _body(request: HttpRequest) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BYTES:
            raise _TooLarge
        parts.append(part)
    return b"".join(parts)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
