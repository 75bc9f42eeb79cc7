"""The operator's port `EtcdUpkeep` over a world: sizes, alarms, hashes and the form of data, as members tell them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from homeostat.operators.cluster.ports import EtcdAccess, EtcdRefused, Unreachable
from homeostat.operators.cluster.upkeep.stores import Alarm, Stores, StoreSeen
from homeostat.sim.world.ports.etcd import Reaching, ask
from homeostat.sim.world.programs.etcd.data import Alarm as Raised
from homeostat.sim.world.programs.etcd.data import needed_bytes
from homeostat.sim.world.programs.etcd.member import Member
from homeostat.sim.world.programs.etcd.quorum import line_of

_TELLS = (3, 6)  # the first minor that tells of its quota, the form of its data, and a way back


class WorldStores:
    """Satisfies the operator's port `EtcdUpkeep`."""

    def __init__(self, reaching: Reaching) -> None:
        self._reaching = reaching

    async def look(self, access: EtcdAccess) -> Stores:
        """Each member at its own address, and the alarms by one that follows a leader."""
        found = await self._reaching.members(access)
        able = self._able(access, found)
        stores = tuple(_seen(host, member) for host, member in sorted(found.items()))
        alarms = sorted(Alarm(each.kind, each.member_id) for each in able.quorum.alarms.raised)
        return Stores(stores, tuple(alarms), tuple(sorted(set(access.hosts.values()) - set(found))))

    async def hashes(self, access: EtcdAccess) -> Mapping[str, int]:
        """Equal for all who hold what the quorum holds."""
        found = await self._reaching.members(access)
        silent = sorted(set(access.hosts.values()) - set(found))
        if silent:
            raise Unreachable(f"etcd: {', '.join(silent)} does not answer, so members cannot be compared")
        return {host: _hash(member) for host, member in found.items()}

    async def compact(self, access: EtcdAccess) -> int:
        """Forget what was before now."""
        quorum = self._able(access, await self._reaching.members(access)).quorum
        quorum.store.forget(quorum.store.revision)
        return quorum.store.revision

    async def defragment(self, access: EtcdAccess, host: str) -> None:
        """The file of one member becomes as small as what it holds."""
        member = (await self._reaching.members(access)).get(host)
        if member is None or member.running is None:
            raise Unreachable(f"etcd at {host}: no answer to maintenance/defragment")
        member.running.disked.size = needed_bytes(member.quorum.store)

    async def disarm(self, access: EtcdAccess, alarm: Alarm) -> None:
        """Take an alarm back."""
        member = self._able(access, await self._reaching.members(access))
        member.quorum.alarms.raised.discard(Raised(alarm.kind, alarm.member_id))

    async def allow_downgrade(self, access: EtcdAccess, line: str) -> None:
        """That one is allowed already is no error."""
        member = self._able(access, await self._reaching.members(access))
        try:
            ask(member, "maintenance/downgrade", lambda quorum: quorum.allow_downgrade(line))
        except EtcdRefused as error:
            if "downgrade job in progress" not in str(error):
                raise

    async def forbid_downgrade(self, access: EtcdAccess) -> None:
        """That none is allowed is no error."""
        member = self._able(access, await self._reaching.members(access))
        try:
            ask(member, "maintenance/downgrade", lambda quorum: quorum.forbid_downgrade())
        except EtcdRefused as error:
            if "no inflight downgrade job" not in str(error):
                raise

    def _able(self, access: EtcdAccess, found: Mapping[str, Member]) -> Member:
        able = [each for _, each in sorted(found.items()) if each.is_led]
        if not able:
            among = ", ".join(sorted(access.hosts.values()))
            raise Unreachable(f"etcd: no member of {among} answers and knows a leader")
        return able[0]


def _seen(host: str, member: Member) -> StoreSeen:
    quorum, running = member.quorum, member.running
    assert running is not None  # noqa: S101  (it answered)
    needed = needed_bytes(quorum.store)
    running.disked.size = max(running.disked.size, needed)
    tells = tuple(int(each) for each in line_of(running.version).split(".")) >= _TELLS
    return StoreSeen(
        id=running.id,
        host=host,
        version=running.version,
        size=running.disked.size,
        in_use=needed,
        quota=quorum.alarms.quota if tells else 0,
        is_leader=quorum.leader == running.id,
        knows_leader=member.is_led,
        revision=quorum.store.revision if running.is_level else running.disked.revision,
        data_version=quorum.form if tells else "",
        going_back_to=quorum.going_back_to if tells else "",
    )


def _hash(member: Member) -> int:
    running = member.running
    assert running is not None  # noqa: S101  (it answered)
    revision = member.quorum.store.revision
    mark = f"{running.id:x}" if running.disked.is_corrupt else ""
    return zlib.crc32(f"{member.quorum.id}:{revision}:{mark}".encode())
