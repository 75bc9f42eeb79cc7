"""One call to one member: JSON over mutual TLS, bounded in time and size, with etcd's refusals told from its silence.

The gateway (https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/) maps gRPC one to one: a POST for each method, 64-bit
numbers as strings, and errors with gRPC's code.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, Generic, TypeVar

import aiohttp
import msgspec
from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.kube.brief import BriefResponse, BriefTransport
from homeostat.kube.errors import ConnectionFailed
from homeostat.kube.target import ConfigError
from homeostat.kube.tls import load_pair
from homeostat.kube.transport import Request
from homeostat.operators.cluster.ports import EtcdAccess, EtcdRefused, Unreachable

T = TypeVar("T")

_MAX_BYTES = 1 << 20  # of an answer; lists of members have some hundred bytes each
_MAX_LINE_BYTES = 4 << 20  # of one part of a stream; etcd sends some 32 KiB in each
_SHOWN = 300
# gRPC's codes for what another try cannot change by itself, as etcd uses them for changes of the membership.
_REFUSALS = {3, 5, 6, 7, 9, 16}  # InvalidArgument, NotFound, AlreadyExists, PermissionDenied, FailedPrecondition, ...


class Failure(Struct):
    """What the gateway says in place of an answer."""

    message: str = ""
    error: str = ""
    code: int = 0


class Part(Struct, Generic[T]):
    """One line of a stream: a result, or why there is no other."""

    result: T | None = None
    error: Failure | None = None


def context_of(access: EtcdAccess) -> ssl.SSLContext:
    """Trust this cluster's authority and nobody else. Raises Unreachable when the keys do not fit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=access.ca.decode("ascii", "replace"))
        load_pair(context, access.certificate, access.key, what="etcd client certificate and key")
    except (ssl.SSLError, ConfigError) as error:
        raise Unreachable(f"etcd: the certificates to reach it with are unusable: {error}") from error
    return context


