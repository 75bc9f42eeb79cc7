"""A double of the stores of a cluster's etcd: they are as large as a test says, and shrink as real ones do."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace
from tests.support.membership import FakeEtcd

from homeostat.operators.cluster.ports import EtcdAccess, EtcdRefused, Unreachable
from homeostat.operators.cluster.upkeep.stores import CORRUPT, Alarm, Stores, StoreSeen

MIB = 1 << 20
QUOTA = 1024 * MIB
VERSION = "3.6.16"


class FakeStores:
    """Satisfies the operator's EtcdUpkeep. Members are there as soon as they are asked for, with little in them."""

    def __init__(self, etcd: FakeEtcd) -> None:
        self._etcd = etcd
        self.stores: dict[str, StoreSeen] = {}  # by host
        self.data: dict[str, int] = {}  # by host, what is needed after a compaction
        self.alarms: set[Alarm] = set()
        self.silent: set[str] = set()
        self.corrupt: set[str] = (
            set()
        )  # hosts, each with other data; whoever takes the place of the member there is sound
        self._ids: dict[str, int] = {}
        self.failure = ""
        self.story: list[str] = []  # changes, in order

    def fill(self, size: int) -> None:
        """All files grow, with as much data in them."""
        self.stores = {host: replace(store, size=size, in_use=size) for host, store in self.stores.items()}

    def become(self, version: str, *, form: str) -> None:
        """All members are of another version, which ends a way back."""
        for host, store in self.stores.items():
            self.stores[host] = replace(store, version=version, data_version=form, going_back_to="")

    async def look(self, access: EtcdAccess) -> Stores:
        if self.failure:
            raise Unreachable(self.failure)
        for member in await self._etcd.members(access):
            made = StoreSeen(member.id, member.host, VERSION, MIB, MIB, QUOTA, revision=7, data_version="3.6")
            known = self.stores.setdefault(member.host, made)
            self.stores[member.host] = replace(known, id=member.id, is_leader=member.is_leader)
        there = tuple(store for host, store in sorted(self.stores.items()) if host not in self.silent)
        return Stores(there, tuple(sorted(self.alarms)), tuple(sorted(self.silent)))

    async def hashes(self, access: EtcdAccess) -> Mapping[str, int]:
        await self.look(access)
        for host in self.corrupt:
            self._ids.setdefault(host, self.stores[host].id)
        wrong = {host: 2 + number for number, host in enumerate(sorted(self.corrupt))}
        return {
            host: wrong.get(host, 1) if self._ids.get(host) == store.id else 1 for host, store in self.stores.items()
        }

    async def compact(self, access: EtcdAccess) -> int:
        await self.look(access)
        self.story.append("compacted")
        for host, store in self.stores.items():
            self.stores[host] = replace(store, in_use=self.data.get(host, MIB))
        return max(store.revision for store in self.stores.values())

    async def defragment(self, access: EtcdAccess, host: str) -> None:
        self.story.append(f"defragmented {host.partition('.')[0]}")
        self.stores[host] = replace(self.stores[host], size=self.stores[host].in_use)

    async def disarm(self, access: EtcdAccess, alarm: Alarm) -> None:
        self.story.append(f"disarmed {alarm.kind}")
        self.alarms.discard(alarm)

    async def allow_downgrade(self, access: EtcdAccess, line: str) -> None:
        if any(alarm.kind == CORRUPT for alarm in self.alarms):
            raise EtcdRefused("corrupt cluster")
        self.story.append(f"goes back to {line}")
        for host, store in self.stores.items():
            self.stores[host] = replace(store, going_back_to=line, data_version=line)

    async def forbid_downgrade(self, access: EtcdAccess) -> None:
        self.story.append("does not go back")
        for host, store in self.stores.items():
            self.stores[host] = replace(store, going_back_to="")
