"""What an observer of a fleet remembers: every change and who made it, and since when claims have held.

A change is made within one step of a task, and the loop says who takes the next step: so it is known who made which,
without anything between them and the API.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from tests.support.chaos.operating import OPERATOR, Operators
from tests.support.chaos.truth import Voting, quorum_of, voting
from tests.support.fleets import _GROUPS, Fleet, Whole
from tests.support.killing.invariants import Happened, Seen

from homeostat.operators.cluster.names import COMPONENT_LABEL
from homeostat.sim.time.order import Numbered
from homeostat.sim.world.programs.etcd.quorum import Quorum

COLLECTIONS = {(resource.group, resource.plural): name for name, resource in _GROUPS.items()}
REMEMBERED_S = 60.0  # what was so within the last minute, nobody need know to be otherwise


class Observer:
    """Of one fleet. `seen` is what the invariants of killed operators are asked with, too."""

    def __init__(self, fleet: Fleet, operators: Operators) -> None:
        self.fleet, self.operators = fleet, operators
        self.seen = Seen(None)  # type: ignore[arg-type]  # etcd is asked by its programs
        self.quorums: dict[str, Quorum] = {}  # by uid of the Cluster
        self.written: dict[str, set[str]] = {}  # names of objects in the business cluster whose writes were answered
        self.excused: set[str] = set()  # uids of those of which a majority of disks is lost, or that are restored
        self.lost_disks: dict[str, set[str]] = {}  # by uid: members whose disk went, since all were level
        self._level_at: dict[tuple[str, str], float] = {}
        self._since: dict[Hashable, float] = {}
        self._revision = fleet.world.server.store.revision
        self._by = ""

    @property
    def now(self) -> float:
        """Seconds of this life."""
        return self.fleet.clock.monotonic()

    def all(self, kind: str) -> list[Whole]:
        """All objects of a kind, as they are now; nobody changes them."""
        return [obj for (each, _), obj in self.seen.objects.items() if each == kind]

    def clusters(self) -> Iterator[Whole]:
        """Those that are not being deleted."""
        return (each for each in self.all("Cluster") if "deletionTimestamp" not in each["metadata"])

    def members(self, uid: str) -> Iterator[Whole]:
        """The Pods of a Cluster's etcd."""
        return (each for each in self.seen.of(uid, "Pod") if _part(each) == "etcd")

    def drives_out(self, host: str) -> bool:
        """Whether a Node is tainted so that Pods have to leave it."""
        node = self.fleet.world.server.store.shelf(("", "nodes")).get(f"/{host}")
        taints = node.value(b"")["spec"].get("taints", ()) if node is not None else ()
        return node is None or any(each["effect"] == "NoExecute" for each in taints)

    def lasting(self, *claim: Hashable, holds: bool) -> float:
        """For how long a claim has held at every look; 0 where it does not."""
        if not holds:
            self._since.pop(claim, None)
            return 0.0
        return self.now - self._since.setdefault(claim, self.now)

    def step(self, task: Numbered[Any]) -> Iterator[Happened]:
        """What has changed when a task takes a step: whoever took the last one has made it."""
        by, self._by = self._by, task.process
        store = self.fleet.world.server.store
        since, self._revision = self._revision, store.revision
        if since == store.revision:
            return
        found = []
        for collection, kind in COLLECTIONS.items():
            history = store.shelf(collection).history
            if history.newest > since:
                found += [(change, kind) for change in history.after(max(since, history.forgotten))]
        for change, kind in sorted(found, key=lambda each: each[0].revision):
            old = change.old.value(b"") if change.old is not None else None
            new = change.new.value(b"") if change.new is not None else None
            happened = Happened(kind, old, new, "cluster-operator" if by.startswith(OPERATOR) else by)
            name = str(happened.obj["metadata"]["name"])
            if new is None:
                self.seen.objects.pop((kind, name), None)
            else:
                self.seen.objects[kind, name] = new
            yield happened

    def look(self) -> None:
        """See who has a vote and is level now."""
        for cluster in self.all("Cluster"):
            uid = cluster["metadata"]["uid"]
            found = quorum_of(self.fleet, self.members(uid))
            if found is not None:
                self.quorums[uid] = found
            if uid in self.quorums:
                told = voting(self.quorums[uid])
                if len(told.level) == len(told.voters):
                    self.lost_disks.pop(uid, None)
                for member in told.level:
                    self._level_at[uid, member] = self.now

    def voting(self, uid: str) -> Voting:
        """Who had a vote and was level within the last minute."""
        told = voting(self.quorums[uid])
        lately = (each for each in told.voters if self._level_at.get((uid, each), -1e9) >= self.now - REMEMBERED_S)
        return Voting(told.voters, told.level | frozenset(lately))

    def lose(self, host: str) -> None:
        """The disks of a host are about to be lost: who has lost a majority of its data is excused."""
        for pod in self.all("Pod"):
            cluster = self.seen.cluster_of(pod)
            if pod["spec"].get("nodeName") != host or _part(pod) != "etcd" or cluster is None:
                continue
            uid = cluster["metadata"]["uid"]
            lost = self.lost_disks.setdefault(uid, set())
            lost.add(pod["metadata"]["name"])
            voters = voting(self.quorums[uid]).voters if uid in self.quorums else frozenset[str]()
            if 2 * len(lost) >= len(voters):
                self.excused.add(uid)


def _part(pod: Whole) -> str:
    return str((pod["metadata"].get("labels") or {}).get(COMPONENT_LABEL, ""))