class Gateway:
    """Calls members of one cluster, one at a time to each, over a connection that is kept for the next."""

    def __init__(self, session: aiohttp.ClientSession, context: ssl.SSLContext, *, port: int, clock: Clock) -> None:
        self._session = session  # for streams
        self._context = context
        self._port = port
        self._clock = clock
        self._lines: dict[str, BriefTransport] = {}

    async def close(self) -> None:
        """Cut the connections of calls."""
        for line in self._lines.values():
            await line.close()

    async def call(self, host: str, method: str, body: dict[str, Any], answer: type[T], *, within_s: float) -> T:
        """Call a method such as `cluster/member/list`. Raises Unreachable and EtcdRefused."""
        line = self._lines.setdefault(host, BriefTransport(f"https://{host}:{self._port}", self._context))
        try:
            async with self._clock.timeout(within_s):
                response = await line.send(_post(method, body))
                status, content = response.status, await _within(response)
        except TimeoutError:
            raise Unreachable(f"etcd at {host}: no answer to {method} within {within_s:g} s") from None
        except ConnectionFailed as error:
            raise Unreachable(f"etcd at {host}: {error}") from error
        if status != 200:
            raise _failure(host, method, status, content)
        try:
            return msgspec.json.decode(content, type=answer, strict=False)
        except msgspec.DecodeError as error:
            raise Unreachable(f"etcd at {host}: the answer to {method} is none: {error}") from error

    async def stream(self, host: str, method: str, part: type[T], *, idle_s: float) -> AsyncGenerator[T, None]:
        """Call a method that answers with many parts. To be closed; whoever calls sets a deadline for the whole.

        Raises Unreachable, also when nothing comes for `idle_s`, and EtcdRefused.
        """
        url = f"https://{host}:{self._port}/v3/{method}"
        patience = aiohttp.ClientTimeout(total=None, sock_connect=idle_s, sock_read=idle_s)
        try:
            async with self._session.post(
                url, json={}, ssl=self._context, allow_redirects=False, timeout=patience
            ) as response:
                if response.status != 200:
                    raise _failure(host, method, response.status, await _content(response))
                async with aclosing(_lines(response)) as lines:
                    async for line in lines:
                        yield _part(host, method, line, part)
        except TimeoutError:  # the session's own: a deadline of the caller's is a cancellation here
            raise Unreachable(f"etcd at {host}: {method}: nothing came for {idle_s:g} s") from None
        except aiohttp.ClientPayloadError as error:  # the connection ended before the answer did
            harm = f"the answer was cut off or changed on its way: {error}"
            raise Unreachable(f"etcd at {host}: {method}: {harm}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"etcd at {host}: {error}") from error


async def ask_all(gateway: Gateway, access: EtcdAccess, form: type[T], *, within_s: float) -> dict[str, T]:
    """What each member says about itself, by host, all asked at the same time; those that do not answer are left out.

    `form` has the fields that are wanted.
    """

    async def ask(host: str) -> T | None:
        try:
            return await gateway.call(host, "maintenance/status", {}, form, within_s=within_s)
        except (Unreachable, EtcdRefused):
            return None

    hosts = sorted(set(access.hosts.values()))
    found = await asyncio.gather(*(ask(host) for host in hosts))
    return {host: status for host, status in zip(hosts, found, strict=True) if status is not None}


async def _lines(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    held = bytearray()
    async for content in response.content.iter_any():
        held += content
        if b"\n" in content:
            *whole, rest = held.split(b"\n")
            held = bytearray(rest)
            for line in whole:
                yield bytes(line)
        elif len(held) > _MAX_LINE_BYTES:
            raise aiohttp.ClientPayloadError(f"expected parts of at most {_MAX_LINE_BYTES} bytes, found more")
    if held.strip():
        yield bytes(held)


def _part(host: str, method: str, line: bytes, part: type[T]) -> T:
    form: Any = Part
    try:
        found: Part[T] = msgspec.json.decode(line, type=form[part], strict=False)
    except msgspec.DecodeError as error:
        raise Unreachable(f"etcd at {host}: a part of the answer to {method} is none: {error}") from error
    if found.error is not None or found.result is None:
        said = found.error or Failure(message="an empty part")
        raise _refusal(host, method, said)
    return found.result


@asynccontextmanager
async def reaching(access: EtcdAccess, *, port: int, clock: Clock) -> AsyncIterator[Gateway]:
    """Calls to the members of one cluster, until the block ends. Raises Unreachable."""
    context = context_of(access)
    connector = aiohttp.TCPConnector(force_close=True)
    session = aiohttp.ClientSession(connector=connector)
    gateway = Gateway(session, context, port=port, clock=clock)
    try:
        yield gateway
    finally:
        await gateway.close()
        await session.close()


def _post(method: str, body: dict[str, Any]) -> Request:
    headers = {"Content-Type": "application/json"}
    return Request(method="POST", path=f"/v3/{method}", headers=headers, body=msgspec.json.encode(body))


async def _within(response: BriefResponse) -> bytes:
    content = bytearray()
    async with aclosing(response.chunks()) as pieces:
        async for piece in pieces:
            content += piece
            if len(content) > _MAX_BYTES:
                raise ConnectionFailed(f"expected an answer of at most {_MAX_BYTES} bytes, found more")
    return bytes(content)


async def _content(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for part in response.content.iter_any():
        content += part
        if len(content) > _MAX_BYTES:
            raise aiohttp.ClientPayloadError(f"expected an answer of at most {_MAX_BYTES} bytes, found more")
    return bytes(content)


def _failure(host: str, method: str, status: int, content: bytes) -> Exception:
    try:
        said = msgspec.json.decode(content, type=Failure)
    except msgspec.DecodeError:
        return Unreachable(f"etcd at {host}: {method} ended with HTTP {status}")
    return _refusal(host, method, said)


def _refusal(host: str, method: str, said: Failure) -> Exception:
    text = f"etcd at {host}: {method}: {(said.message or said.error)[:_SHOWN]}"
    return EtcdRefused(text) if said.code in _REFUSALS else Unreachable(text)
