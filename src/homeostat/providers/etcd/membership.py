"""The members of a cluster's etcd: who they are by etcd's own list, and how each is by its own answer."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from urllib.parse import urlsplit

from msgspec import Struct, field

from homeostat.kit.clock import Clock
from homeostat.operators.cluster.names import ETCD_CLIENT_PORT, ETCD_PEER_PORT
from homeostat.operators.cluster.ports import EtcdAccess, EtcdRefused, MemberSeen, Unreachable
from homeostat.providers.etcd.gateway import Gateway, ask_all, reaching

_ASK_S = 3.0  # for one member's answer about itself
_CHANGE_S = 10.0  # a change waits for a quorum; etcd's own limit for that is 7 s
_LEVEL = 0.9  # of the leader's log that a learner must have before its promotion: etcd's own readyPercentThreshold
_NOT_FOUND = "member not found"
_UNHEALTHY = "unhealthy cluster"
_THERE_ALREADY = ("Peer URLs already exists", "member ID already exist")  # the id is made of URLs and seconds


class Member(Struct, rename={"id": "ID", "peer_urls": "peerURLs", "is_learner": "isLearner"}):
    """A member in etcd's list."""

    id: int
    name: str = ""
    peer_urls: tuple[str, ...] = ()
    is_learner: bool = False

    @property
    def host(self) -> str:
        """Where its peers find it."""
        return urlsplit(self.peer_urls[0]).hostname or "" if self.peer_urls else ""


class MemberList(Struct):
    """etcd's list."""

    members: tuple[Member, ...] = ()


class Status(Struct, rename="camel"):
    """What a member says about itself."""

    leader: int = 0
    raft_index: int = 0
    raft_applied_index: int = 0
    errors: tuple[str, ...] = ()


class Nothing(Struct):
    """An answer whose content does not matter."""

    header: dict[str, str] = field(default_factory=dict)


class EtcdMembership:
    """Satisfies the operator's port `Etcd`. Keeps no connection: it is asked when something is wrong."""

    def __init__(self, *, clock: Clock, client_port: int = ETCD_CLIENT_PORT, peer_port: int = ETCD_PEER_PORT) -> None:
        self._clock = clock
        self._client_port, self._peer_port = client_port, peer_port

    async def members(self, access: EtcdAccess) -> tuple[MemberSeen, ...]:
        """All members, each asked at its own address at the same time."""
        async with self._gateway(access) as gateway:
            statuses = await ask_all(gateway, access, Status, within_s=_ASK_S)
            listed = await self._listed(gateway, statuses)
        newest = max((status.raft_index for status in statuses.values()), default=0)
        return tuple(_seen(member, statuses.get(member.host), newest) for member in listed)

    async def remove(self, access: EtcdAccess, member_id: int) -> None:
        """Have no such member; that there is none is no error."""
        try:
            await self._change(access, "cluster/member/remove", {"ID": str(member_id)})
        except EtcdRefused as error:
            if _NOT_FOUND not in str(error):
                raise

    async def add_learner(self, access: EtcdAccess, host: str) -> None:
        """Have a member at this host, without a vote until it is promoted; one that is there is left as it is."""
        body = {"peerURLs": [f"https://{host}:{self._peer_port}"], "isLearner": True}
        try:
            await self._change(access, "cluster/member/add", body)
        except EtcdRefused as error:
            if not any(words in str(error) for words in _THERE_ALREADY):
                raise

    async def promote(self, access: EtcdAccess, member_id: int) -> None:
        """Give a learner its vote. Raises EtcdRefused while it is behind."""
        await self._change(access, "cluster/member/promote", {"ID": str(member_id)})

    async def move_leader(self, access: EtcdAccess, member_id: int) -> None:
        """Let another member with a vote lead. Only the leader itself gives its office away."""
        async with self._gateway(access) as gateway:
            statuses = await ask_all(gateway, access, Status, within_s=_ASK_S)
            listed = await self._listed(gateway, statuses)
            leader = next((member for member in listed if _leads(member, statuses.get(member.host))), None)
            if leader is None:
                raise Unreachable(f"etcd: no member of {_among(access)} says that it leads")
            if leader.id != member_id:
                body = {"targetID": str(member_id)}
                await gateway.call(leader.host, "maintenance/transfer-leadership", body, Nothing, within_s=_CHANGE_S)

    async def _change(self, access: EtcdAccess, method: str, body: dict[str, object]) -> None:
        """By a member that is well and has a vote: learners take no changes.

        One that has a peer for unhealthy refuses by itself, without asking the leader, and may be wrong for as long as
        it runs: a request that failed after its streams had come up is never made good again. So others are asked too.
        """
        async with self._gateway(access) as gateway:
            statuses = await ask_all(gateway, access, Status, within_s=_ASK_S)
            voters = [member.host for member in await self._listed(gateway, statuses) if not member.is_learner]
            able = sorted(host for host, status in statuses.items() if status.leader and host in voters)
            if not able:
                raise Unreachable(f"etcd: no member of {_among(access)} is well, so {method} cannot be asked for")
            for host in able:
                try:
                    await gateway.call(host, method, body, Nothing, within_s=_CHANGE_S)
                except Unreachable as error:
                    if _UNHEALTHY not in str(error) or host == able[-1]:
                        raise
                else:
                    return

    async def _listed(self, gateway: Gateway, statuses: dict[str, Status]) -> tuple[Member, ...]:
        """By a member that knows a leader; a list that is agreed on, not what one member remembers."""
        last: Exception = Unreachable("etcd: no member answers")
        for host in sorted(host for host, status in statuses.items() if status.leader):
            try:
                found = await gateway.call(
                    host, "cluster/member/list", {"linearizable": True}, MemberList, within_s=_CHANGE_S
                )
            except (Unreachable, EtcdRefused) as error:  # a learner refuses
                last = error
            else:
                return found.members
        raise Unreachable(str(last)) from last

    def _gateway(self, access: EtcdAccess) -> AbstractAsyncContextManager[Gateway]:
        return reaching(access, port=self._client_port, clock=self._clock)


def _seen(member: Member, status: Status | None, newest: int) -> MemberSeen:
    is_well = status is not None and status.leader != 0 and not _ails(member.id, status)
    is_level = is_well and status is not None and status.raft_applied_index >= _LEVEL * newest
    return MemberSeen(
        id=member.id,
        name=member.name,
        host=member.host,
        is_learner=member.is_learner,
        is_well=is_well,
        is_level=is_level,
        is_leader=_leads(member, status),
        is_accused=status is not None and status.leader != 0 and _is_accused(member.id, status),
    )


def _leads(member: Member, status: Status | None) -> bool:
    return status is not None and status.leader == member.id


def _ails(member_id: int, status: Status) -> bool:
    return bool(_ailments(member_id, status))


def _is_accused(member_id: int, status: Status) -> bool:
    ailments = _ailments(member_id, status)
    return bool(ailments) and all("alarm:CORRUPT" in error for error in ailments)


def _ailments(member_id: int, status: Status) -> list[str]:
    """What a member tells of something wrong with itself: it also tells the alarms of all others."""
    return [error for error in status.errors if "alarm:" not in error or f"memberID:{member_id} " in error]


def _among(access: EtcdAccess) -> str:
    return ", ".join(sorted(access.hosts.values()))
