"""What healing looks at beside the rest: hosts of the cell, and what etcd says of its members."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from homeostat.operators.cluster.ports import MemberSeen


class HostSeen(Struct, frozen=True):
    """A host of the cell."""

    zone: str
    is_ready: bool
    takes_pods: bool


class EtcdSeen(Struct, frozen=True):
    """What etcd last said about its members."""

    at: datetime
    members: tuple[MemberSeen, ...] = ()
    failure: str = ""  # why it could not be asked
