"""The transport for production: aiohttp over TLS, tuned for long watches and large lists.

Connections are pooled per API server without a bound, because every watch holds one. A peer that vanishes without a
word is found twice: TCP gives unacknowledged data half a minute (TCP_USER_TIMEOUT, keep-alives when idle), and the
client above expects bookmarks on every watch.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from homeostat.kit.clock import Clock
from homeostat.kube.credentials import Identity, credentials_of
from homeostat.kube.errors import ConnectionFailed, UntrustedServer
from homeostat.kube.query import query_string
from homeostat.kube.target import Config, ConfigError
from homeostat.kube.tls import context_of
from homeostat.kube.transport import Request

# Big reads mean few wake-ups: a page of 500 objects is one to three megabytes.
READ_BUFFER_BYTES = 1 << 20
# An idle connection holds 256 KiB (asyncio's buffer for TLS), and aiohttp takes them in turn: with a Lease that is
# renewed every 2 s, all that a burst has opened would live for ever. Go servers drop idle ones after 90 s.
KEEPALIVE_S = 5.0
CONNECT_TIMEOUT_S = 10.0
GOODBYE_S = 0.25  # what aiohttp's documentation gives the end of TLS before a loop may end
_TCP_OPTIONS = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000),
)


class HttpTransport:
    """Sends requests of one configuration. Made without I/O; must be used and closed on one event loop."""

    def __init__(self, config: Config, *, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._credentials = credentials_of(config, clock)
        self._session: aiohttp.ClientSession | None = None
        self._contexts: dict[bytes, ssl.SSLContext] = {}
        self._fixed_headers = _fixed_headers(config)
        self._proxy = _proxy_of(config)
        self._server_name = config.tls_server_name or None
        self._closed = False
        self._hushed_until = float("-inf")

    async def send(self, request: Request) -> HttpResponse:
        """Send; a 401 is answered once with a newer identity, if there is one."""
        identity = await self._credentials.current()
        response = await self._send_as(request, identity)
        if response.status == 401 and self._credentials.forget(identity):
            await response.close()
            response = await self._send_as(request, await self._credentials.current())
        return response

    async def close(self) -> None:
        """Close the pool; connections in use break."""
        self._closed = True
        session, self._session = self._session, None
        if session:
            await session.close()
            if self._clock.monotonic() < self._hushed_until:
                await self._clock.sleep(GOODBYE_S)

    async def _send_as(self, request: Request, identity: Identity) -> HttpResponse:
        headers = CIMultiDict(self._fixed_headers)
        headers.update(request.headers)
        if identity.authorization:
            headers["Authorization"] = identity.authorization.text
        url = URL(f"{self._config.server}{request.path}{query_string(request.query)}", encoded=True)
        try:
            answer = await self._opened().request(
                request.method,
                url,
                data=request.body,
                headers=headers,
                ssl=self._context(identity),
                server_hostname=self._server_name,
                proxy=self._proxy,
                allow_redirects=False,
            )
        except (aiohttp.ClientError, OSError) as error:
            raise _failure(error, self._config.server) from error
        except asyncio.CancelledError:
            # aiohttp ends TLS gracefully here, unseen by its own close: the loop must live to see that end.
            self._hushed_until = self._clock.monotonic() + GOODBYE_S
            raise
        return HttpResponse(answer, self._config.server)

    def _opened(self) -> aiohttp.ClientSession:
        if self._closed:
            raise ConnectionFailed("this client was closed", sent=False)
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_S, socket_factory=_socket)
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=READ_BUFFER_BYTES,
                # Whole requests are timed by the client through its clock; only connecting is a matter of this layer.
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
                max_line_size=65536,
                max_field_size=65536,
            )
        return self._session

    def _context(self, identity: Identity) -> ssl.SSLContext | bool:
        if self._config.server.startswith("http://"):
            return True  # nothing to verify; aiohttp ignores it
        context = self._contexts.get(identity.certificate)
        if context is None:
            # A plugin that renews its certificate leaves the old context to connections that still live.
            self._contexts = {identity.certificate: context_of(self._config, identity.certificate, identity.key)}
            context = self._contexts[identity.certificate]
        return context


class HttpResponse:
    """An answer of aiohttp in the shape of the port."""

    def __init__(self, answer: aiohttp.ClientResponse, server: str) -> None:
        self._answer = answer
        self._server = server

    @property
    def status(self) -> int:
        """The HTTP status code."""
        return self._answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, without regard to case."""
        return self._answer.headers

    async def read(self) -> bytes:
        """The whole body."""
        try:
            return await self._answer.read()
        except (aiohttp.ClientError, OSError) as error:
            raise _failure(error, self._server) from error

    async def chunks(self) -> AsyncIterator[bytes]:
        """Everything that has arrived at each turn, as one piece."""
        read_any = self._answer.content.readany
        try:
            while chunk := await read_any():
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise _failure(error, self._server) from error

    async def close(self) -> None:
        """Back to the pool when read to the end, cut otherwise.

        A graceful end of TLS would wait for the server's, for which the loop may not live long enough.
        """
        if self._answer.content.at_eof():
            self._answer.release()
            return
        connection = self._answer.connection
        transport = connection.transport if connection is not None else None
        self._answer.close()
        if transport is not None:
            transport.abort()


