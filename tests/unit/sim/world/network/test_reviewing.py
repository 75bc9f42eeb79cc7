"""Reviews over a world's network: an answer, or why there is none, in the words of an API server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from homeostat.kit.clock import Clock
from homeostat.kit.pki.authority import Request
from homeostat.kit.random import Random
from homeostat.kube.target import ConfigError
from homeostat.runtime.webhook.certificates import AUTHORITY, Lifetimes, Pair, bundle_of, first, served_by
from homeostat.sim.apiserver.admission.calling import Call, Heard, NotReached
from homeostat.sim.time.running import run
from homeostat.sim.world.network.network import Found, Network, Target, UnknownName
from homeostat.sim.world.network.reviewing import Message, NetworkCaller, Reviews

NAME, HOST, ADDRESS, PORT = "hooks.home.svc", "host-1", "100.64.0.2", 9443


class Names:
    """One Service."""

    def __init__(self) -> None:
        self.targets: tuple[Target, ...] = (Target(ADDRESS, PORT),)

    def find(self, host: str, port: int) -> Found | None:
        if host != NAME:
            raise UnknownName(f"lookup {host}: no such host")
        return Found(self.targets)


class Wire:
    """A network with a host on which a webhook may be served, and an API server that calls it."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self.clock, self.names, self.is_up = clock, Names(), True
        self.network = Network(names=self.names, is_heard=lambda _: self.is_up)
        entries = first(Request(AUTHORITY, "hooks", dns_names=(NAME,)), clock.now(), Lifetimes())
        self.pair, self.bundle = served_by(entries), bundle_of(entries)
        self.reviews = Reviews(self.answer, self.network, HOST, ADDRESS, PORT, linger_s=5.0, clock=clock)
        self.caller = NetworkCaller(self.network, random)
        self.asked: list[tuple[str, bytes]] = []
        self.takes_s = 0.0
        self.serving: asyncio.Future[None] | None = None

    async def answer(self, scope: Message, receive: Callable[[], Any], send: Callable[[Message], Any]) -> None:
        self.asked.append((scope["path"], (await receive())["body"]))
        await self.clock.sleep(self.takes_s)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"yes"})

    async def serve(self, pair: Pair | None = None) -> None:
        self.reviews.present(pair or self.pair)
        self.serving = asyncio.ensure_future(self.reviews.run())
        await self.reviews.listening.wait()

    async def end(self) -> None:
        assert self.serving is not None
        self.serving.cancel()
        await asyncio.gather(self.serving, return_exceptions=True)

    async def call(self, service: str = "hooks", authorities: bytes = b"") -> Heard:
        name = f"{service}.home.svc"
        call = Call(host=name, port=443, path="/judge?timeout=5s", body=b"{}", service=("home", service))
        return await self.caller.call(Call(**{**as_words(call), "authorities": authorities or self.bundle}))


def as_words(call: Call) -> dict[str, Any]:
    return {name: getattr(call, name) for name in call.__struct_fields__}


def played(story: Callable[[Wire], Coroutine[Any, Any, None]]) -> None:
    async def main(clock: Clock, random: Random) -> None:
        wire = Wire(clock, random)
        await story(wire)
        if wire.serving is not None:
            await wire.end()

    run(main)


def test_what_is_asked_arrives_and_the_answer_comes_back() -> None:
    async def story(wire: Wire) -> None:
        await wire.serve()
        assert await wire.call() == Heard(200, b"yes", "text/plain")
        assert wire.asked == [("/judge", b"{}")]

    played(story)


def test_a_service_that_is_not_there_or_has_nobody_behind_it_is_told() -> None:
    async def story(wire: Wire) -> None:
        with pytest.raises(NotReached, match='service "others" not found'):
            await wire.call("others")
        await wire.serve()
        wire.names.targets = ()
        with pytest.raises(NotReached, match="connection refused"):
            await wire.call()

    played(story)


def test_a_host_that_runs_refuses_for_a_process_that_has_ended() -> None:
    async def story(wire: Wire) -> None:
        await wire.serve()
        await wire.end()
        with pytest.raises(NotReached, match="connection refused"):
            await wire.call()

    played(story)


def test_who_does_not_prove_its_name_to_the_authority_is_not_asked() -> None:
    async def story(wire: Wire) -> None:
        await wire.serve()
        others = first(Request(AUTHORITY, "hooks", dns_names=(NAME,)), wire.clock.now(), Lifetimes())
        with pytest.raises(NotReached, match="tls: failed to verify certificate: x509: certificate signed by unknown"):
            await wire.call(authorities=bundle_of(others))
        assert wire.asked == []

    played(story)


def test_a_pair_that_does_not_fit_is_refused_and_the_one_in_use_goes_on() -> None:
    async def story(wire: Wire) -> None:
        await wire.serve()
        other = served_by(first(Request(AUTHORITY, "hooks", dns_names=(NAME,)), wire.clock.now(), Lifetimes()))
        with pytest.raises(ConfigError, match="does not match"):
            wire.reviews.present(Pair(wire.pair.certificate, other.key, wire.pair.signer, wire.pair.not_after))
        assert (await wire.call()).code == 200

    played(story)


@pytest.mark.parametrize("when_s", [0.0, 1.0])
def test_a_host_without_power_is_silence_also_in_the_middle_of_an_answer(when_s: float) -> None:
    async def story(wire: Wire) -> None:
        await wire.serve()
        wire.takes_s, wire.is_up = 2.0, when_s > 0
        asyncio.get_running_loop().call_later(when_s, setattr, wire, "is_up", False)
        with pytest.raises(TimeoutError):
            async with wire.clock.timeout(30):
                await wire.call()

    played(story)


def test_a_process_that_ends_in_the_middle_of_an_answer_breaks_the_connection() -> None:
    async def story(wire: Wire) -> None:
        await wire.serve()
        wire.takes_s = 10.0
        asking = asyncio.ensure_future(wire.call())
        await wire.clock.sleep(1)
        await wire.end()
        with pytest.raises(NotReached, match="EOF"):
            await asking

    played(story)


def test_who_leaves_serves_on_for_a_while_and_finishes_what_is_under_way() -> None:
    async def story(wire: Wire) -> None:
        await wire.serve()
        leaving = asyncio.ensure_future(wire.reviews.drain())
        await wire.clock.sleep(4)
        wire.takes_s = 3.0
        asking = asyncio.ensure_future(wire.call())
        await leaving
        assert (await asking).code == 200
        with pytest.raises(NotReached, match="connection refused"):
            await wire.call()

    played(story)
