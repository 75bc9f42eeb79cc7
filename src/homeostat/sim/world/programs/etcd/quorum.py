"""One etcd cluster: who belongs to it, who of them runs and is level, who leads, and the data that they agree on.

The data exists once, as those have it who are level. How far each other member has got stands on its own disk. When a
leader is elected that has not got as far as the data has, because everybody who had is gone or has lost its disk, the
data goes back to where the new leader is: what only the others had is lost.

A write costs nothing per member: those who are level are as far as the data, whatever it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from msgspec import Struct

from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.world.network.network import Network
from homeostat.sim.world.programs.etcd.data import Alarms, rolled_back

Reaches = Callable[[str, str], bool]


class Refusal(Exception):
    """etcd said no; the message is etcd's own."""


class NoLeader(Exception):
    """What needs a quorum found none."""


class Belonging(Struct):
    """A member, as the cluster has it in its list."""

    id: int
    name: str  # empty until it has started
    peer_url: str
    is_learner: bool = False


class Disked(Struct, eq=False):
    """What a member has on its disk."""

    quorum: Quorum
    member_id: int
    revision: int = 0  # how far it had got when it was last level
    is_corrupt: bool = False
    size: int = 0  # of its file, in bytes


class Running(Struct, eq=False):
    """A member that runs."""

    disked: Disked
    host: str
    version: str
    wake: Callable[[], None]  # tells the program that something has changed
    is_level: bool = False

    @property
    def id(self) -> int:
        """Its own."""
        return self.disked.member_id


