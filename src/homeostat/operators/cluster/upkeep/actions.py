"""What the operator can do to the stores of a cluster's etcd, as data. None of it touches the membership."""

from __future__ import annotations

from msgspec import Struct

from homeostat.operators.cluster.upkeep.stores import Alarm


class AskStores(Struct, frozen=True, tag=True):
    """Ask each member how large its store is, and which alarms there are."""


class CompareStores(Struct, frozen=True, tag=True):
    """Ask each member for the hash of its data; reads all of it."""


class Compact(Struct, frozen=True, tag=True):
    """Destructive: let etcd forget all revisions but the current one."""


class Defragment(Struct, frozen=True, tag=True):
    """Give the free room inside the file of one member back; it serves nobody meanwhile."""

    member: str
    host: str


class Disarm(Struct, frozen=True, tag=True):
    """Take an alarm back whose cause is gone. Looked at again right before."""

    alarm: Alarm


class AllowDowngrade(Struct, frozen=True, tag=True):
    """Tell etcd that its members go back to the minor before, such as 3.5."""

    line: str


class ForbidDowngrade(Struct, frozen=True, tag=True):
    """Tell etcd that its members stay what they are."""


UpkeepAction = AskStores | CompareStores | Compact | Defragment | Disarm | AllowDowngrade | ForbidDowngrade
