"""A cluster whose topology changes, with a cell and an etcd that follow what the operator plans, in memory.

Whatever would hurt is looked at when it is done: a member that etcd still knows loses its Pod or its volume, a quorum
is lost, the only member or the leader is restarted, something is done that the status did not tell before.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec import convert
from msgspec.structs import replace
from tests.support.clusters import NOW, claim, cluster, pod, running
from tests.support.rollouts import tried

from homeostat.api.apps import RollingUpdate, StatefulSet, UpdateStrategy
from homeostat.api.cluster.masters import COMPONENTS, ETCD
from homeostat.api.core import PersistentVolumeClaim
from homeostat.api.pods import Pod
from homeostat.operators.cluster.actions import (
    AddMember,
    Apply,
    AskEtcd,
    Discard,
    MoveLeader,
    Plan,
    PromoteMember,
    RetireMember,
)
from homeostat.operators.cluster.components import workload_names
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.healing.seen import EtcdSeen
from homeostat.operators.cluster.manifests.shape import Desired, digest_of
from homeostat.operators.cluster.names import COMPONENT_LABEL, REVISION_LABEL
from homeostat.operators.cluster.observe import Live, Observed, ProbeSeen, Workload
from homeostat.operators.cluster.ports import MemberSeen
from homeostat.operators.cluster.report import report
from homeostat.operators.cluster.topology import HA, topology_of
from homeostat.runtime.loop import Result
from homeostat.runtime.outcome import DONE

READY = [{"type": "Ready", "status": "True"}]


class World:
    """One cluster that is well, in a cell with three zones."""

    def __init__(self, topology: str = "single") -> None:
        self.now = NOW
        self.story: list[str] = []
        self.zones = frozenset("abc")
        first = topology_of(topology)
        self.seen = running(cluster(topology=topology), ready_since=NOW, applied={})
        self._made = 0
        begun = [MemberSeen(number + 10, self.name(number), self.host(number)) for number in range(first.members)]
        self.members = {each.host: each for each in begun}
        self.leader = self.host(0)
        self.asked: EtcdSeen | None = None
        self.pods: dict[str, Pod] = {}
        self.claims: dict[str, PersistentVolumeClaim] = {}
        self.desired: dict[str, Desired] = {}
        self.revision = ""
        self.look()
        self.story.clear()

    def name(self, number: int) -> str:
        return f"demo-etcd-{number}"

    def host(self, number: int) -> str:
        return f"{self.name(number)}.demo-etcd.default.svc"

    def declare(self, topology: str) -> None:
        """The owner changes the wish."""
        spec = replace(self.seen.cluster.spec, topology=topology)
        self.seen = replace(self.seen, cluster=replace(self.seen.cluster, spec=spec))

    @property
    def told(self) -> Any:
        """The status of the topology as it was last written."""
        return self.seen.cluster.status.topology

    def look(self, *, dies_after: int | None = None) -> Plan:
        """One look of the operator; it may die after some of its actions, and then writes no status."""
        self.now += timedelta(seconds=1)
        seen = tried(self.observed(), self.now)
        plan = decide(seen, self.now, Policy())
        actions = plan.actions if dies_after is None else plan.actions[:dies_after]
        for action in actions:
            self._do(action)
        if dies_after is None:
            status = report(seen, plan, tuple(Result[Any](each, DONE) for each in actions), self.now).status
            assert status is not None
            self.seen = replace(self.seen, cluster=replace(self.seen.cluster, status=status))
        self._follow()
        return plan

    def until(self, topology: str, *, looks: int = 200) -> None:
        """Look on until all masters of a topology are there and no others."""
        wanted = topology_of(topology)
        for _ in range(looks):
            plan = self.look()
            assert plan.scale is not None
            if plan.scale.verdict is None and self.told.complete == topology:
                break
        else:
            raise AssertionError(f"not {topology} after {looks} looks: {self.told}, {plan.scale}")
        names = {self.name(number) for number in range(wanted.members)}
        assert {each.name for each in self.members.values() if not each.is_learner} == names
        assert set(self.pods) == names
        assert set(self.claims) == {f"data-{name}" for name in names}
        assert self._replicas("demo-apiserver") == wanted.others

    def observed(self) -> Observed:
        """What the operator sees now."""
        others = tuple(
            pod(component, f"demo-{component}-{number}", conditions=READY)
            for component in COMPONENTS[1:]
            for number in range(self._replicas(workload_names(self.seen.names)[component]) if self.desired else 2)
        )
        if not self.desired:
            return replace(self.seen, zones=self.zones, probed=ProbeSeen(self.now, "v1.35.4"))
        return replace(
            self.seen,
            zones=self.zones,
            pods=(*others, *self.pods.values()),
            claims=tuple(self.claims.values()),
            workloads={name: self._workload(component, name) for component, name in self._names().items()},
            members=self.asked,
            probed=ProbeSeen(self.now, "v1.35.4"),
            ready_since=self.now,
        )

    def _names(self) -> dict[str, str]:
        return workload_names(self.seen.names)

    def _spec(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.desired[name].body["spec"]
        return found

    def _replicas(self, name: str) -> int:
        return int(self._spec(name)["replicas"])

    def _workload(self, component: str, name: str) -> Workload:
        found = self.seen.workloads[name]
        count = self._replicas(name)
        status: dict[str, Any] = {"observedGeneration": 1, "replicas": count, "readyReplicas": count}
        status["updatedReplicas"] = count
        if component != ETCD:
            return replace(found, spec=replace(found.spec, replicas=count), status=convert(status, type(found.status)))
        assert isinstance(found, StatefulSet)
        pods = self.pods.values()
        status |= {"replicas": len(pods), "readyReplicas": sum(each.is_ready for each in pods)}
        updated = sum(each.metadata.labels[REVISION_LABEL] == self._wanted() for each in pods)
        status |= {"updatedReplicas": updated, "updateRevision": self._wanted()}
        strategy = UpdateStrategy(RollingUpdate(self._partition()))
        return replace(
            found,
            spec=replace(found.spec, replicas=count, update_strategy=strategy),
            status=convert(status, type(found.status)),
        )

    def _wanted(self) -> str:
        return digest_of(self._spec("demo-etcd")["template"])

    def _partition(self) -> int:
        return int(self._spec("demo-etcd")["updateStrategy"]["rollingUpdate"]["partition"])

    def _do(self, action: Any) -> None:
        match action:
            case Apply(objects=objects):
                for each in objects:
                    self._apply(each)
            case AskEtcd():
                self.asked = EtcdSeen(self.now, tuple(self._member(each) for each in self.members.values()))
            case AddMember(member=name):
                self._require_told(name, "Join")
                host = f"{name}.demo-etcd.default.svc"
                assert f"data-{name}" not in self.claims, "a new member finds no old data"
                self._made += 1
                self.members.setdefault(host, MemberSeen(100 + self._made, "", host, is_learner=True))
                self.story.append(f"added {name}")
            case PromoteMember(id=number):
                self._promote(number)
            case MoveLeader(id=number):
                (one,) = [each for each in self.members.values() if each.id == number]
                assert not one.is_learner
                self.leader = one.host
                self.story.append(f"moved the leader to {one.name}")
            case RetireMember(member=name, id=number):
                self._retire(name, number)
            case Discard(name=name, uid=uid):
                self._discard(name, uid)
        if not isinstance(action, Apply | AskEtcd):
            self.asked = None

    def _promote(self, number: int) -> None:
        (one,) = [each for each in self.members.values() if each.id == number]
        assert self._member(one).is_level
        self.members[one.host] = replace(one, is_learner=False)
        self.story.append(f"promoted {one.name}")

    def _discard(self, name: str, uid: str) -> None:
        member = name.removeprefix("data-")
        self._require_told(member, None, uid)
        assert f"{member}.demo-etcd.default.svc" not in self.members
        assert member not in self.pods
        if self.claims[name].metadata.uid == uid:
            del self.claims[name]
            self.story.append(f"discarded {name}")

    def _apply(self, each: Desired) -> None:
        mark = (each.kind.resource.kind, each.name)
        if mark[0] in ("StatefulSet", "Deployment"):
            self.desired[each.name] = each
        if mark == ("StatefulSet", "demo-etcd"):
            kept = {self.host(number) for number in range(self._replicas("demo-etcd"))}
            assert kept >= {one.host for one in self.members.values() if not one.is_learner}, "it has a vote"
        live = {**self.seen.live, mark: Live(f"uid-{each.name}", "as-left", False)}
        applied = {**self.seen.applied, mark: (each.digest, "as-left")}
        self.seen = replace(self.seen, live=live, applied=applied)

    def _retire(self, name: str, number: int) -> None:
        self._require_told(name, "Leave")
        (one,) = [each for each in self.members.values() if each.id == number]
        rest = [self._member(each) for each in self.members.values() if each.id != number]
        assert one.host != self.host(0)
        assert rest
        assert all(each.is_well and not each.is_learner for each in rest)
        assert self.leader != one.host
        del self.members[one.host]
        self.story.append(f"retired {name}")

    def _require_told(self, member: str, action: str | None, claim_uid: str = "") -> None:
        assert self.told is not None
        change = self.told.change
        assert change is not None
        assert change.member == member
        assert action in (None, change.action)
        assert claim_uid in ("", change.claim_uid)

    def _member(self, one: MemberSeen) -> MemberSeen:
        found = self.pods.get(one.host.partition(".")[0])
        is_well = found is not None
        name = one.name or (found.metadata.name if found else "")
        return replace(one, name=name, is_well=is_well, is_level=is_well, is_leader=one.host == self.leader)

    def _follow(self) -> None:
        """The StatefulSet's controller and the kubelets, one step further."""
        wanted = [self.name(number) for number in range(self._replicas("demo-etcd"))]
        for name in [name for name in self.pods if name not in wanted]:
            del self.pods[name]
        old = [name for name in wanted if name in self.pods and self._revision(name) != self._wanted()]
        if old and int(old[-1][-1]) >= self._partition():
            self._restart(old[-1])
        for name in wanted:
            self.claims.setdefault(f"data-{name}", self._claim(name))
            if name not in self.pods:
                self.pods[name] = self._pod(name)
                host = f"{name}.demo-etcd.default.svc"
                if host in self.members:
                    self.members[host] = replace(self.members[host], name=name)

    def _restart(self, name: str) -> None:
        voters = [each for each in self.members.values() if not each.is_learner]
        assert len(voters) == HA.members, "no member is restarted without a quorum of others"
        assert self.leader != f"{name}.demo-etcd.default.svc", "a leader is not restarted"
        del self.pods[name]
        self.story.append(f"restarted {name}")

    def _revision(self, name: str) -> str:
        return self.pods[name].metadata.labels[REVISION_LABEL]

    def _claim(self, name: str) -> PersistentVolumeClaim:
        self._made += 1
        found = claim(f"data-{name}")
        return replace(found, metadata=replace(found.metadata, uid=f"uid-{self._made}"))

    def _pod(self, name: str) -> Pod:
        self._made += 1
        made = pod(ETCD, name, conditions=READY)
        labels = {COMPONENT_LABEL: ETCD, REVISION_LABEL: self._wanted()}
        return replace(made, metadata=replace(made.metadata, uid=f"uid-{self._made}", labels=labels))
