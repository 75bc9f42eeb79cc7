"""One member of etcd as a container: it checks what it was given, finds its cluster or begins one, and serves.

| data on its disk | told | it |
|---|---|---|
| yes | anything | goes on, unless it was removed (it ends) or is too old for the form of the data |
| no | `new` | begins a cluster of the members that it was told of, or joins those that began it |
| no | `existing` | asks the others for their list, ends when that differs from its own, and joins |

An empty member of a cluster that was begun long ago is not told apart from one that never was there: it votes. That is
what makes it dangerous, and what those who start members must prevent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

from homeostat.sim.world.hosts.containers import Container, Disk
from homeostat.sim.world.network.network import Refused, Silent, UnknownName
from homeostat.sim.world.network.proving import Pair, Proof, Trust, Untrusted
from homeostat.sim.world.programs.etcd.clusters import Clusters
from homeostat.sim.world.programs.etcd.quorum import Belonging, Disked, Quorum, Running, cluster_id, line_of, member_id
from homeostat.sim.world.programs.starting import Ended, Surroundings, check_flags, tell_end, version_of

CLIENT_PORT, PEER_PORT, METRICS_PORT = 2379, 2380, 2381
DATA = "member"  # the entry of a disk that holds what a member keeps
_QUOTA_BYTES = 2 << 30  # etcd's own default
_FLAG_CODE = 2
_BEGINS_S = (0.3, 0.8)  # until it serves
_ELECTS_S = (1.0, 2.0)  # etcd's election timeout, and up to twice that


class Member:
    """A program; others find it at its Pod's address."""

    def __init__(
        self, container: Container, changed: Callable[[], None], around: Surroundings, clusters: Clusters
    ) -> None:
        self._container, self._around, self._clusters = container, around, clusters
        self._changed = changed
        self._woken = asyncio.Event()
        self.running: Running | None = None
        self._was_ready = False
        self.trust: Trust | None = None
        self.pair: Pair | None = None
        self.is_hung = False  # a fault: it keeps its ports open, and answers nobody

    @property
    def quorum(self) -> Quorum:
        """The cluster that it belongs to. Only of one that runs."""
        assert self.running is not None  # noqa: S101  (callers found it listening)
        return self.running.disked.quorum

    @property
    def host(self) -> str:
        """Where it runs."""
        return self._container.host

    @property
    def name(self) -> str:
        """Its own."""
        return self._container.flag("name")

    @property
    def running_id(self) -> int:
        """Its id. Only of one that runs."""
        assert self.running is not None  # noqa: S101
        return self.running.id

    @property
    def belonging(self) -> Belonging:
        """Itself in the list of its cluster. Only of one that follows a leader."""
        assert self.running is not None  # noqa: S101
        return self.quorum.members[self.running.id]

    @property
    def own_url(self) -> str:
        """Where its peers find it."""
        return self._container.flag("initial-advertise-peer-urls")

    async def run(self) -> int:
        """Live until it is removed, or cannot go on."""
        try:
            self._check()
            await self._around.clock.sleep(self._around.random.uniform(*_BEGINS_S) * self._around.quickness)
            disked = self._disked()
        except Ended as error:
            return tell_end(self._container, error)
        running = Running(disked, self._container.host, version_of(self._container), self._wake)
        self.running = running
        network, host, address = self._around.network, self._container.host, self._container.address
        ports = (CLIENT_PORT, PEER_PORT, METRICS_PORT)
        for port in ports:
            network.listen(host, address, port, self)
        network.hear(host, self._settle)
        disked.quorum.enter(running)
        try:
            return await self._live(running)
        finally:
            for port in ports:
                network.close(address, port, self)
            network.unhear(host, self._settle)
            disked.quorum.leave(running)

    def answers(self, port: int, path: str) -> bool:
        """Live while it runs; ready while it follows a leader, or leads."""
        if self.running is None or self.is_hung or port not in (METRICS_PORT, CLIENT_PORT, PEER_PORT):
            return False
        return path == "/livez" or not path or self.is_led

    @property
    def is_led(self) -> bool:
        """Whether it follows a leader, or leads."""
        return self.running is not None and self.quorum.knows_leader(self.running)

    def greet(self, certificate: bytes, trusted: Trust, name: str) -> Proof:
        """A handshake of both sides: who shows a certificate, whom it trusts, and as whom it reached this member.

        Raises Untrusted.
        """
        assert self.trust is not None  # noqa: S101  (it listens)
        assert self.pair is not None  # noqa: S101
        now = self._around.clock.now()
        trusted.proof(self.pair.now(), now).check_name(name)
        try:
            return self.trust.proof(certificate, now)
        except Untrusted as error:
            raise Untrusted(f"remote error: tls: {error}") from error

    async def _live(self, running: Running) -> int:
        quorum, random = running.disked.quorum, self._around.random
        while True:
            self._woken.clear()
            if running.id not in quorum.members:
                return 0  # it was removed for ever
            self._say_readiness()
            if quorum.is_led or self.is_hung:
                await self._woken.wait()
                continue
            await self._around.clock.sleep(random.uniform(*_ELECTS_S) * self._around.quickness)
            quorum.elect()
            if not quorum.is_led:
                await self._woken.wait()

    def _say_readiness(self) -> None:
        if self._was_ready != self.is_led:
            self._was_ready = self.is_led
            self._changed()

    def _wake(self) -> None:
        self._woken.set()

    def _settle(self) -> None:
        if self.running is not None:
            self.quorum.settle()
            self._wake()

    # --- the beginning

    def _check(self) -> None:
        container = self._container
        check_flags(container, "etcd", line_of(version_of(container)), _FLAG_CODE)
        try:
            self.trust = Trust(container.files(container.flag("trusted-ca-file")))
            self.pair = Pair(container.files, container.flag("cert-file"), container.flag("key-file"))
            self.pair.now()
            Pair(container.files, container.flag("peer-cert-file"), container.flag("peer-key-file")).now()
            Trust(container.files(container.flag("peer-trusted-ca-file")))
        except FileNotFoundError as error:
            raise Ended(f"open {error}: no such file or directory") from error
        except Untrusted as error:
            raise Ended(str(error)) from error

    def _disked(self) -> Disked:
        """What is on its disk, or will be. Raises Ended."""
        disk = disk_of(self._container, self._container.flag("data-dir"))
        found = disk.content.get(DATA)
        if isinstance(found, Disked):
            return self._going_on(found)
        state = self._container.environment.get("ETCD_INITIAL_CLUSTER_STATE") or self._container.flag(
            "initial-cluster-state", "new"
        )
        made = self._joining() if state == "existing" else self._beginning()
        disk.content[DATA] = made
        return made

    def _going_on(self, found: Disked) -> Disked:
        if found.member_id in found.quorum.removed:
            raise Ended("the member has been permanently removed from the cluster", 0)
        version = version_of(self._container)
        if not found.quorum.takes(version):
            raise Ended(
                f"cannot detect storage schema version: data of {found.quorum.form}, server of {line_of(version)}"
            )
        return found

    def _told(self) -> dict[str, str]:
        """Names and URLs of the members that it was told of."""
        listed = self._container.environment.get("ETCD_INITIAL_CLUSTER") or self._container.flag("initial-cluster")
        return dict(each.split("=", 1) for each in listed.split(",") if "=" in each)

    def _beginning(self) -> Disked:
        token, told = self._container.flag("initial-cluster-token", "etcd-cluster"), self._told()
        own = self._container.flag("name")
        if told.get(own) != self.own_url:
            raise Ended(f'couldn\'t find local name "{own}" in the initial cluster configuration')
        members = {(made := member_id(url, token)): Belonging(made, name, url) for name, url in sorted(told.items())}
        number = cluster_id(members)
        quorum = self._clusters.find(number)
        if quorum is None:
            quota = int(self._container.flag("quota-backend-bytes", "0")) or _QUOTA_BYTES
            line = line_of(version_of(self._container))
            quorum = self._clusters.begin(Quorum(number, members, self._around.network, line, quota))
        mine = member_id(self.own_url, token)
        if mine not in quorum.members:
            raise Ended(f"member {mine:x} has already been removed")
        return Disked(quorum, mine)

    def _joining(self) -> Disked:
        """By the list of whoever of the others answers first."""
        told = self._told()
        for url in sorted(told.values()):
            other = self._ask(url)
            if other is None:
                continue
            theirs = sorted(each.peer_url for each in other.members.values())
            if theirs != sorted(told.values()):
                why = (
                    "member count is unequal"
                    if len(theirs) != len(told)
                    else "unmatched member while checking PeerURLs"
                )
                raise Ended(f"error validating peerURLs: {why}")
            mine = next(each for each in other.members.values() if each.peer_url == self.own_url)
            if not other.takes(version_of(self._container)):
                raise Ended(f"incompatible with current running cluster: it is of {other.form}")
            mine.name = self._container.flag("name")
            return Disked(other, mine.id)
        raise Ended(
            "error validating peerURLs: cannot fetch cluster info from peer urls: "
            "could not retrieve cluster information from the given URLs"
        )

    def _ask(self, url: str) -> Quorum | None:
        if url == self.own_url:
            return None
        parts = urlsplit(url)
        try:
            found = self._around.network.dial(self._container.host, parts.hostname or "", parts.port or PEER_PORT)
        except (Refused, Silent, UnknownName):
            return None
        return found.quorum if isinstance(found, Member) and not found.is_hung else None


def disk_of(container: Container, path: str) -> Disk:
    """The disk that a path is on."""
    at = max((each for each in container.disks if path.startswith(each)), key=len, default=None)
    return container.disks[at] if at is not None else Disk()
