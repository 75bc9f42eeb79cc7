"""Stores of a cluster's etcd: how large, with which alarms and hashes; compacted, defragmented, taken back a minor."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from homeostat.kit.clock import Clock
from homeostat.operators.cluster.names import ETCD_CLIENT_PORT
from homeostat.operators.cluster.ports import EtcdAccess, EtcdRefused, Unreachable
from homeostat.operators.cluster.upkeep.stores import Alarm, Stores, StoreSeen
from homeostat.providers.etcd.gateway import ask_all, reaching

_ASK_S = 3.0  # for one member's answer about itself
_CHANGE_S = 10.0  # a change waits for a quorum; etcd's own limit for that is 7 s
_WHOLE_S = 110.0  # what reads or writes a whole store of at most 8 GiB
_ALLOWED_ALREADY = "cluster has a downgrade job in progress"
_NOT_ALLOWED = "no inflight downgrade job"


class Header(Struct):
    """What every answer begins with."""

    member_id: int = 0
    revision: int = 0


class Downgrade(Struct, rename="camel"):
    """Whether the cluster may be taken back to the minor before."""

    enabled: bool = False
    target_version: str = ""


class Status(Struct, rename="camel"):
    """What a member says about itself; 3.5 says nothing of the last three."""

    header: Header = field(default_factory=Header)
    version: str = ""
    db_size: int = 0
    db_size_in_use: int = 0
    leader: int = 0
    db_size_quota: int = 0
    storage_version: str = ""
    downgrade_info: Downgrade = field(default_factory=Downgrade)


class AlarmMember(Struct, rename={"member_id": "memberID"}):
    """An alarm in etcd's list."""

    member_id: int = 0
    alarm: str = ""


class AlarmList(Struct):
    """etcd's list."""

    alarms: tuple[AlarmMember, ...] = ()


class HashKV(Struct):
    """The hash of a member's data up to a revision, without what was compacted."""

    hash: int = 0
    compact_revision: int = 0


class Answer(Struct):
    """An answer of which only the header matters."""

    header: Header = field(default_factory=Header)


class EtcdStores:
    """Satisfies the operator's port `EtcdUpkeep`. Keeps no connection: minutes lie between two looks."""

    def __init__(self, *, clock: Clock, client_port: int = ETCD_CLIENT_PORT) -> None:
        self._clock = clock
        self._port = client_port

    async def look(self, access: EtcdAccess) -> Stores:
        """Each member at its own address, and the alarms by one that answers."""
        async with reaching(access, port=self._port, clock=self._clock) as gateway:
            statuses = await ask_all(gateway, access, Status, within_s=_ASK_S)
            host = _able(access, statuses)
            listed = await gateway.call(host, "maintenance/alarm", {"action": "GET"}, AlarmList, within_s=_CHANGE_S)
        stores = tuple(_seen(host, status) for host, status in sorted(statuses.items()))
        alarms = sorted(Alarm(each.alarm, each.member_id) for each in listed.alarms)
        silent = sorted(set(access.hosts.values()) - set(statuses))
        return Stores(stores, tuple(alarms), tuple(silent))

    async def hashes(self, access: EtcdAccess) -> Mapping[str, int]:
        """At the newest revision that all have."""
        async with reaching(access, port=self._port, clock=self._clock) as gateway:
            statuses = await ask_all(gateway, access, Status, within_s=_ASK_S)
            silent = sorted(set(access.hosts.values()) - set(statuses))
            if silent:
                raise Unreachable(f"etcd: {', '.join(silent)} does not answer, so members cannot be compared")
            body = {"revision": str(min(status.header.revision for status in statuses.values()))}
            hosts = sorted(statuses)
            found = await asyncio.gather(
                *(gateway.call(host, "maintenance/hashkv", body, HashKV, within_s=_WHOLE_S) for host in hosts)
            )
        if len({each.compact_revision for each in found}) > 1:
            raise Unreachable("etcd: members have compacted up to different revisions, so they cannot be compared now")
        return {host: each.hash for host, each in zip(hosts, found, strict=True)}

    async def compact(self, access: EtcdAccess) -> int:
        """By a linearizable read the revision is one that a quorum has."""
        async with reaching(access, port=self._port, clock=self._clock) as gateway:
            host = _able(access, await ask_all(gateway, access, Status, within_s=_ASK_S))
            body = {"key": "AA==", "limit": "1", "keys_only": True}
            revision = (await gateway.call(host, "kv/range", body, Answer, within_s=_CHANGE_S)).header.revision
            order = {"revision": str(revision), "physical": True}
            try:
                await gateway.call(host, "kv/compaction", order, Answer, within_s=_CHANGE_S)
            except (EtcdRefused, Unreachable) as error:
                if "has been compacted" not in str(error):
                    raise
        return revision

    async def defragment(self, access: EtcdAccess, host: str) -> None:
        """By that member itself."""
        async with reaching(access, port=self._port, clock=self._clock) as gateway:
            await gateway.call(host, "maintenance/defragment", {}, Answer, within_s=_WHOLE_S)

    async def disarm(self, access: EtcdAccess, alarm: Alarm) -> None:
        """That there is no such alarm is no error of etcd's either."""
        body = {"action": "DEACTIVATE", "memberID": str(alarm.member_id), "alarm": alarm.kind}
        await self._ask(access, "maintenance/alarm", body)

    async def allow_downgrade(self, access: EtcdAccess, line: str) -> None:
        """That another one is allowed already is told by etcd in the same words; a look shows which."""
        await self._ask(access, "maintenance/downgrade", {"action": "ENABLE", "version": line}, _ALLOWED_ALREADY)

    async def forbid_downgrade(self, access: EtcdAccess) -> None:
        """Members of before stay members."""
        await self._ask(access, "maintenance/downgrade", {"action": "CANCEL"}, _NOT_ALLOWED)

    async def _ask(self, access: EtcdAccess, method: str, body: dict[str, str], done: str = "") -> None:
        """By a member that knows a leader; `done` is how etcd says that it is so already."""
        async with reaching(access, port=self._port, clock=self._clock) as gateway:
            host = _able(access, await ask_all(gateway, access, Status, within_s=_ASK_S))
            try:
                await gateway.call(host, method, body, Answer, within_s=_CHANGE_S)
            except (EtcdRefused, Unreachable) as error:
                if not done or done not in str(error):
                    raise


def _able(access: EtcdAccess, statuses: Mapping[str, Status]) -> str:
    """A member to ask for what needs a quorum. Raises Unreachable."""
    able = [host for host, status in statuses.items() if status.leader]
    if not able:
        raise Unreachable(f"etcd: no member of {_listed(access.hosts.values())} answers and knows a leader")
    # One of 3.5 among members of 3.6 cannot take a downgrade back: it is asked last.
    return max(sorted(able), key=lambda host: _order(statuses[host].version))


def _seen(host: str, status: Status) -> StoreSeen:
    allowed = status.downgrade_info
    return StoreSeen(
        id=status.header.member_id,
        host=host,
        version=status.version,
        size=status.db_size,
        in_use=status.db_size_in_use,
        quota=status.db_size_quota,
        is_leader=status.leader != 0 and status.leader == status.header.member_id,
        knows_leader=status.leader != 0,
        revision=status.header.revision,
        data_version=_line(status.storage_version),
        going_back_to=_line(allowed.target_version) if allowed.enabled else "",
    )


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _line(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _listed(hosts: Iterable[str]) -> str:
    return ", ".join(sorted(hosts))
