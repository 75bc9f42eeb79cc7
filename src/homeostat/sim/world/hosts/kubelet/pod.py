"""The life of one Pod on its host, from its volumes to the deletion of its object.

One task for each Pod. It sleeps until something changes, or until something is due, and then does the whole of what is
to be done: a change that was missed is not lost. What is told to the API is told when it differs from what was told
before, so a Pod that rests costs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from enum import IntEnum
from math import inf
from typing import Any

import msgspec
from msgspec.structs import replace

from homeostat.api.core import PERSISTENT_VOLUME_CLAIM
from homeostat.api.pods import POD, Pod
from homeostat.kube.errors import Conflict, KubeError, NotFound
from homeostat.sim.world.hosts.ailing import Ail
from homeostat.sim.world.hosts.containers import Container, Disk, Program
from homeostat.sim.world.hosts.host import Host
from homeostat.sim.world.hosts.kubelet.cell import Cell
from homeostat.sim.world.hosts.kubelet.container import ContainerLife
from homeostat.sim.world.hosts.kubelet.mounts import Mounts, sources_of
from homeostat.sim.world.hosts.kubelet.sources import Key
from homeostat.sim.world.hosts.kubelet.spec import WHOLE_POD, ContainerSpec, Volume, WholePod
from homeostat.sim.world.hosts.kubelet.statuses import Facts, status_of
from homeostat.sim.world.hosts.kubelet.tokens import Grants
from homeostat.sim.world.hosts.kubelet.variables import Entries, Place, command, environment, mounted, referenced
from homeostat.telemetry.logs import logger

_ALWAYS = "Always"
_OVER = ("Succeeded", "Failed")
_log = logger(component="kubelet")


class Step(IntEnum):
    """How far a Pod is."""

    READ = 0  # its object is to be read
    VOLUMES = 1
    SANDBOX = 2  # its network
    RUN = 3


class CutOff(Exception):
    """The host does not reach the API server."""


class PodLife:
    """One Pod on one host; the ground that its containers stand on."""

    def __init__(self, pod: Pod, host: Host, cell: Cell) -> None:
        self.host = host
        self.clock, self.random, self.times, self.registry = cell.clock, cell.random, cell.times, cell.registry
        self.grace_s = 30.0
        self._cell = cell
        self._pod = pod  # the newest that is known
        self._whole: WholePod | None = None
        self._step = Step.READ
        self._due = -inf
        self._inits: list[ContainerLife] = []
        self._mains: list[ContainerLife] = []
        self._mounts: Mounts | None = None
        self._grants: Grants
        self._claims: dict[str, tuple[str, bool]] = {}  # volume and whether it is local, by claim
        self._address = ""
        self._born, self._born_at = "", 0.0
        self._told: Mapping[str, Any] = {}
        self._is_gone = False
        self._is_over = False
        self._is_late = False  # it ran longer than it may
        self._grace_told_s: float | None = None
        self._followed: dict[Key, None] = {}
        self._refresh_at = inf
        self._ready_at = inf
        self._woken = asyncio.Event()

    @property
    def uid(self) -> str:
        """Of the Pod."""
        return self._pod.metadata.uid

    @property
    def key(self) -> str:
        """By namespace and name."""
        return self._pod.metadata.key

    @property
    def name(self) -> str:
        """As kubelets name it in messages."""
        meta = self._pod.metadata
        return f"{meta.name}_{meta.namespace}({meta.uid})"

    def wake(self) -> None:
        """Look at it soon."""
        self._woken.set()

    def notice(self, pod: Pod | None) -> None:
        """Its object changed; None: it is gone."""
        if pod is None:
            self._is_gone = True
        else:
            self._pod = pod
        self.wake()

    def spawn(self, what: Coroutine[Any, Any, int]) -> asyncio.Task[int]:
        """Run a program on the host."""
        return self._cell.spawn(what, f"program of {self.name}")

    async def run(self) -> None:
        """Live until the object is gone, or the host is: then this is cancelled, and nothing is told."""
        try:
            while not self._is_over:
                self._woken.clear()
                await self.host.kubelet_works()
                await self._gently()
                if not self._is_over:
                    await self._rest()
        finally:
            for container in (*self._inits, *self._mains):
                container.abandon()
            for key in self._followed:
                self._cell.sources.leave(key, self._source_changed)
            self.host.give_back(self._address)

    async def _rest(self) -> None:
        containers = (*self._inits, *self._mains)
        due = min(self._due, self._refresh_at, self._deadline, *(each.due() for each in containers), inf)
        left = due - self.clock.monotonic()
        if left <= 0:
            await self.clock.sleep(0)
            return
        if left == inf:
            await self._woken.wait()
            return
        with suppress(TimeoutError):
            async with self.clock.timeout(left):
                await self._woken.wait()

    async def _gently(self) -> None:
        """One look; what fails at the API is tried again."""
        try:
            await self._look()
        except CutOff:
            self._due = inf  # it is woken when the network works again
        except (NotFound, Conflict):
            # The object is gone, or another one has its name: the watch will tell.
            self._due = inf
        except KubeError as error:
            _log.warning("trying again", pod=self.name, error=str(error))
            self._due = self.clock.monotonic() + self.times.retry.draw(self.random)

    async def _look(self) -> None:
        self._due = inf
        if self._step is Step.READ:
            await self._read()
        self._heed()
        if self._step is Step.VOLUMES and not self._is_leaving:
            await self._mount()
        if self._step is Step.SANDBOX and not self._is_leaving:
            self._connect()
        if self._refresh_at <= self.clock.monotonic():
            await self._refresh()
        await self._tend()
        await self._tell()
        if self._is_ending and self._have_ended:
            await self._finish()

    # --- before its containers

    async def _read(self) -> None:
        self._reach()
        meta = self._pod.metadata
        whole = await self._cell.client.get(WHOLE_POD, meta.name, meta.namespace)
        if whole.metadata.uid != meta.uid:
            self._is_over = True
            return
        self._whole = whole
        spec = whole.spec
        self.grace_s = float(spec.termination_grace_period_seconds)
        now = self.host.now(self.clock)
        born = whole.status.start_time or now
        self._born, self._born_at = _time(born), self.clock.monotonic() - (now - born).total_seconds()
        waits = "PodInitializing" if spec.init_containers else "ContainerCreating"
        policy = "OnFailure" if spec.restart_policy == _ALWAYS else spec.restart_policy
        self._inits = [
            ContainerLife(
                each, self, policy=each.restart_policy or policy, waits="PodInitializing", told=whole.told(each.name)
            )
            for each in spec.init_containers
        ]
        self._mains = [
            ContainerLife(each, self, policy=spec.restart_policy, waits=waits, told=whole.told(each.name))
            for each in spec.containers
        ]
        if whole.status.phase in _OVER:
            for container in (*self._inits, *self._mains):
                container.end(0)
            self._told = {"phase": whole.status.phase}
        self._step = Step.VOLUMES

    async def _mount(self) -> None:
        """Have all volumes, or try again when those that are missing come, or later."""
        whole = self._known
        if whole.status.phase in _OVER:
            return
        self._reach()
        place = Place(self.host.name, self.host.address, "", self.host.allocatable)
        mounts = Mounts(whole, place, self._disk_of)
        for key in sources_of(whole):
            self._follow(key)
            content = await self._cell.sources.read(key)
            if content is not None:
                mounts.contents[key] = content
        grants = self._grants = Grants(self._cell.client, self.clock, whole)
        mounts.tokens = grants.tokens
        missing = mounts.missing() or await self._find_claims() or await self._find_tokens()
        if missing:
            self._due = self.clock.monotonic() + self.times.retry.draw(self.random)
            return
        self._mounts = mounts
        self._refresh_at = grants.due
        self._step = Step.SANDBOX
        self._ready_at = self.clock.monotonic() + self.times.sandbox.draw(self.random) * self.host.slowness

    async def _find_claims(self) -> str:
        """Which volumes its claims are bound to; what is missing."""
        meta = self._known.metadata
        for volume in self._known.spec.volumes:
            name = _claim_of(volume, meta.name)
            if not name:
                continue
            try:
                claim = await self._cell.client.get(PERSISTENT_VOLUME_CLAIM, name, meta.namespace)
            except NotFound:
                return f'persistentvolumeclaim "{name}" not found'
            found = self._cell.volumes.store.get(claim.spec.volume_name)
            if claim.status.phase != "Bound" or found is None:
                return f'persistentvolumeclaim "{name}" is not bound'
            self._claims[volume.name] = found.metadata.uid, found.is_local
        return ""

    async def _find_tokens(self) -> str:
        """Have the tokens of its account; what is missing."""
        try:
            await self._grants.renew()
        except NotFound:
            return "the account of the Pod is not there"
        return ""

    def _connect(self) -> None:
        if self.clock.monotonic() < self._ready_at:
            self._due = self._ready_at
            return
        if self.host.ailments.has(Ail.POD_NETWORK) or self.host.ailments.has(Ail.RUNTIME):
            self._due = self.clock.monotonic() + self.times.retry.draw(self.random)
            return
        self._address = self.host.address if self._known.spec.host_network else self.host.take_address()
        place = Place(self.host.name, self.host.address, self._address, self.host.allocatable)
        assert self._mounts is not None  # noqa: S101  (the step before)
        self._mounts.place = place
        self._step = Step.RUN

    # --- while its containers run

    async def _tend(self) -> None:
        if self._step is Step.RUN and not self._is_leaving:
            self._begin_next()
        for container in (*self._inits, *self._mains):
            await container.step()
        if self._step is Step.RUN and not self._is_leaving:
            self._begin_next()

    def _begin_next(self) -> None:
        """Init containers in their order, then all others."""
        for container in self._inits:
            container.begin()
            if not _has_done_its_part(container):
                if container.has_ended:  # and failed for good: the Pod has too
                    for each in self._mains:
                        each.end(0)
                return
        for container in self._mains:
            container.begin()
        if all(each.has_ended for each in self._mains):
            for container in self._inits:
                container.end(self.grace_s)

    async def program(self, container: ContainerSpec, last_words: Disk, changed: Callable[[], None]) -> Program:
        """What runs in a container. Raises ConfigError and KubeError."""
        whole, mounts = self._known, self._mounts
        assert mounts is not None  # noqa: S101  (containers begin after volumes)
        namespace = whole.metadata.namespace
        entries: dict[tuple[str, str], Entries | None] = {}
        for kind, name in referenced(container):
            self._reach()
            self._follow((kind, namespace, name))
            content = await self._cell.sources.read((kind, namespace, name))
            entries[kind, name] = content.entries if content is not None else None
        variables = environment(container, whole, mounts.place, lambda kind, name: entries.get((kind, name)))
        container = mounted(container, variables)
        disks = {**mounts.disks(container), container.termination_message_path: last_words}
        given = Container(
            namespace=namespace,
            pod=whole.metadata.name,
            uid=whole.metadata.uid,
            name=container.name,
            host=self.host.name,
            zone=self.host.zone,
            address=self._address,
            image=container.image,
            command=command(container, variables),
            environment=variables,
            files=mounts.files(container),
            disks=disks,
        )
        return self._cell.start(given, changed)

    def _reach(self) -> None:
        if not self.host.reaches_server:
            raise CutOff

    def _disk_of(self, volume: Volume, part: str) -> Disk:
        if volume.name in self._claims:
            uid, is_local = self._claims[volume.name]
            return self._cell.home(uid, self.host.disks if is_local else None).of(uid, part)
        if volume.host_path is not None:
            return self.host.disks.of(volume.host_path.path, part)
        return self.host.disks.of(f"{self.uid}/{volume.name}", part)

    # --- its sources

    def _follow(self, key: Key) -> None:
        if key not in self._followed:
            self._followed[key] = None
            self._cell.sources.follow(key, self._source_changed)

    def _source_changed(self) -> None:
        """Files follow after a while; who waits for the object tries again."""
        now = self.clock.monotonic()
        if self._step is Step.RUN:
            self._refresh_at = min(self._refresh_at, now + self.times.refresh.draw(self.random))
        for container in (*self._inits, *self._mains):
            container.retry()
        self.wake()

    async def _refresh(self) -> None:
        self._refresh_at = inf
        if self._mounts is None:
            return
        if self._grants.due < inf:  # again, should it fail
            self._refresh_at = self.clock.monotonic() + self.times.retry.draw(self.random)
        if not self.host.reaches_server:
            return
        if not await self._find_tokens():
            self._refresh_at = self._grants.due
        for key in sources_of(self._known):
            content = await self._cell.sources.read(key)
            if content is not None:  # files stay when their object goes
                self._mounts.contents[key] = content

    # --- what others want of it

    @property
    def _known(self) -> WholePod:
        assert self._whole is not None  # noqa: S101  (read first)
        return self._whole

    @property
    def _is_ending(self) -> bool:
        return self._is_gone or self._pod.metadata.deletion_timestamp is not None

    @property
    def _is_leaving(self) -> bool:
        return self._is_ending or self._is_late

    @property
    def _deadline(self) -> float:
        """When it has run as long as it may."""
        seconds = self._pod.spec.active_deadline_seconds
        if seconds is None or self._is_leaving or self._step is Step.READ or self._told.get("phase") in _OVER:
            return inf
        return self._born_at + seconds

    @property
    def _have_ended(self) -> bool:
        return all(each.has_ended for each in (*self._inits, *self._mains))

    def _heed(self) -> None:
        """Other images, and its end: others first, those that stay beside them then."""
        if self._deadline <= self.clock.monotonic():
            self._is_late = True
        if not self._is_leaving:
            declared = {each.name: each.image for each in self._pod.spec.containers}
            for container in self._mains:
                image = declared.get(container.spec.name, container.spec.image)
                if image != container.spec.image:
                    container.change_image(replace(container.spec, image=image))
            return
        grace_s = self._grace_to_end_s
        if self._grace_told_s is None or grace_s < self._grace_told_s:
            self._grace_told_s = grace_s
            for container in self._mains:
                container.end(grace_s)
        if all(each.has_ended for each in self._mains):
            for container in self._inits:
                if not container.is_ending:
                    container.end(grace_s)

    @property
    def _grace_to_end_s(self) -> float:
        if self._is_gone:
            return 0.0
        return float(self._pod.metadata.deletion_grace_period_seconds or 0) if self._is_ending else self.grace_s

    async def _finish(self) -> None:
        """All has ended: let the object go."""
        for volume in self._whole.spec.volumes if self._whole is not None else ():
            self.host.disks.drop(f"{self.uid}/{volume.name}")
        if not self._is_gone:
            if not self.host.reaches_server:
                return
            meta = self._pod.metadata
            with suppress(NotFound, Conflict):
                await self._cell.client.delete(POD, meta.name, meta.namespace, uid=meta.uid, grace_s=0)
        self._is_over = True

    async def _tell(self) -> None:
        """What is told of it, if it is not what was told before."""
        if self._is_gone or self._is_over or not self.host.reaches_server:
            return
        if self._told.get("phase") in _OVER and not self._mounts:
            return
        status = status_of(self._facts(), self._told, _time(self.host.now(self.clock)))
        if status == self._told:
            return
        meta = self._pod.metadata
        body = {"metadata": {"uid": meta.uid}, "status": status}
        await self._cell.client.request(
            "PATCH",
            POD.resource.path(meta.name, meta.namespace, "status"),
            query=(("fieldManager", "kubelet"),),
            headers={"Content-Type": "application/strategic-merge-patch+json"},
            body=msgspec.json.encode(body),
        )
        self._told = status

    def _facts(self) -> Facts:
        whole = self._known
        conditions = {each.type: each.status == "True" for each in self._pod.status.conditions}
        # A network that was given a moment ago is told with what came of it, as kubelets do that are not slow.
        has_begun = any(each.has_begun for each in (*self._inits, *self._mains))
        return Facts(
            policy=whole.spec.restart_policy,
            inits=[each.seen(is_done=_has_done_its_part(each)) for each in self._inits],
            mains=[each.seen() for each in self._mains],
            host_ip=self.host.address,
            pod_ip=self._address if has_begun else "",
            started=self._born,
            has_sandbox=self._step is Step.RUN and has_begun and not self._have_ended,
            gates={gate.condition_type: conditions.get(gate.condition_type) for gate in whole.spec.readiness_gates},
            generation=self._pod.metadata.generation,
            is_over=self._is_ending and self._have_ended,
            is_late=self._is_late and self._have_ended,
        )


def _has_done_its_part(container: ContainerLife) -> bool:
    return container.is_started if container.spec.restart_policy == _ALWAYS else container.has_succeeded


def _claim_of(volume: Volume, pod: str) -> str:
    if volume.persistent_volume_claim is not None:
        return volume.persistent_volume_claim.claim_name
    return f"{pod}-{volume.name}" if volume.ephemeral is not None else ""


def _time(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
