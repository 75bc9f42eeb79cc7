"""The cluster operator in the test's own process: with faults between it and the API, and a scripted endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Self

from tests.support.faults import Faults
from tests.support.granting import FakeRights
from tests.support.membership import FakeEtcd
from tests.support.stores import FakeStores

from homeostat.kit.clock import Clock, SystemClock
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.observing import ignore
from homeostat.kube.transport import Transport
from homeostat.operators.cluster.controller import add_cluster_operator, fleet_of
from homeostat.operators.cluster.decide import Policy
from homeostat.operators.cluster.healing.pulse import Pulse
from homeostat.operators.cluster.ports import Direct, Etcd, LeaderSeen, Outside, Served, Unreachable
from homeostat.operators.cluster.restore.ports import RestoreTools
from homeostat.operators.cluster.snapshots.controller import Means, add_backups
from homeostat.runtime.manager import Manager, ManagerSettings

USER = "cluster-operator"
SERVED = "v1.35.4"
_LEAST_S = 1e-6


class FakeEndpoint:
    """Satisfies the operator's Probe: answers with a version, or with what it is told."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self.failure = ""
        self.hung: set[str] = set()  # urls of API servers that do not answer when they are asked past the endpoint
        self.are_all_hung = False
        self.refuses: Callable[[str], str] = lambda _: ""  # by the url of one that is asked so: why it is of no use
        self.silence_s = 0.0  # how long their answer is awaited
        self.leaders: dict[str, str] = {}  # who holds the Lease of a component
        self.are_leaders_hung = False  # they hold their Leases, and do not renew them
        self.kubelet_versions: list[str] = []
        self.rewritten: list[str] = []  # the pages of Secrets that were to be written anew
        self.kubeconfigs: list[bytes] = []
        self.forgotten: list[bytes] = []
        self.asked_at: list[float] = []  # by the clock, in seconds
        self._asked = asyncio.Event()

    async def probe(self, kubeconfig: bytes, direct: Direct | None = None) -> Served:
        if direct is not None:
            if direct.url in self.hung or self.are_all_hung:
                await self._clock.sleep(self.silence_s)
                raise Unreachable(f"{direct.url} does not answer")
            if why := self.refuses(direct.url):
                raise Unreachable(why)
            return Served(SERVED, self._leaders())
        self.kubeconfigs.append(kubeconfig)
        self.asked_at.append(self._clock.monotonic())
        self._asked.set()
        if self.failure:
            raise Unreachable(self.failure)
        return Served(SERVED, self._leaders())

    async def kubelets(self, kubeconfig: bytes) -> frozenset[str]:
        if self.failure:
            raise Unreachable(self.failure)
        return frozenset(self.kubelet_versions)

    async def rewrite_secrets(self, kubeconfig: bytes, after: str) -> str:
        """Three pages."""
        if self.failure:
            raise Unreachable(self.failure)
        self.rewritten.append(after)
        return {"": "1", "1": "2"}.get(after, "")

    def forget(self, kubeconfig: bytes) -> None:
        self.forgotten.append(kubeconfig)

    def _leaders(self) -> dict[str, LeaderSeen]:
        renewed = None if self.are_leaders_hung else self._clock.now()
        return {component: LeaderSeen(holder, renewed) for component, holder in self.leaders.items()}

    async def until_asked(self, times: int) -> None:
        """Wait for so many more probes."""
        times += len(self.kubeconfigs)
        async with self._clock.timeout(30):
            while len(self.kubeconfigs) < times:
                self._asked.clear()
                await self._asked.wait()


class QuickClock:
    """A clock that goes several times faster than another, so that a back-off of half a minute passes in a second.

    It may also be ahead, by years, so that what was made just now is old.
    """

    def __init__(self, clock: Clock, times: float, ahead: timedelta = timedelta(0)) -> None:
        self._clock, self._times = clock, times
        self._began = clock.monotonic()
        self._start = clock.now() + ahead

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (self._clock.monotonic() - self._began) * self._times

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(self._outside(seconds))

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        return self._clock.timeout(None if seconds is None else self._outside(seconds))

    def _outside(self, seconds: float) -> float:
        """How long that is by the other clock: never so little that its time would stand."""
        return max(seconds / self._times, _LEAST_S) if seconds > 0 else 0.0


class QuickSleeps:
    """Shortens what a client waits before it tries again, but not what it grants a server that is busy."""

    def __init__(self, clock: Clock, times: float) -> None:
        self._clock, self._times = clock, times
        self.each_takes_s = self._late_s = 0.0

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        """Every look at it is so much later than the one before: what is timed by it took that long, at least."""
        self._late_s += self.each_takes_s
        return self._clock.monotonic() + self._late_s

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds / self._times)

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        return self._clock.timeout(seconds)


class Operator:
    """One process' worth of operator, wired as the application wires it, with the rights of deploy/operator alone."""

    def __init__(
        self,
        transport: Transport,
        *namespaces: str,
        clock: Clock,
        random: Random,
        endpoint: FakeEndpoint,
        etcd: Etcd | None = None,
        stores: FakeStores | None = None,
        rights: FakeRights | None = None,
        haste: float = 1.0,
        ahead: timedelta = timedelta(0),
        means: Means | None = None,
        restoring: RestoreTools | None = None,
        policy: Policy = Policy(),  # noqa: B008  (a frozen value)
        pulse: Pulse | None = None,
        workers: int = 8,
    ) -> None:
        self.endpoint = endpoint
        self.faults = Faults(transport)
        self.answers = QuickSleeps(clock, haste)
        self._client = Client(
            self.faults, clock=self.answers, random=random, field_manager="homeostat-cluster", observer=pulse or ignore
        )
        quick = QuickClock(clock, haste, ahead)
        self._manager = Manager(clock=quick, random=random, settings=ManagerSettings(tune_gc=False))
        etcd = etcd or FakeEtcd()
        outside = Outside(
            probe=endpoint,
            etcd=etcd,
            rights=rights or FakeRights(),
            upkeep=stores or FakeStores(etcd if isinstance(etcd, FakeEtcd) else FakeEtcd()),
            store=means.store if means is not None else None,
            restoring=restoring,
        )
        fleet = fleet_of(self._manager, policy, is_slow=lambda: pulse is not None and pulse.is_slow)
        for namespace in namespaces or ("",):
            add_cluster_operator(
                self._manager,
                self._client,
                outside,
                namespace=namespace,
                workers=workers,
                policy=policy,
                fleet=fleet,
            )
        if means is not None:
            add_backups(self._manager, self._client, means, namespaces=namespaces or ("",))
        self._stop = asyncio.Event()
        self._task: asyncio.Task[int] | None = None

    def value(self, name: str, /, **labels: str) -> float:
        """What a metric of this operator says."""
        return self._manager.metrics.registry.get_sample_value(f"homeostat_{name}", labels) or 0.0

    async def __aenter__(self) -> Self:
        self._task = asyncio.ensure_future(self._manager.run(self._stop))
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._task is not None
        task = self._task
        if not task.done():
            # Gone between two instructions, as after SIGKILL: nothing is flushed, nothing finishes.
            task.cancel()
        (ended,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError) or ended == 0, f"the operator ended: {ended}"

    async def end(self) -> int:
        """End in order, as after SIGTERM; the exit code."""
        assert self._task is not None
        self._stop.set()
        return await self._task
