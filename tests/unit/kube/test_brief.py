"""The transport for a few questions, against a scripted server on loopback, through every kind of breakage."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from random import Random

import pytest
from tests.support.apiserver import free_port
from tests.support.certificates import Authority
from tests.support.scripted import HastyClock
from tests.support.speaking import CHUNKED, EVENT, OBJECT, answer, chunk, hang, saying, server_context, serving
from tests.support.widgets import WIDGET

from homeostat.kube.brief import BriefTransport
from homeostat.kube.client import Client
from homeostat.kube.errors import ConnectionFailed, NotFound, TimedOut, UntrustedServer
from homeostat.kube.retrying import NO_RETRIES
from homeostat.kube.target import Config
from homeostat.kube.tls import context_of

AUTHORITY = Authority()


def client_of(server: str, *, trusting: Authority = AUTHORITY, name: str = "", haste: float = 1.0) -> Client:
    context = context_of(Config(server=server, ca=trusting.certificate))
    transport = BriefTransport(server, context, server_name=name)
    return Client(transport, clock=HastyClock(haste), random=Random(1), retries=NO_RETRIES)


@pytest.fixture
def proven(tmp_path: Path) -> ssl.SSLContext:
    """What a server has that is the one at 127.0.0.1."""
    return server_context(AUTHORITY, tmp_path, "127.0.0.1")


class Talking:
    """Answers all questions of a connection with the same, and counts connections."""

    def __init__(self, said: bytes) -> None:
        self.said, self.heads, self.connections = said, list[str](), 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        self.connections += 1
        while True:
            self.heads.append(head)
            writer.write(self.said)
            head = (await reader.readuntil(b"\r\n\r\n")).decode()


async def test_questions_in_a_row_share_one_connection(proven: ssl.SSLContext) -> None:
    talk = Talking(answer(OBJECT))
    async with serving(talk, proven) as server, client_of(server) as client:
        for _ in range(3):
            assert (await client.get(WIDGET, "a", "shop")).spec.size == 3
    assert (talk.connections, len(talk.heads)) == (1, 3)
    assert f"Host: {server.removeprefix('https://')}\r\n" in talk.heads[0]


async def test_what_is_written_is_told_with_its_length(proven: ssl.SSLContext) -> None:
    bodies: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        told = next(line for line in head.splitlines() if line.startswith("Content-Length: "))
        bodies.append(await reader.readexactly(int(told.split()[1])))
        writer.write(answer(OBJECT))

    async with serving(talk, proven) as server, client_of(server) as client:
        await client.apply(WIDGET, {"metadata": {"name": "a", "namespace": "shop"}})
    assert b'"name":"a"' in bodies[0]


async def test_an_answer_in_chunks_leaves_the_connection_to_the_next_question(proven: ssl.SSLContext) -> None:
    talk = Talking(CHUNKED + chunk(OBJECT[:9]) + chunk(OBJECT[9:]) + chunk(b""))
    async with serving(talk, proven) as server, client_of(server) as client:
        for _ in range(2):
            assert (await client.get(WIDGET, "a", "shop")).spec.size == 3
    assert talk.connections == 1


async def test_who_leaves_an_answer_unread_gets_a_new_connection(proven: ssl.SSLContext) -> None:
    talk = Talking(CHUNKED + chunk(EVENT))
    async with serving(talk, proven) as server, client_of(server) as client:
        for _ in range(2):
            events = client.watch(WIDGET)
            assert (await anext(events)).type == "ADDED"
            await events.aclose()
    assert talk.connections == 2


async def test_a_refusal_is_an_answer_like_any_other(proven: ssl.SSLContext) -> None:
    talk = Talking(answer(b'{"code": 404, "reason": "NotFound", "message": "no such widget"}', "404 Not Found"))
    async with serving(talk, proven) as server, client_of(server) as client:
        for _ in range(2):
            with pytest.raises(NotFound, match="no such widget"):
                await client.get(WIDGET, "a", "shop")
    assert talk.connections == 1


async def test_a_server_that_closes_after_its_answer_is_connected_to_anew(proven: ssl.SSLContext) -> None:
    talk = Talking(answer(OBJECT, "200 OK", "Connection: close"))
    async with serving(talk, proven) as server, client_of(server) as client:
        for _ in range(2):
            assert (await client.get(WIDGET, "a", "shop")).spec.size == 3
    assert talk.connections == 2


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-server\r\n\r\n", b"HTTP/1.1 200"], ids=["nothing", "garbage", "half"])
async def test_no_answer_at_all_may_have_been_applied(proven: ssl.SSLContext, said: bytes) -> None:
    async with serving(saying(said), proven) as server, client_of(server) as client:
        with pytest.raises(ConnectionFailed, match="closed before the answer") as caught:
            await client.create(WIDGET, {"metadata": {"name": "a"}}, "shop")
    assert caught.value.sent


@pytest.mark.parametrize(
    "said", [answer(OBJECT)[:-9], CHUNKED + chunk(OBJECT[:9]), CHUNKED + b"nonsense\r\n"], ids=["cut", "end", "size"]
)
async def test_an_answer_that_is_cut_in_the_middle_is_a_failed_connection(proven: ssl.SSLContext, said: bytes) -> None:
    async with serving(saying(said), proven) as server, client_of(server) as client:
        with pytest.raises(ConnectionFailed, match="broke in the middle"):
            await client.get(WIDGET, "a", "shop")


async def test_an_answer_that_never_comes_times_out(proven: ssl.SSLContext) -> None:
    async with serving(hang, proven) as server, client_of(server, haste=100) as client:
        with pytest.raises(TimedOut, match="no answer within 30 s"):
            await client.get(WIDGET, "a", "shop")


async def test_a_refused_connection_was_certainly_not_applied() -> None:
    async with client_of(f"https://127.0.0.1:{free_port()}") as client:
        with pytest.raises(ConnectionFailed, match="cannot connect") as caught:
            await client.create(WIDGET, {"metadata": {"name": "a"}}, "shop")
    assert not caught.value.sent


async def test_a_server_of_another_authority_is_not_trusted(proven: ssl.SSLContext) -> None:
    async with serving(saying(answer(OBJECT)), proven) as server, client_of(server, trusting=Authority()) as client:
        with pytest.raises(UntrustedServer, match="check the CA"):
            await client.get(WIDGET, "a", "shop")


async def test_a_server_that_speaks_no_tls_is_not_trusted() -> None:
    def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        async with client_of(f"https://127.0.0.1:{port}") as client:
            with pytest.raises(UntrustedServer, match="TLS handshake failed: WRONG_VERSION_NUMBER"):
                await client.get(WIDGET, "a", "shop")


async def test_the_name_to_verify_may_differ_from_the_address(tmp_path: Path) -> None:
    context = server_context(AUTHORITY, tmp_path, "kubernetes")
    async with serving(saying(answer(OBJECT)), context) as server:
        async with client_of(server, name="kubernetes") as client:
            assert (await client.get(WIDGET, "a", "shop")).spec.size == 3
        async with client_of(server) as client:
            with pytest.raises(UntrustedServer):
                await client.get(WIDGET, "a", "shop")


async def test_a_closed_client_says_so() -> None:
    client = client_of("https://127.0.0.1:9")
    await client.close()
    await client.close()
    with pytest.raises(ConnectionFailed, match="was closed"):
        await client.get(WIDGET, "a", "shop")
