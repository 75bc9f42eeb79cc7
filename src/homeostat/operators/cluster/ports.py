"""What the cluster operator needs from outside of the cell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from homeostat.operators.cluster.backup.ports import SnapshotStore
from homeostat.operators.cluster.hosting.rights import Wanted
from homeostat.operators.cluster.restore.ports import RestoreTools
from homeostat.operators.cluster.upkeep.stores import Alarm, Stores


class Unreachable(Exception):
    """The endpoint did not answer as it should; the message says how it failed, without secrets."""


class Direct(Struct, frozen=True):
    """One API server, reached past the endpoint."""

    url: str
    name: str  # that it must prove, whatever its address


class LeaderSeen(Struct, frozen=True):
    """Who leads a component of a business cluster, as its Lease tells."""

    holder: str
    renewed: datetime | None


class Refusal(Struct, frozen=True):
    """Why an API server that is alive, and reads, did not take the write of a probe."""

    why: str
    is_by_policy: bool  # by a webhook, policy or quota of the business cluster: no other version of it would take it


class Served(Struct, frozen=True):
    """What an API server told that does all that clients need, but perhaps for writes that are refused on purpose."""

    version: str
    leaders: Mapping[str, LeaderSeen] = {}  # by the name of their Lease
    refused: Refusal | None = None  # None: the write was taken, and heard of


class Probe(Protocol):
    """Asks a business cluster as a client would.

    Called at most once a second per cluster, usually once a minute; one of several API servers once a minute, in turn,
    and all of them every few seconds while something looks odd.
    """

    async def probe(self, kubeconfig: bytes, direct: Direct | None = None) -> Served:
        """Authenticate, ask for readiness, read, write, and hear of the write by a watch; through the endpoint or not.

        A write that is refused by an answer is told in what is returned. Raises Unreachable within 10 s.
        """
        ...

    async def kubelets(self, kubeconfig: bytes) -> frozenset[str]:
        """Which versions the cluster's kubelets are; asked before masters move to another minor version, once a minute.

        Raises Unreachable within 30 s.
        """
        ...

    async def rewrite_secrets(self, kubeconfig: bytes, after: str) -> str:
        """Have a page of Secrets stored anew, unchanged, and so encrypted as the API server does it now.

        `after` is what the call before returned, empty at first; what is returned is empty when all are. Called twice a
        second at most, for as long as a rotation needs. Raises Unreachable within 30 s.
        """
        ...

    def forget(self, kubeconfig: bytes) -> None:
        """Keep nothing of what was read of it: its cluster is gone."""
        ...


class MemberSeen(Struct, frozen=True):
    """One member as etcd's own list and the member itself tell."""

    id: int
    name: str  # empty: it was added and has not started yet
    host: str  # of its peer URL
    is_learner: bool = False
    is_well: bool = False  # it answered at its own address, and knows a leader
    is_level: bool = False  # it has applied about as much as the leader: what a learner is promoted by
    is_leader: bool = False
    is_accused: bool = False  # nothing ails it but etcd's alarm CORRUPT, which a leader that is wrong itself may raise


class EtcdRefused(Exception):
    """etcd said no, or it would not be safe now; the message says why and what to do."""


class EtcdAccess(Struct, frozen=True):
    """How the members of one cluster are reached. Shows no key."""

    hosts: Mapping[str, str]  # member name to host
    ca: bytes
    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        return f"EtcdAccess({sorted(self.hosts)})"


class Etcd(Protocol):
    """Asks and changes the membership of a cluster's etcd. Every call raises Unreachable within 20 s.

    Changes go through a member that is well; etcd itself refuses what would cost the quorum (EtcdRefused).
    """

    async def members(self, access: EtcdAccess) -> tuple[MemberSeen, ...]:
        """All members, each asked at its own address at the same time."""
        ...

    async def remove(self, access: EtcdAccess, member_id: int) -> None:
        """Have no such member; that there is none is no error. It can never come back under this id."""
        ...

    async def add_learner(self, access: EtcdAccess, host: str) -> None:
        """Have a member at this host, without a vote until it is promoted; one that is there is left as it is."""
        ...

    async def promote(self, access: EtcdAccess, member_id: int) -> None:
        """Give a learner its vote. Raises EtcdRefused while it is behind."""
        ...

    async def move_leader(self, access: EtcdAccess, member_id: int) -> None:
        """Let another member with a vote lead, at once and without an election; who leads already goes on leading."""
        ...


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


class Rights(Protocol):
    """Grants hosted operators what they may do in a business cluster: at first, at changes, and every ten minutes."""

    async def grant(self, kubeconfig: bytes, wanted: Wanted) -> Mapping[str, str]:
        """Have the roles and bindings of these operators there, as declared, and no others that are any operator's.

        Returns, by operator, why the business cluster refused some of them: a namespace that does not exist, a field
        that it does not know. All else is done all the same. `kubeconfig` is the administrator's. Raises Unreachable
        within 15 s; what was granted before is granted still.
        """
        ...


class Drawn(Struct, frozen=True):
    """A snapshot of etcd that lies in a local file, verified."""

    host: str  # of the member that it is from
    etcd_version: str
    revision: int  # of the whole key space; at least 1
    size: int  # bytes


class SnapshotSource(Protocol):
    """Draws snapshots of etcd. Called at most once a minute per cluster, and twice at once in a cell."""

    async def draw(self, access: EtcdAccess, target: Path) -> Drawn:
        """Have the whole key space of one member that is well in a local file, which only its owner may read.

        A follower is asked where there is one. The file appears, replacing one of that name, only when its checksum is
        etcd's own and its content a database of etcd. Ends within a minute and one second more per MiB. Raises
        Unreachable, EtcdRefused, LocalFileFailed.
        """
        ...


class Outside(Struct, frozen=True):
    """Everything outside of the cell that the operator works with."""

    probe: Probe
    etcd: Etcd
    upkeep: EtcdUpkeep
    rights: Rights
    store: SnapshotStore | None = None  # None: this process was told of none
    restoring: RestoreTools | None = None  # None: this process cannot restore
