"""A simulated API server on a port, over TLS, for kubectl and whoever else knows no port of ours.

Users prove who they are as they do elsewhere: by a certificate that the server's authority has signed (its common name
is the user, its organizations are the groups), or by a token.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from hashlib import sha256
from typing import Any, cast
from urllib.parse import parse_qsl

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from homeostat.kube.tls import load_pair
from homeostat.runtime.serving import QuietServer, listen
from homeostat.sim.apiserver.access.impersonating import SEPARATOR
from homeostat.sim.apiserver.access.tokens import BadToken
from homeostat.sim.apiserver.answer import Answer, refused
from homeostat.sim.apiserver.refusing import Refused
from homeostat.sim.apiserver.server import ApiServer, Request
from homeostat.sim.apiserver.types.user import AUTHENTICATED, NOBODY, User
from homeostat.sim.apiserver.verbs.bodies import MAX_BYTES, too_large

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
_TLS = "homeostat.tls"
_CREDENTIAL = "authentication.kubernetes.io/credential-id"


def context(authority: bytes, certificate: bytes, key: bytes) -> ssl.SSLContext:
    """TLS as the server speaks it: with this pair, and asking clients for what the authority has signed."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.verify_mode = ssl.CERT_OPTIONAL
    made.load_verify_locations(cadata=authority.decode())
    made.set_alpn_protocols(["http/1.1"])
    load_pair(made, certificate, key, what="certificate and key of the simulated API server")
    return made


async def serve(
    server: ApiServer,
    host: str,
    port: int,
    tls: ssl.SSLContext,
    *,
    tokens: Mapping[str, User] | None = None,
    listening: asyncio.Event | None = None,
) -> None:
    """Serve until cancelled. Raises OSError when the address cannot be had."""
    with contextlib.closing(listen("simulated API server", host, port)) as listener:
        await serve_at(Front(server, tokens or {}), listener, tls, listening=listening)


async def serve_at(
    front: Application, listener: socket.socket, tls: ssl.SSLContext, *, listening: asyncio.Event | None = None
) -> None:
    """Serve an application at a socket that listens, until cancelled; how the client proved itself is in its scope."""
    config = uvicorn.Config(
        cast(Any, front),
        interface="asgi3",
        http=_PeerProtocol,
        log_config=None,
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    config.load()
    config.ssl = tls
    await QuietServer(config, listening).serve(sockets=[listener])


class Front:
    """The application between HTTP and a server."""

    def __init__(self, server: ApiServer, tokens: Mapping[str, User]) -> None:
        self._server = server
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = headers_of(scope)
        try:
            user = self._user(scope, headers)
            answer = await self._server.answer(await read(scope, headers, receive), user)
        except Refused as error:
            answer = refused(error)
        except GoneError:
            return
        await reply(answer, receive, send)

    def _user(self, scope: Scope, headers: Mapping[str, str]) -> User:
        if headers.get("authorization", "").startswith("Bearer "):
            token = headers["authorization"].removeprefix("Bearer ").strip()
            user = self._tokens.get(token)
            if user is not None:
                return User(user.name, (*user.groups, AUTHENTICATED))
            try:
                return self._server.tokens.user_of(token)[0]
            except BadToken as error:
                raise Refused(401, "Unauthorized", "Unauthorized") from error
        return _of_certificate(scope["state"][_TLS]) or NOBODY


class GoneError(Exception):
    """The client left before it had said all."""


class _PeerProtocol(HttpToolsProtocol):
    """Tells the application which certificate the client has shown: ASGI has no word for it that uvicorn speaks."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"][_TLS] = self.transport.get_extra_info("ssl_object")


def _of_certificate(shown: ssl.SSLObject) -> User | None:
    peer: Mapping[str, Any] = shown.getpeercert() or {}
    if not peer:
        return None
    credential = sha256(shown.getpeercert(binary_form=True) or b"").hexdigest()
    parts = [pair for names in peer["subject"] for pair in names]
    name = next((each for key, each in parts if key == "commonName"), "")
    groups = tuple(each for key, each in parts if key == "organizationName")
    return User(name, (*groups, AUTHENTICATED), extra={_CREDENTIAL: (f"X509SHA256={credential}",)})


def headers_of(scope: Scope) -> dict[str, str]:
    """What a client said about its request; names in lower case."""
    found: dict[str, str] = {}
    for raw, each in scope["headers"]:
        name, value = raw.decode("latin-1").lower(), each.decode("latin-1")
        found[name] = f"{found[name]}{SEPARATOR}{value}" if name in found else value
    return found


def shown_in(scope: Scope) -> bytes:
    """The certificate that the client has shown, as PEM; empty for none."""
    shown = scope["state"][_TLS].getpeercert(binary_form=True)
    return ssl.DER_cert_to_PEM_cert(shown).encode() if shown else b""


async def read(scope: Scope, headers: Mapping[str, str], receive: Receive) -> Request:
    """The whole request. Raises Refused when it is too large, GoneError when the client left before its end."""
    parts, size, has_more = [], 0, True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BYTES:
            raise too_large()
        has_more = message.get("more_body", False)
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    path = scope["raw_path"].decode("latin-1").partition("?")[0]
    return Request(method=scope["method"], path=path, query=query, headers=headers, body=b"".join(parts))


async def reply(answer: Answer, receive: Receive, send: Send) -> None:
    """Send an answer; a stream ends when the client leaves."""
    headers = [(b"content-type", answer.media.encode())]
    headers += [(name.lower().encode(), each.encode()) for name, each in answer.headers.items()]
    if answer.stream is None:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.code, "headers": headers})
    if answer.stream is None:
        await send({"type": "http.response.body", "body": answer.body})
        return
    streaming = asyncio.ensure_future(_stream(answer.stream, send))
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((streaming, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (streaming, leaving):
            task.cancel()
        await asyncio.gather(streaming, leaving, return_exceptions=True)


async def _stream(stream: AsyncIterator[bytes], send: Send) -> None:
    async for chunk in stream:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
