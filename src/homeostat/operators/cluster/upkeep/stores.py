"""The stores of a cluster's etcd as its members tell of them."""

from __future__ import annotations

from msgspec import Struct

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

    kind: str  # NOSPACE or CORRUPT; with either of them nothing is written any more
    member_id: int


class Stores(Struct, frozen=True):
    """The stores of one cluster, of the members that answered."""

    stores: tuple[StoreSeen, ...]
    alarms: tuple[Alarm, ...] = ()
    silent: tuple[str, ...] = ()  # hosts that did not answer

    def has(self, kind: str) -> bool:
        """Whether there is an alarm of a kind."""
        return any(alarm.kind == kind for alarm in self.alarms)