class Quorum:
    """All that the members of one cluster share."""

    def __init__(self, id_: int, members: Mapping[int, Belonging], network: Network, form: str, quota: int) -> None:
        self.id = id_
        self.members = dict(members)
        self.removed: set[int] = set()
        self.running: dict[int, Running] = {}
        self.leader = 0
        self.term = 1
        self.form = form  # the minor whose form the data has
        self.going_back_to = ""
        self._disks: dict[int, Disked] = {}  # of all that ever ran, by member
        self.serve(Store())
        self.alarms = Alarms(quota)
        self.kept: dict[str, object] = {}  # what is made of the data by those who serve it, and goes with it
        self._network = network
        self._heard: dict[Callable[[], None], None] = {}

    def serve(self, store: Store) -> None:
        """Have this data. What members need who are behind it is kept, whatever readers are refused."""
        self.store = store
        store.kept_from = self._needed_from

    # --- who is there

    def hear(self, call: Callable[[], None]) -> None:
        """Call whenever who runs, who leads, or who hears whom has changed."""
        self._heard[call] = None

    def unhear(self, call: Callable[[], None]) -> None:
        """Call no longer."""
        self._heard.pop(call, None)

    def enter(self, member: Running) -> None:
        """A member runs."""
        self.running[member.id] = member
        self._disks[member.id] = member.disked
        self.settle()

    def leave(self, member: Running) -> None:
        """A member ends, however it does."""
        if self.running.get(member.id) is member:
            self._keep(member)
            del self.running[member.id]
        self.settle()

    def knows_leader(self, member: Running) -> bool:
        """Whether a member follows a leader, or leads."""
        found = self.running.get(self.leader)
        return found is not None and member.id in self.members and self._joins(found, member)

    def settle(self) -> None:
        """See anew who is led, after anything has changed about who runs and who hears whom."""
        leader = self.running.get(self.leader)
        if leader is None or not self._has_quorum(leader) or self._is_learner(leader):
            self.leader = 0
        for member in self.running.values():
            self._follow(member)
        self._tell()

    def elect(self) -> None:
        """Have a leader if there can be one: who has got furthest of those who reach a quorum."""
        if self.leader:
            return
        able = [each for each in self._voters() if self._has_quorum(each)]
        if not able:
            return
        best = max(able, key=lambda each: each.disked.revision)
        if best.disked.revision < self.store.revision and self.store.revision > 1:
            self._lose(best.disked.revision)
        self.leader = best.id
        self.term += 1
        self._settle_form()
        for member in self.running.values():
            self._follow(member)
        self._tell()

    @property
    def is_led(self) -> bool:
        """Whether there is a leader."""
        return self.leader != 0

    def require_leader(self) -> None:
        """Raises NoLeader."""
        if not self.leader:
            raise NoLeader("etcdserver: request timed out")

    # --- who belongs

    def remove(self, member_id: int) -> None:
        """Have no such member. Raises NoLeader and Refusal."""
        self.require_leader()
        if member_id not in self.members:
            raise Refusal("etcdserver: member not found")
        gone = self.members[member_id]
        if not gone.is_learner:
            left = [each for each in self.members.values() if not each.is_learner and each.id != member_id]
            active = sum(each.id in self.running for each in left)
            if member_id in self.running and active < len(left) // 2 + 1:
                raise Refusal("etcdserver: re-configuration failed due to not enough started members")
        del self.members[member_id]
        self._disks.pop(member_id, None)
        self.removed.add(member_id)
        running = self.running.get(member_id)
        if running is not None:
            running.wake()
        self.settle()

    def add_learner(self, peer_url: str, salt: str) -> int:
        """Have a member there without a vote; its id. Raises NoLeader and Refusal."""
        self.require_leader()
        if any(each.peer_url == peer_url for each in self.members.values()):
            raise Refusal("etcdserver: Peer URLs already exists")
        if any(each.is_learner for each in self.members.values()):
            raise Refusal("etcdserver: too many learner members in cluster")
        leader = self.running[self.leader]
        voters = [each.id for each in self.members.values() if not each.is_learner]
        if any(each not in self.running or not self._joins(leader, self.running[each]) for each in voters):
            raise Refusal("etcdserver: unhealthy cluster")
        made = member_id(peer_url, salt)
        self.members[made] = Belonging(made, "", peer_url, is_learner=True)
        return made

    def promote(self, member_id: int) -> None:
        """Give a learner its vote. Raises NoLeader and Refusal."""
        self.require_leader()
        found = self.members.get(member_id)
        if found is None:
            raise Refusal("etcdserver: member not found")
        if not found.is_learner:
            raise Refusal("etcdserver: can only promote a learner member")
        running = self.running.get(member_id)
        if running is None or not running.is_level:
            raise Refusal("etcdserver: can only promote a learner member which is in sync with leader")
        found.is_learner = False
        self.settle()

    def move_leader(self, member_id: int) -> None:
        """Let another member lead. Raises NoLeader and Refusal."""
        self.require_leader()
        running = self.running.get(member_id)
        if running is None or self._is_learner(running) or not running.is_level:
            raise Refusal("etcdserver: bad leader transferee")
        if member_id != self.leader:
            self.leader = member_id
            self.term += 1
            self.settle()

    # --- versions

    def allow_downgrade(self, line: str) -> None:
        """Let members of the minor before in. Raises NoLeader and Refusal."""
        self.require_leader()
        if self.going_back_to:
            raise Refusal("etcdserver: cluster has a downgrade job in progress")
        major, minor = (int(each) for each in self._least().split("."))
        if line != f"{major}.{minor - 1}":
            raise Refusal("etcdserver: invalid downgrade target version")
        self.going_back_to = self.form = line

    def forbid_downgrade(self) -> None:
        """Let the data have the members' own form again. Raises NoLeader and Refusal."""
        self.require_leader()
        if not self.going_back_to:
            raise Refusal("etcdserver: no inflight downgrade job")
        self.going_back_to = ""
        self._settle_form()

    def takes(self, version: str) -> bool:
        """Whether a server of a version can go on with the data."""
        return _order(line_of(version)) >= _order(self.form)

    def _settle_form(self) -> None:
        """The data takes the form of the oldest member; a way back ends when all have gone it."""
        least = self._least()
        if self.going_back_to and all(line_of(each.version) == self.going_back_to for each in self.running.values()):
            self.going_back_to = ""
        self.form = self.going_back_to or least

    def _least(self) -> str:
        return min((line_of(each.version) for each in self.running.values()), key=_order, default=self.form)

    # --- what follows

    def _voters(self) -> list[Running]:
        return [each for each in self.running.values() if each.id in self.members and not self._is_learner(each)]

    def _is_learner(self, member: Running) -> bool:
        found = self.members.get(member.id)
        return found is None or found.is_learner

    def _has_quorum(self, member: Running) -> bool:
        voters = sum(not each.is_learner for each in self.members.values())
        return 2 * sum(self._joins(member, each) for each in self._voters()) > voters

    def _joins(self, one: Running, other: Running) -> bool:
        return self._network.joins(one.host, other.host)

    def _follow(self, member: Running) -> None:
        is_level = bool(self.leader) and self.knows_leader(member)
        if member.is_level and not is_level:
            self._keep(member)
        member.is_level = is_level
        if is_level:
            member.disked.revision = self.store.revision

    def _keep(self, member: Running) -> None:
        """Write down how far it has got, when it stops being as far as the data."""
        if member.is_level:
            member.disked.revision = self.store.revision
            member.is_level = False

    def _lose(self, revision: int) -> None:
        self.serve(rolled_back(self.store, revision))
        self.kept = {}

    def _needed_from(self) -> int | None:
        """How far who is furthest behind has got: it may lead one day. None: all others have nothing."""
        behind = (each for number, each in self._disks.items() if not self._is_level(number))
        return min((each.revision for each in behind if each.revision > 0), default=None)

    def _is_level(self, number: int) -> bool:
        running = self.running.get(number)
        return running is not None and running.is_level

    def _tell(self) -> None:
        for member in tuple(self.running.values()):
            member.wake()
        for call in tuple(self._heard):
            call()


def member_id(peer_url: str, salt: str) -> int:
    """Of a member's URL and of what else is in it: the cluster's token, or the moment when it was added."""
    return int.from_bytes(hashlib.sha1(f"{peer_url}{salt}".encode(), usedforsecurity=False).digest()[:8], "big")


def cluster_id(members: Mapping[int, Belonging]) -> int:
    """Of the first members' ids, as etcd makes it."""
    joined = b"".join(each.to_bytes(8, "big") for each in sorted(members))
    return int.from_bytes(hashlib.sha1(joined, usedforsecurity=False).digest()[:8], "big")


def line_of(version: str) -> str:
    """The minor of a version."""
    return ".".join(version.split(".")[:2])


def _order(line: str) -> tuple[int, ...]:
    return tuple(int(each) for each in line.split(".")[:2])