def _socket(address: Any) -> socket.socket:
    """A socket that notices a dead peer, for aiohttp's address tuples."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family=family, type=kind, proto=protocol)
    made.setblocking(False)
    for level, option, value in _TCP_OPTIONS:
        made.setsockopt(level, option, value)
    return made


def _fixed_headers(config: Config) -> CIMultiDict[str]:
    headers = CIMultiDict({"User-Agent": "homeostat", "Accept-Encoding": "gzip" if config.compression else "identity"})
    who = config.impersonation
    if who.user:
        headers["Impersonate-User"] = who.user
    if who.uid:
        headers["Impersonate-Uid"] = who.uid
    for group in who.groups:
        headers.add("Impersonate-Group", group)
    return headers


def _proxy_of(config: Config) -> URL | None:
    if not config.proxy:
        return None
    url = URL(config.proxy.text)
    if url.scheme not in ("http", "https"):
        raise ConfigError(f"proxy-url: expected http:// or https://, found {url.scheme}://, which is not supported")
    return url


def _failure(error: Exception, server: str) -> ConnectionFailed:
    """What a failure of aiohttp means; its own text may quote requests and proxies, so it is not passed on."""
    match error:
        case aiohttp.ClientConnectorCertificateError(certificate_error=cause):
            why = getattr(cause, "verify_message", "") or type(cause).__name__
            return UntrustedServer(f"{server}: does not prove that it is the server we want: {why}; check the CA")
        case aiohttp.ClientSSLError(os_error=cause):
            return UntrustedServer(f"{server}: TLS handshake failed: {getattr(cause, 'reason', None) or cause}")
        case aiohttp.ClientHttpProxyError(status=status):
            return ConnectionFailed(f"{server}: the proxy refused to connect us ({status})", sent=False)
        case aiohttp.ClientConnectorError(os_error=cause):
            return ConnectionFailed(f"{server}: cannot connect: {cause.strerror or cause}", sent=False)
        case aiohttp.ConnectionTimeoutError():
            return ConnectionFailed(f"{server}: cannot connect within {CONNECT_TIMEOUT_S:g} s", sent=False)
        case aiohttp.InvalidURL():
            return ConnectionFailed(f"{server}: expected a valid address", sent=False)
        case aiohttp.ServerDisconnectedError():
            return ConnectionFailed(f"{server}: the connection was closed before the answer")
        case aiohttp.ClientPayloadError():
            return ConnectionFailed(f"{server}: the connection broke in the middle of the answer")
        case OSError(strerror=reason) if reason:
            return ConnectionFailed(f"{server}: the connection broke: {reason}")
        case _:
            return ConnectionFailed(f"{server}: the connection broke ({type(error).__name__})")
