"""kube-controller-manager and kube-scheduler of business clusters: they reach their API server, and one of each leads.

Of what they do inside of a business cluster, certificates of clients are signed; the rest is not played yet: its Pods
are not scheduled, its Deployments make none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from homeostat.kit.pki.authority import Damaged, Signer, read_signer
from homeostat.kube.config import from_kubeconfig_bytes
from homeostat.kube.errors import ConnectionFailed
from homeostat.kube.target import Config, ConfigError
from homeostat.kube.transport import Request
from homeostat.sim.world.hosts.containers import Container
from homeostat.sim.world.network.dialling import reach_from
from homeostat.sim.world.network.proving import Pair, Trust, Untrusted
from homeostat.sim.world.programs.apiserver.server import PORT as API_PORT
from homeostat.sim.world.programs.apiserver.server import Server
from homeostat.sim.world.programs.apiserver.tenant import RENEWS_S, Tenant
from homeostat.sim.world.programs.etcd.quorum import line_of
from homeostat.sim.world.programs.signing import REQUESTS, sign_all
from homeostat.sim.world.programs.starting import Ended, Surroundings, check_flags, tell_end, version_of

MANAGER, SCHEDULER = "kube-controller-manager", "kube-scheduler"
PORTS = {MANAGER: 10257, SCHEDULER: 10259}
_BEGINS_S = (0.8, 2.0)
_FIRST_S = 10.0  # how long the API server is looked for at first
_GIVES_UP_S = 10.0  # --leader-elect-renew-deadline
_PAIRS = {MANAGER: (("cluster-signing-cert-file", "cluster-signing-key-file"),), SCHEDULER: ()}
_AUTHORITIES = {MANAGER: ("client-ca-file", "root-ca-file", "requestheader-client-ca-file"), SCHEDULER: ()}


class Controllers:
    """A program of either kind."""

    def __init__(self, container: Container, changed: Callable[[], None], around: Surroundings, kind: str) -> None:
        self._container, self._changed, self._around, self._kind = container, changed, around, kind
        self._server: Server | None = None
        self._tenant: Tenant | None = None
        self._serves = False
        self._woken = asyncio.Event()
        self.is_hung = False  # a fault: it does nothing, and answers nobody

    @property
    def identity(self) -> str:
        """As real ones name themselves: by their host, which in a Pod is the Pod, and something of their own."""
        return f"{self._container.pod}_{self._container.uid}"

    @property
    def host(self) -> str:
        """Where it runs."""
        return self._container.host

    @property
    def renews(self) -> bool:
        """Whether it lives and reaches the API server."""
        found = self._server
        return not self.is_hung and found is not None and self._hears(found) and found.answers(API_PORT, "/livez")

    async def run(self) -> int:
        """Live until it cannot lead any more, or finds no API server at its start."""
        network, clock = self._around.network, self._around.clock
        try:
            config = self._check()
            await clock.sleep(self._around.random.uniform(*_BEGINS_S) * self._around.quickness)
            await self._find_server(config)
        except Ended as error:
            return tell_end(self._container, error)
        self._serves = True
        self._changed()
        network.hear(self._container.host, self._woken.set)
        try:
            return await self._lead(config)
        finally:
            self._serves = False
            network.unhear(self._container.host, self._woken.set)
            if self._tenant is not None:
                self._tenant.rest(self)

    def answers(self, port: int, path: str) -> bool:  # noqa: ARG002  (all paths that are asked say the same)
        """A kubelet's probe."""
        return self._serves and port == PORTS[self._kind] and not self.is_hung

    async def _lead(self, config: Config) -> int:
        """Hold the Lease, or wait for it; ends when it could not be renewed in time."""
        lost_at: float | None = None
        clock = self._around.clock
        while True:
            self._woken.clear()
            if not self.renews and not self.is_hung:
                await self._try_connect(config)
            if not self.renews:
                lost_at = clock.monotonic() if lost_at is None else lost_at
                if self._tenant is not None and clock.monotonic() - lost_at > _GIVES_UP_S and not self.is_hung:
                    return 1  # leader election lost
                await clock.sleep(RENEWS_S)
                continue
            lost_at = None
            await self._hold()

    async def _hold(self) -> None:
        assert self._server is not None  # noqa: S101  (it renews)
        server, tenant = self._server, await self._server.tenant()
        wait_s = tenant.take(self._kind, self)
        if wait_s > 0:
            await self._around.clock.sleep(wait_s)
            return
        self._tenant = tenant
        network, far = self._around.network, server.host
        ended, requests = server.ended, tenant.server.store.shelf(REQUESTS)
        assert ended is not None  # noqa: S101
        woken, changed = asyncio.ensure_future(self._woken.wait()), requests.next_change()
        network.hear(far, self._woken.set)
        try:
            if self._kind == MANAGER:
                self._sign(tenant)
            awaited = (woken, ended, changed) if self._kind == MANAGER else (woken, ended)
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not self.is_hung and not server.is_hung:
                tenant.pause(self)
            woken.cancel()
            requests.forget(changed)
            if far != self.host:
                network.unhear(far, self._woken.set)

    def _sign(self, tenant: Tenant) -> None:
        """What was approved meanwhile, with the pair that the files hold now."""
        clock, random = self._around.clock, self._around.random
        longest = self._container.flag("cluster-signing-duration", "")
        with suppress(Damaged, FileNotFoundError):  # a later change finds the files whole, or not
            sign_all(tenant.server, self._signer, longest=longest, now=clock.now(), random=random)

    def _signer(self) -> Signer:
        flag, read = self._container.flag, self._container.files
        files = {"ca.crt": "cluster-signing-cert-file", "ca.key": "cluster-signing-key-file"}
        return read_signer({name: read(flag(each)) for name, each in files.items()}, "ca")

    async def _find_server(self, config: Config) -> None:
        clock = self._around.clock
        until = clock.monotonic() + _FIRST_S
        while not await self._try_connect(config):
            if clock.monotonic() > until:
                raise Ended("failed to wait for apiserver being healthy: timed out waiting for the condition")
            await clock.sleep(1.0)

    async def _try_connect(self, config: Config) -> bool:
        reach = reach_from(self._around.network, self._around.clock, self._container.host)
        transport = reach(config)(config.server, "")
        try:
            async with self._around.clock.timeout(5.0):
                response = await transport.send(Request(method="GET", path="/healthz"))
        except (ConnectionFailed, TimeoutError):
            self._server = None
            return False
        self._server = transport.server if response.status == 200 else None
        return self._server is not None

    def _hears(self, server: Server) -> bool:
        is_there = server.ended is not None and not server.ended.done()
        return is_there and self._around.network.joins(self._container.host, server.host)

    def _check(self) -> Config:
        container = self._container
        check_flags(container, self._kind, line_of(version_of(container)))
        try:
            for certificate, key in _PAIRS[self._kind]:
                Pair(container.files, container.flag(certificate), container.flag(key)).now()
            for name in _AUTHORITIES[self._kind]:
                Trust(container.files(container.flag(name)))
            if self._kind == MANAGER:
                container.files(container.flag("service-account-private-key-file"))
            return from_kubeconfig_bytes(container.files(container.flag("kubeconfig")))
        except FileNotFoundError as error:
            raise Ended(f"open {error}: no such file or directory") from error
        except (Untrusted, ConfigError) as error:
            raise Ended(str(error)) from error
