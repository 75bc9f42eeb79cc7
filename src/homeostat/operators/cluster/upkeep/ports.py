"""What upkeep needs of etcd beside its membership: sizes, alarms and hashes, and what etcd itself does about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from homeostat.operators.cluster.ports import EtcdAccess

NO_SPACE, CORRUPT = "NOSPACE", "CORRUPT"


class StoreSeen(Struct, frozen=True):
    """The store of one member, as the member itself tells."""

    id: int
    host: str
    version: str  # of the server, such as 3.6.16
    size: int  # bytes of its file
    in_use: int  # bytes of that which held data when something was last written; the rest is free inside
    quota: int = 0  # bytes that the file may have; 0: it does not say (3.5)
    is_leader: bool = False
    knows_leader: bool = True
    revision: int = 0
    data_version: str = ""  # the minor whose form the data has, such as 3.6; empty: it does not say (3.5)
    going_back_to: str = ""  # the minor that the cluster may be taken back to, such as 3.5


class Alarm(Struct, frozen=True, order=True):
    """An alarm that a member raised; all members obey it until it is disarmed."""

    kind: str  # NOSPACE: nothing is written any more; CORRUPT: nothing is read either
    member_id: int


class Stores(Struct, frozen=True):
    """The stores of one cluster, of the members that answered."""

    stores: tuple[StoreSeen, ...]
    alarms: tuple[Alarm, ...] = ()
    silent: tuple[str, ...] = ()  # hosts that did not answer

    def has(self, kind: str) -> bool:
        """Whether there is an alarm of a kind."""
        return any(alarm.kind == kind for alarm in self.alarms)


class EtcdUpkeep(Protocol):
    """Looks after a cluster's etcd. Looks come every few minutes per cluster, changes seldom and one at a time.

    Every call raises Unreachable within 20 s, but for `defragment` and `hashes`, which read the whole store: within
    two minutes. etcd itself refuses what would not be safe (EtcdRefused).
    """

    async def look(self, access: EtcdAccess) -> Stores:
        """Ask each member at its own address at the same time, and one of them for the alarms."""
        ...

    async def hashes(self, access: EtcdAccess) -> Mapping[str, int]:
        """By host, the hash of each member's data at one and the same revision.

        Raises Unreachable when a member is silent or has compacted otherwise: then nothing can be compared.
        """
        ...

    async def compact(self, access: EtcdAccess) -> int:
        """Forget what was before the current revision, which is returned; members do it one after the other, soon."""
        ...

    async def defragment(self, access: EtcdAccess, host: str) -> None:
        """Give the free room inside one member's file back to its disk; the member serves nobody meanwhile."""
        ...

    async def disarm(self, access: EtcdAccess, alarm: Alarm) -> None:
        """Take an alarm back; etcd raises it again if its cause lasts."""
        ...

    async def allow_downgrade(self, access: EtcdAccess, line: str) -> None:
        """Let members of the minor before take the place of those that run; that it is allowed is no error.

        From then on the data is kept in the form of that minor.
        """
        ...

    async def forbid_downgrade(self, access: EtcdAccess) -> None:
        """Let the data have the form of the members' own minor again; that no downgrade is allowed is no error."""
        ...
