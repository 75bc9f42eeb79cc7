"""The network transport against a scripted server on loopback, through every kind of breakage."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.support.apiserver import free_port
from tests.support.certificates import Authority
from tests.support.scripted import HastyClock
from tests.support.speaking import CHUNKED, EVENT, OBJECT, answer, chunk, hang, saying, server_context, serving
from tests.support.widgets import WIDGET

from homeostat.kube.client import Client
from homeostat.kube.config import Config, ConfigError, Secret
from homeostat.kube.connect import connect
from homeostat.kube.errors import ApiError, ConnectionFailed, Gone, TimedOut, Unauthorized, UntrustedServer
from homeostat.kube.target import StaticToken, TokenFile


def client_of(server: str, *, haste: float = 1.0, **options: Any) -> Client:
    return connect(Config(server=server, **options), clock=HastyClock(haste), random=Random(1))


async def test_an_object_is_read_and_headers_are_sent() -> None:
    heads: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        heads.append(head)
        writer.write(answer(OBJECT))

    async with serving(talk) as server, client_of(server, credential=StaticToken(Secret("t0ken"))) as client:
        found = await client.get(WIDGET, "a", "shop")
    assert found.spec.size == 3
    assert "Authorization: Bearer t0ken" in heads[0]
    assert "Accept-Encoding: identity" in heads[0]


async def test_selectors_are_escaped() -> None:
    heads: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        heads.append(head)
        writer.write(answer(b'{"metadata": {}, "items": []}'))

    async with serving(talk) as server, client_of(server) as client:
        await client.list(WIDGET, labels="a in (x, y),b!=c+d")
    assert "labelSelector=a%20in%20%28x%2C%20y%29%2Cb%21%3Dc%2Bd&" in heads[0]


async def test_events_cross_chunk_boundaries_inside_characters() -> None:
    stream = CHUNKED + b"".join(chunk(EVENT[n : n + 1]) for n in range(len(EVENT))) + chunk(b"")
    async with serving(saying(stream)) as server, client_of(server) as client:
        events = [event async for event in client.watch(WIDGET)]
    assert [event.object.metadata.name for event in events if event.object] == ["ä"]


async def test_a_watch_cut_in_the_middle_of_a_line_is_a_failed_connection() -> None:
    async with serving(saying(CHUNKED + chunk(EVENT) + chunk(EVENT[:9]))) as server, client_of(server) as client:
        events = client.watch(WIDGET)
        assert (await anext(events)).type == "ADDED"
        with pytest.raises(ConnectionFailed, match="broke in the middle"):
            await anext(events)


async def test_a_half_open_watch_is_taken_for_dead() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        writer.write(CHUNKED + chunk(EVENT))
        await asyncio.Event().wait()

    async with serving(talk) as server, client_of(server, haste=100) as client:
        events = client.watch(WIDGET)
        assert (await anext(events)).type == "ADDED"
        with pytest.raises(TimedOut, match="heard nothing for 90 s"):
            await anext(events)


async def test_headers_that_never_come_time_out() -> None:
    async with serving(hang) as server, client_of(server, haste=100) as client:
        with pytest.raises(TimedOut, match="no answer within 30 s"):
            await client.create(WIDGET, {"metadata": {"name": "a"}}, "shop")
        with pytest.raises(TimedOut, match="no answer within 90 s"):
            await anext(client.watch(WIDGET))


async def test_410_in_a_stream_is_gone() -> None:
    gone = b'{"type":"ERROR","object":{"code":410,"reason":"Expired","message":"too old"}}\n'
    async with serving(saying(CHUNKED + chunk(gone) + chunk(b""))) as server, client_of(server) as client:
        with pytest.raises(Gone):
            await anext(client.watch(WIDGET))


async def test_429_with_retry_after_is_waited_for() -> None:
    busy = answer(b"{}", "429 Too Many Requests", "Retry-After: 1", "Connection: close")
    async with serving(saying(busy, answer(OBJECT))) as server, client_of(server) as client:
        assert (await client.get(WIDGET, "a", "shop")).spec.size == 3


async def test_a_redirect_is_not_followed() -> None:
    moved = answer(b"", "302 Found", "Location: http://127.0.0.1:9/login")
    async with serving(saying(moved)) as server, client_of(server) as client:
        with pytest.raises(ApiError, match="check the server address"):
            await client.get(WIDGET, "a", "shop")


async def test_no_answer_at_all_may_have_been_applied() -> None:
    async with serving(saying(b"")) as server, client_of(server) as client:
        with pytest.raises(ConnectionFailed, match="closed before the answer") as caught:
            await client.create(WIDGET, {"metadata": {"name": "a"}}, "shop")
    assert caught.value.sent


async def test_garbage_instead_of_http_is_a_failed_connection() -> None:
    async with serving(saying(b"SSH-2.0-server\r\n\r\n")) as server, client_of(server) as client:
        with pytest.raises(ConnectionFailed):
            await client.create(WIDGET, {"metadata": {"name": "a"}}, "shop")


async def test_a_refused_connection_was_certainly_not_applied() -> None:
    async with client_of(f"http://127.0.0.1:{free_port()}") as client:
        with pytest.raises(ConnectionFailed, match="cannot connect") as caught:
            await client.create(WIDGET, {"metadata": {"name": "a"}}, "shop")
    assert not caught.value.sent


async def test_a_server_of_another_authority_is_not_trusted(tmp_path: Path) -> None:
    context = server_context(Authority(), tmp_path, "127.0.0.1")
    async with (
        serving(saying(answer(OBJECT)), context) as server,
        client_of(server, ca=Authority().certificate) as client,
    ):
        with pytest.raises(UntrustedServer, match="check the CA"):
            await client.get(WIDGET, "a", "shop")


async def test_the_name_to_verify_may_differ_from_the_address(tmp_path: Path) -> None:
    authority = Authority()
    context = server_context(authority, tmp_path, "kubernetes")
    async with serving(saying(answer(OBJECT)), context) as server:
        async with client_of(server, ca=authority.certificate, tls_server_name="kubernetes") as client:
            assert (await client.get(WIDGET, "a", "shop")).spec.size == 3
        async with client_of(server, ca=authority.certificate) as client:
            with pytest.raises(UntrustedServer):
                await client.get(WIDGET, "a", "shop")


async def test_verification_can_be_turned_off(tmp_path: Path) -> None:
    context = server_context(Authority(), tmp_path, "other")
    async with serving(saying(answer(OBJECT)), context) as server, client_of(server, insecure=True) as client:
        assert (await client.get(WIDGET, "a", "shop")).spec.size == 3


async def test_an_expired_token_is_read_again_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        file.write_text("new")
        fresh = "Bearer new" in head
        writer.write(answer(OBJECT) if fresh else answer(b"{}", "401 Unauthorized", "Connection: close"))

    async with serving(talk) as server, client_of(server, credential=TokenFile(str(file))) as client:
        assert (await client.get(WIDGET, "a", "shop")).spec.size == 3


async def test_a_wrong_fixed_token_is_unauthorized_at_once() -> None:
    refused = answer(b"{}", "401 Unauthorized")
    async with serving(saying(refused)) as server, client_of(server, credential=StaticToken(Secret("t"))) as client:
        with pytest.raises(Unauthorized):
            await client.get(WIDGET, "a", "shop")


async def test_requests_go_through_a_proxy() -> None:
    heads: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        heads.append(head)
        writer.write(answer(OBJECT))

    async with serving(talk) as proxy, client_of("http://api.invalid:8080", proxy=Secret(proxy)) as client:
        assert (await client.get(WIDGET, "a", "shop")).spec.size == 3
    assert heads[0].startswith("GET http://api.invalid:8080/apis/")


def test_an_unsupported_proxy_is_refused_when_connecting() -> None:
    with pytest.raises(ConfigError, match=r"expected http:// or https://, found socks5://"):
        client_of("https://api", proxy=Secret("socks5://me:pw@proxy"))


async def test_a_closed_client_says_so() -> None:
    client = client_of("http://127.0.0.1:9")
    await client.close()
    await client.close()
    with pytest.raises(ConnectionFailed, match="was closed"):
        await client.create(WIDGET, {"metadata": {"name": "a"}}, "shop")
