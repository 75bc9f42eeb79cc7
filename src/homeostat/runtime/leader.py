"""Leader election by Lease, compatible with client-go's fields.

Two clocks never meet: whether somebody else's lease has run out is measured from when *we* saw it change, on our own
monotonic clock, and our own leadership ends `lease_s` after the *start* of the last renewal that succeeded. Losing it
raises `LeadershipLost`, which ends the process: nothing that was begun as leader goes on.

An API server that is slow, or a connection that is dead, takes nobody's leadership: a leader writes what it knows to be
its own without asking first, one try that hangs leaves time for another one, and a write whose answer was lost is
recognized as its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from msgspec import Struct

from homeostat.api.core import LEASE, Lease
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.errors import AlreadyExists, Conflict, KubeError, NotFound
from homeostat.runtime.microtime import micro_time
from homeostat.telemetry.logs import logger
from homeostat.telemetry.metrics import Metrics, declare

LEADING = declare("homeostat_leader", "gauge", "leaders", "1 while this process leads", labels=("lease",))


class LeadershipLost(Exception):
    """This process may not act any more."""


class LeaseTimes(Struct, frozen=True):
    """How long leadership lasts without renewal, how long renewing may fail, how often it is tried."""

    lease_s: float = 15.0
    renew_deadline_s: float = 10.0
    retry_s: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.retry_s < self.renew_deadline_s < self.lease_s:
            raise ValueError(
                f"expected retry < renew deadline < lease duration, found {self.retry_s:g} s, "
                f"{self.renew_deadline_s:g} s and {self.lease_s:g} s"
            )

    @property
    def try_s(self) -> float:
        """How long one try may take: two of them fit between a renewal and its deadline."""
        return (self.renew_deadline_s - self.retry_s) / 2


class LeaderElector:
    """One candidate. `run` it in a task group; `leading` is set while it leads."""

    def __init__(
        self,
        client: Client,
        name: str,
        namespace: str,
        identity: str,
        *,
        clock: Clock,
        random: Random,
        times: LeaseTimes = LeaseTimes(),  # noqa: B008  (a frozen value)
        metrics: Metrics | None = None,
    ) -> None:
        self.leading = asyncio.Event()
        self.identity = identity
        self._client = client
        self._name = name
        self._namespace = namespace
        self._clock = clock
        self._random = random
        self._times = times
        self._seen: Lease | None = None
        self._seen_at = 0.0
        self._renewed_at: float | None = None
        self._log = logger(lease=f"{namespace}/{name}", identity=identity)
        self._gauge = (metrics or Metrics()).gauge(LEADING).labels(name)
        self._gauge.set(0)

    def may_act(self) -> bool:
        """Whether leadership is certain at this moment; false also in a process that was stopped for a while."""
        return self._renewed_at is not None and self._clock.monotonic() < self._renewed_at + self._times.lease_s

    @property
    def holder(self) -> str:
        """Who led when we last looked."""
        return (self._seen.spec.holder_identity or "") if self._seen else ""

    async def run(self) -> None:
        """Wait to lead, then lead until cancelled. Raises LeadershipLost."""
        while not await self._try():
            await self._clock.sleep(self._times.retry_s * (1.0 + 0.2 * self._random.random()))
        self._log.info("leading")
        self._gauge.set(1)
        self.leading.set()
        try:
            while True:
                await self._clock.sleep(self._times.retry_s)
                await self._renew()
        finally:
            self._gauge.set(0)
            self.leading.clear()

    async def release(self) -> None:
        """Give leadership up at once, so that the next one need not wait; call it after all acting has ended."""
        if self._seen is None or self._renewed_at is None:
            return
        self._renewed_at = None
        spec = self._spec(holder="", transitions=self._seen.spec.lease_transitions or 0, lease_s=1)
        try:
            async with self._clock.timeout(self._times.retry_s):
                await self._patch(self._seen, spec)
            self._log.info("released the lease")
        except (KubeError, TimeoutError) as error:
            self._log.warning("leaving the lease to run out", error=str(error))

    async def _renew(self) -> None:
        assert_until = (self._renewed_at or 0.0) + self._times.renew_deadline_s
        while True:
            again_at = self._clock.monotonic() + self._times.retry_s
            if await self._try(assert_until):
                return
            if self.holder not in ("", self.identity):
                raise LeadershipLost(f"lease {self._namespace}/{self._name} was taken over by {self.holder}")
            now = self._clock.monotonic()
            if now >= assert_until:
                raise LeadershipLost(
                    f"lease {self._namespace}/{self._name} could not be renewed for {self._times.renew_deadline_s:g} s"
                )
            await self._clock.sleep(min(again_at, assert_until) - now)

    async def _try(self, until: float = float("inf")) -> bool:
        """One attempt to get or keep the lease, within what is left until a deadline."""
        limit = min(self._times.try_s, max(until - self._clock.monotonic(), 0.01))
        try:
            async with self._clock.timeout(limit):
                return await self._keep() or await self._acquire_or_renew()
        except (KubeError, TimeoutError) as error:
            self._log.warning("trying for the lease again", error=str(error) or "timed out")
            return False

    async def _keep(self) -> bool:
        """Renew what nobody else has written since we did; whether that is so, the API server knows."""
        if self._seen is None or self._renewed_at is None or self.holder != self.identity:
            return False
        with contextlib.suppress(Conflict, NotFound):  # by whom it is now, a look tells
            await self._take(self._seen)
            return True
        return False

    async def _acquire_or_renew(self) -> bool:
        asked_at = self._clock.monotonic()
        try:
            lease = await self._client.get(LEASE, self._name, self._namespace)
        except NotFound:
            return await self._create()
        if self._seen is None or self._seen.spec != lease.spec:
            self._seen_at = self._clock.monotonic()  # not before: it may have been renewed while we waited
        self._seen = lease
        held = lease.spec.holder_identity or ""
        if held and held != self.identity and asked_at < self._seen_at + (lease.spec.lease_duration_seconds or 0):
            return False
        try:
            await self._take(lease)
        except Conflict:
            return False  # somebody was quicker; who it is, the next look tells
        return True

    async def _take(self, lease: Lease) -> None:
        """Write ourselves into a lease as it was seen. Raises Conflict when it has changed."""
        began = self._clock.monotonic()
        mine = lease.spec.holder_identity == self.identity
        transitions = (lease.spec.lease_transitions or 0) + (0 if mine else 1)
        spec = self._spec(holder=self.identity, transitions=transitions, lease_s=self._times.lease_s)
        if mine and lease.spec.acquire_time:
            spec["acquireTime"] = micro_time(lease.spec.acquire_time)
        self._seen = await self._patch(lease, spec)
        self._seen_at = self._renewed_at = began

    async def _create(self) -> bool:
        began = self._clock.monotonic()
        body = {
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": self._spec(holder=self.identity, transitions=0, lease_s=self._times.lease_s),
        }
        with contextlib.suppress(AlreadyExists):  # somebody was quicker
            self._seen = await self._client.create(LEASE, body)
            self._seen_at = self._renewed_at = began
            return True
        return False

    def _spec(self, *, holder: str, transitions: int, lease_s: float) -> dict[str, Any]:
        now = micro_time(self._clock.now())
        return {
            "holderIdentity": holder,
            "leaseDurationSeconds": max(int(lease_s), 1),
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": transitions,
        }

    async def _patch(self, lease: Lease, spec: dict[str, Any]) -> Lease:
        version = lease.metadata.resource_version  # makes the patch conditional on what we saw
        patch = {"metadata": {"resourceVersion": version}, "spec": spec}
        return await self._client.merge_patch(LEASE, self._name, patch, self._namespace)
