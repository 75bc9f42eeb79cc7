"""One TLS connection, piece by piece, to a server on loopback that says what a test wants."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.support.certificates import Authority
from tests.support.speaking import Talk, saying, server_context, serving

from homeostat.kube.line import TlsLine
from homeostat.kube.target import Config
from homeostat.kube.tls import context_of

AUTHORITY = Authority()
HELLO = b"hello\r\n\r\n"
MUCH = 3 << 20


@pytest.fixture
def proven(tmp_path: Path) -> ssl.SSLContext:
    """What a server has that is the one at 127.0.0.1."""
    return server_context(AUTHORITY, tmp_path, "127.0.0.1", "localhost")


async def line_to(server: str, host: str = "127.0.0.1") -> TlsLine:
    context = context_of(Config(server=server, ca=AUTHORITY.certificate))
    return await TlsLine.to(host, urlsplit(server).port or 0, context, host)


async def test_what_is_said_in_one_piece_is_read_in_parts_and_its_end_is_heard(proven: ssl.SSLContext) -> None:
    async with serving(saying(b"one\ntwo"), proven) as server:
        line = await line_to(server)
        line.write(HELLO)
        assert await line.until(b"\n") == b"one\n"
        assert [await line.some(2), await line.some(9), await line.some(9)] == [b"tw", b"o", b""]
        line.cut()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_name_is_connected_to_as_an_address_is(proven: ssl.SSLContext, host: str) -> None:
    async with serving(saying(b"one\n"), proven) as server:
        line = await line_to(server, host)
        line.write(HELLO)
        assert await line.until(b"\n") == b"one\n"
        line.cut()


async def test_an_end_before_the_mark_is_told_and_so_is_one_that_does_not_come_for_long(proven: ssl.SSLContext) -> None:
    for said, error in ((b"one", EOFError), (bytes(MUCH), ValueError)):
        async with serving(saying(said), proven) as server:
            line = await line_to(server)
            line.write(HELLO)
            with pytest.raises(error):
                await line.until(b"\n")
            line.cut()


async def test_of_a_long_answer_no_more_is_held_than_is_about_to_be_read(proven: ssl.SSLContext) -> None:
    async with serving(saying(bytes(MUCH)), proven) as server:
        line = await line_to(server)
        line.write(HELLO)
        read = most = 0
        while piece := await line.some(1 << 16):
            read += len(piece)
            most = max(most, len(line))
        assert read == MUCH
        assert most < MUCH / 4
        line.cut()


async def test_much_that_is_said_arrives_although_the_other_end_is_slow(proven: ssl.SSLContext) -> None:
    heard = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        heard.set_result(await reader.readexactly(MUCH))
        writer.write(head.encode())

    async with serving(listen, proven) as server:
        line = await line_to(server)
        line.write(HELLO + bytes(MUCH))
        assert await heard == bytes(MUCH)
        assert await line.until(b"\r\n\r\n") == HELLO
        line.cut()


async def test_who_was_cut_says_no_more_and_hears_no_more(proven: ssl.SSLContext) -> None:
    talk: Talk = saying(b"one")
    async with serving(talk, proven) as server:
        line = await line_to(server)
        line.cut()
        line.write(HELLO)
        with pytest.raises(EOFError):
            await line.until(b"\n")


async def test_a_connection_that_ends_in_the_handshake_is_none() -> None:
    def leave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(leave, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises((EOFError, OSError)):
            await line_to(f"https://127.0.0.1:{port}")
