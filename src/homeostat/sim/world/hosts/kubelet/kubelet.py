"""One kubelet: keeps its Node and its Lease, and gives each Pod that is bound to its host a life.

It is woken by two things only: changes of its host, and changes of Pods that are bound to it. What a kubelet that
hangs, or is cut off, does not see, it sees when it works again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import msgspec

from homeostat.api.coordination import LEASE
from homeostat.api.core import NODE
from homeostat.api.pods import Pod
from homeostat.kube.errors import AlreadyExists, KubeError, NotFound
from homeostat.runtime.microtime import micro_time
from homeostat.sim.world.hosts.host import Host
from homeostat.sim.world.hosts.kubelet import node
from homeostat.sim.world.hosts.kubelet.cell import Cell
from homeostat.sim.world.hosts.kubelet.pod import PodLife
from homeostat.telemetry.logs import logger

BEAT_S = 10.0  # between two renewals of a Lease, as real kubelets do by default
_log = logger(component="kubelet")


class Kubelet:
    """The kubelet of one host."""

    def __init__(self, host: Host, cell: Cell, bound: Callable[[str], Iterable[Pod]], beat_s: float | None) -> None:
        """`bound` finds the Pods of a Node; without `beat_s` Leases are promises (decision 0032)."""
        self.host = host
        self._cell = cell
        self._bound = bound
        self._beat_s = beat_s
        self._lives: dict[str, tuple[PodLife, asyncio.Task[None]]] = {}  # by uid of the Pod
        self._is_up = False
        self._is_heard = False
        self._silent_since: float | None = None
        self._uid = ""  # of the Node
        self._told: dict[str, Any] = {}
        self._has_promised = False
        self._speaking: asyncio.Task[None] | None = None
        self._has_news = False

    def host_changed(self) -> None:
        """Something happened to its host."""
        host = self.host
        if host.is_up != self._is_up:
            self._is_up = host.is_up
            if not host.is_up:
                self._lose_all()
        if host.is_heard != self._is_heard:
            self._is_heard = host.is_heard
            self._silent_since = None if host.is_heard else self._cell.clock.monotonic()
            if host.is_heard:
                self._told = {}  # whoever watched over it may have said something else meanwhile
        self._catch_up()
        if host.is_up:
            for life, _ in self._lives.values():
                life.wake()
        self._say_news()

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        """A Pod that is bound to its host came, changed or went."""
        if not self._is_heard:
            return
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            self._notice(old.metadata.uid, None)
        if new is not None:
            if new.metadata.uid in self._lives:
                self._notice(new.metadata.uid, new)
            else:
                self._begin(new)

    # --- Pods

    def _catch_up(self) -> None:
        """See what changed while nothing was seen."""
        if not self._is_heard:
            return
        bound = {pod.metadata.uid: pod for pod in self._bound(self.host.name)}
        for uid in tuple(self._lives):
            self._notice(uid, bound.get(uid))
        for uid, pod in bound.items():
            if uid not in self._lives:
                self._begin(pod)

    def _notice(self, uid: str, pod: Pod | None) -> None:
        if uid in self._lives:
            self._lives[uid][0].notice(pod)

    def _begin(self, pod: Pod) -> None:
        life = PodLife(pod, self.host, self._cell)
        task = self._cell.spawn(self._live(life), f"pod {pod.metadata.key}")
        self._lives[life.uid] = life, task

    async def _live(self, life: PodLife) -> None:
        await life.run()
        self._lives.pop(life.uid, None)

    def _lose_all(self) -> None:
        lives, self._lives = self._lives, {}
        for _, task in lives.values():
            task.cancel()

    # --- what it tells of its host

    def _say_news(self) -> None:
        self._has_news = True
        if self._speaking is None or self._speaking.done():
            self._speaking = self._cell.spawn(self._speak(), f"kubelet {self.host.name}")

    async def _speak(self) -> None:
        """Until there is no more to say."""
        while self._has_news:
            self._has_news = False
            try:
                await (self._report() if self._is_heard else self._fall_silent())
            except KubeError as error:
                _log.warning("telling again", host=self.host.name, error=str(error))
                self._has_news = True
                await self._cell.clock.sleep(self._cell.times.retry.draw(self._cell.random))

    async def _report(self) -> None:
        """Say that it beats, and how its host is."""
        if not self._uid:
            await self._register()
        if not self._has_promised:
            await self._beat()
        now = self._cell.clock.now()
        status = node.status(self.host, now, self._told)
        if _plain(status) != _plain(self._told):
            await self._patch_node(status)
            self._told = status
        if self._beat_s is not None:
            await self._cell.clock.sleep(self._beat_s)
            self._has_promised, self._has_news = False, True

    async def _register(self) -> None:
        client, now = self._cell.client, self._cell.clock.now()
        body = node.node(self.host, now)
        try:
            made = await client.create(NODE, body)
            self._told = body["status"]
        except AlreadyExists:
            made = await client.merge_patch(NODE, self.host.name, {"metadata": {"labels": node.labels(self.host)}})
        self._uid = made.metadata.uid

    async def _beat(self) -> None:
        clock = self._cell.clock
        await self._renew(node.FOR_EVER if self._beat_s is None else clock.now())
        self._has_promised = True

    async def _fall_silent(self) -> None:
        """The world says when it beat for the last time; a Lease that is really renewed says so itself."""
        if not self._has_promised or self._silent_since is None:
            return
        if self._beat_s is None:
            ago_s = self._cell.clock.monotonic() - self._silent_since + self._cell.random.uniform(0, BEAT_S)
            await self._renew(self._cell.clock.now() - timedelta(seconds=ago_s))
        self._has_promised = False

    async def _renew(self, at: Any) -> None:
        client, name = self._cell.client, self.host.name
        try:
            await client.merge_patch(LEASE, name, {"spec": {"renewTime": micro_time(at)}}, node.LEASES)
        except NotFound:
            await client.create(LEASE, node.lease(self.host, self._uid, at))

    async def _patch_node(self, status: dict[str, Any]) -> None:
        await self._cell.client.request(
            "PATCH",
            NODE.resource.path(self.host.name, subresource="status"),
            query=(("fieldManager", "kubelet"),),
            headers={"Content-Type": "application/strategic-merge-patch+json"},
            body=msgspec.json.encode({"status": status}),
        )


def _plain(status: dict[str, Any]) -> dict[str, Any]:
    """Without times."""
    conditions = [{name: each[name] for name in ("type", "status", "reason")} for each in status.get("conditions", ())]
    return {**status, "conditions": conditions}
