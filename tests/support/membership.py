"""A double of etcd's membership as the operator asks for it: who is well follows from what a test says is running."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count

from msgspec.structs import replace

from homeostat.operators.cluster.ports import EtcdAccess, EtcdRefused, MemberSeen, Unreachable


class FakeEtcd:
    """Satisfies the operator's Etcd. Members are there as soon as they are asked for, all of them well."""

    def __init__(self) -> None:
        self._ids = count(0x10)
        self._members: dict[int, MemberSeen] = {}
        self.dead: set[str] = set()  # hosts whose process does not answer
        self.failure = ""
        self.runs: Callable[[str], bool] | None = None  # whether the Pod of a member runs; None: a test starts them
        self.leader = ""  # the host that leads; nobody was told yet: the first one that is well
        self.story: list[str] = []  # changes, in order

    async def members(self, access: EtcdAccess) -> tuple[MemberSeen, ...]:
        if self.failure:
            raise Unreachable(self.failure)
        if not self._members:
            for name, host in access.hosts.items():
                if self.runs is None or self.runs(name):
                    number = next(self._ids)
                    self._members[number] = MemberSeen(number, name, host)
        for host in [each.host for each in self._members.values() if not each.name]:
            if self.runs is not None and self.runs(name := host.partition(".")[0]):
                self.start(name)
        leader = self._leader()
        return tuple(
            replace(
                each,
                is_well=bool(each.name) and each.host not in self.dead,
                is_level=each.host not in self.dead,
                is_leader=each.host == leader,
            )
            for each in self._members.values()
        )

    def peek(self) -> tuple[MemberSeen, ...]:
        """The members that were asked for so far, for tests."""
        return tuple(self._members.values())

    async def remove(self, access: EtcdAccess, member_id: int) -> None:
        self._require_quorum()
        gone = self._members.pop(member_id, None)
        if gone is not None:
            self.story.append(f"removed {gone.name}")

    async def add_learner(self, access: EtcdAccess, host: str) -> None:
        self._require_quorum()
        if any(each.host == host for each in self._members.values()):
            return
        number = next(self._ids)
        self._members[number] = MemberSeen(number, "", host, is_learner=True)
        self.story.append(f"added {host.partition('.')[0]}")

    async def promote(self, access: EtcdAccess, member_id: int) -> None:
        self._require_quorum()
        member = self._members.get(member_id)
        if member is None:
            raise EtcdRefused("member not found")
        if not member.is_learner:
            raise EtcdRefused("can only promote a learner member")
        if not member.name or member.host in self.dead:
            raise EtcdRefused(f"{member.host} is not in step with the leader yet")
        self._members[member_id] = replace(member, is_learner=False)
        self.story.append(f"promoted {member.name}")

    async def move_leader(self, access: EtcdAccess, member_id: int) -> None:
        self._require_quorum()
        member = self._members.get(member_id)
        if member is None or member.is_learner or member.host in self.dead:
            raise EtcdRefused("bad leader transferee")
        if member.host != self._leader():
            self.leader = member.host
            self.story.append(f"moved the leader to {member.name}")

    def start(self, name: str) -> None:
        """The process of a member starts on an empty volume."""
        for number, member in self._members.items():
            if member.host.startswith(f"{name}."):
                self._members[number] = replace(member, name=name)
                self.dead.discard(member.host)

    def _leader(self) -> str:
        able = [each.host for each in self._members.values() if not each.is_learner and each.host not in self.dead]
        return self.leader if self.leader in able else next(iter(able), "")

    def _require_quorum(self) -> None:
        if self.failure:
            raise Unreachable(self.failure)
        voters = [each for each in self._members.values() if not each.is_learner]
        if 2 * sum(each.host not in self.dead for each in voters) <= len(voters):
            raise EtcdRefused("no quorum")


class Etcds:
    """Satisfies the operator's Etcd for Clusters in many namespaces, each with a double of its own."""

    def __init__(self, by_namespace: Mapping[str, FakeEtcd]) -> None:
        self._by_namespace = by_namespace

    def _of(self, access: EtcdAccess) -> FakeEtcd:
        host = next(iter(access.hosts.values()))
        return self._by_namespace[host.split(".")[2]]

    async def members(self, access: EtcdAccess) -> tuple[MemberSeen, ...]:
        return await self._of(access).members(access)

    async def remove(self, access: EtcdAccess, member_id: int) -> None:
        await self._of(access).remove(access, member_id)

    async def add_learner(self, access: EtcdAccess, host: str) -> None:
        await self._of(access).add_learner(access, host)

    async def promote(self, access: EtcdAccess, member_id: int) -> None:
        await self._of(access).promote(access, member_id)

    async def move_leader(self, access: EtcdAccess, member_id: int) -> None:
        await self._of(access).move_leader(access, member_id)
