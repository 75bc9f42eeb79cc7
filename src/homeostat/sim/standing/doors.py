"""Where business clusters of a world are reached from outside: the addresses of their load balancers, on loopback.

A world gives its load balancers addresses of 127.0.0.0/8, all of which a Linux machine has without asking anybody. At
each of them a door is opened, behind which whoever answers there in the world is dialled anew for each request: what
the world's balancer would do. In the handshake the door shows what that API server shows now, and asks for what it
trusts now; who its client is, and whether it may come in, is judged by the API server itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping

from homeostat.api.core import SERVICE, Service
from homeostat.kube.client import Client
from homeostat.kube.target import ConfigError
from homeostat.runtime.manager import Manager
from homeostat.runtime.serving import listen
from homeostat.sim.apiserver.answer import refused
from homeostat.sim.apiserver.refusing import Refused
from homeostat.sim.https import GoneError, Receive, Scope, Send, context, headers_of, read, reply, serve_at, shown_in
from homeostat.sim.world.network import network as net
from homeostat.sim.world.network.network import Network
from homeostat.sim.world.network.proving import Untrusted
from homeostat.sim.world.programs.apiserver.server import Server
from homeostat.telemetry.logs import logger

LOOPBACK = "127."


class Doors:
    """Opens and closes them as Services of type LoadBalancer come and go. `run` it beside its manager."""

    def __init__(self, manager: Manager, client: Client, network: Network) -> None:
        self._network = network
        self._wanted: dict[tuple[str, int], None] = {}
        self._open: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._services = manager.informer(client, SERVICE)
        self._services.add_handler(lambda *_: self._changed.set())
        self._log = logger()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                self._settle()
        finally:
            for task in self._open.values():
                task.cancel()
            await asyncio.gather(*self._open.values(), return_exceptions=True)

    def _settle(self) -> None:
        wanted = dict.fromkeys(place for one in self._services.store.values() for place in places(one))
        for place in [place for place in self._open if place not in wanted]:
            self._open.pop(place).cancel()
        for place in wanted:
            if place not in self._open:
                self._open[place] = asyncio.create_task(self._serve(*place), name=f"door {place}")

    async def _serve(self, address: str, port: int) -> None:
        door = Door(self._network, address, port)
        try:
            with contextlib.closing(listen("business cluster", address, port)) as listener:
                await serve_at(door.answer, listener, door.tls)
        except OSError as error:  # the world goes on, and whoever is inside reaches it
            self._log.warning("a business cluster cannot be reached from outside", address=address, error=str(error))


class Door:
    """One address and port."""

    def __init__(self, network: Network, address: str, port: int) -> None:
        self._network, self._address, self._port = network, address, port
        self._shown: tuple[bytes, bytes, bytes] | None = None
        self._context: ssl.SSLContext | None = None
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.verify_mode = ssl.CERT_OPTIONAL  # the context that is shown gives authorities, not whether to ask
        self.tls.sni_callback = self._show

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let whoever is behind the address answer."""
        try:
            request = await read(scope, headers_of(scope), receive)
            server = self._behind()
            answer = await server.answer(request, server.greet(shown_in(scope), None, ""))
        except Refused as error:
            answer = refused(error)
        except GoneError:
            return
        await reply(answer, receive, send)

    def _behind(self) -> Server:
        """Raises Refused when nobody is."""
        try:
            found = self._network.dial(net.OUTSIDE, self._address, self._port)
        except (net.Refused, net.Silent, net.UnknownName):
            found = None
        if not isinstance(found, Server):
            raise Refused(503, "ServiceUnavailable", f"nobody answers behind {self._address}:{self._port}")
        return found

    def _show(self, tls: ssl.SSLObject, name: str | None, first: ssl.SSLContext) -> int | None:  # noqa: ARG002
        try:
            material = self._behind().tls_material()
            if material != self._shown:
                certificate, key, authority = material
                self._context, self._shown = context(authority, certificate, key), material
        except (Refused, Untrusted, FileNotFoundError, ConfigError, ssl.SSLError):
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        assert self._context is not None  # noqa: S101  (made above)
        tls.context = self._context
        return None


def places(service: Service) -> Mapping[tuple[str, int], None]:
    """Where a Service is reached from outside."""
    if service.spec.type != "LoadBalancer":
        return {}
    given = [each.ip for each in service.status.load_balancer.ingress if each.ip.startswith(LOOPBACK)]
    return {(address, each.port): None for address in given for each in service.spec.ports}
