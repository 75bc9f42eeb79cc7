"""Rollouts keep their bounds, whatever becomes ready when, and whatever the controllers see late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from homeostat.api.meta import ObjectMeta
from homeostat.sim.world.controllers.deployments.deciding import Action, Change, Make, Remove, Seen, decide
from homeostat.sim.world.controllers.deployments.revisions import surge, unavailable
from homeostat.sim.world.kinds.workloads import (
    Deployment,
    DeploymentSpec,
    DeploymentStatus,
    DeploymentStrategy,
    ReplicaSet,
    ReplicaSetSpec,
    ReplicaSetStatus,
    RollingDeployment,
    Share,
)

BORN = datetime(2026, 1, 1, tzinfo=UTC)


def declared(replicas: int, max_surge: Share, max_unavailable: Share, kind: str = "RollingUpdate") -> Deployment:
    rolling = RollingDeployment(max_surge, max_unavailable)
    spec = DeploymentSpec(replicas=replicas, strategy=DeploymentStrategy(kind, rolling))
    return Deployment(ObjectMeta(name="web", uid="d", generation=1), spec)


class Rollout:
    """A Deployment of several templates, its ReplicaSets, and Pods that are counted only."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.sets: dict[str, ReplicaSet] = {}
        self.pods: dict[str, list[bool]] = {}  # by ReplicaSet: whether each is available
        self.template = "one"

    @property
    def available(self) -> int:
        return sum(sum(each) for each in self.pods.values())

    @property
    def total(self) -> int:
        return sum(each.spec.replicas for each in self.sets.values())

    def decide(self) -> tuple[Action, ...]:
        new = self.sets.get(self.template)
        olds = tuple(each for name, each in self.sets.items() if name != self.template)
        actions = decide(Seen(self.deployment, new, olds))
        for action in actions:
            match action:
                case Make(replicas=replicas, annotations=annotations):
                    born = BORN + timedelta(seconds=len(self.sets))
                    meta = ObjectMeta(
                        name=self.template,
                        uid=self.template,
                        creation_timestamp=born,
                        generation=1,
                        annotations=dict(annotations),
                    )
                    self.sets[self.template] = ReplicaSet(meta, ReplicaSetSpec(replicas=replicas))
                    self.pods[self.template] = []
                case Change(of=one, replicas=replicas, annotations=annotations):
                    meta = replace(one.metadata, annotations=one.metadata.annotations | dict(annotations))
                    wanted = one.spec.replicas if replicas is None else replicas
                    now = self.sets[one.metadata.name]
                    self.sets[one.metadata.name] = ReplicaSet(meta, replace(now.spec, replicas=wanted), now.status)
                case Remove(of=one):
                    del self.sets[one.metadata.name], self.pods[one.metadata.name]
        return actions

    def keep_pods(self, name: str) -> None:
        """What the ReplicaSets' controller does."""
        wanted, pods = self.sets[name].spec.replicas, self.pods[name]
        self.pods[name] = (sorted(pods, reverse=True) + [False] * wanted)[:wanted]

    def tell(self, name: str) -> None:
        """A status, as late as it may come."""
        pods, one = self.pods[name], self.sets[name]
        status = ReplicaSetStatus(observed_generation=1, replicas=len(pods), available_replicas=sum(pods))
        self.sets[name] = replace(one, status=status)

    def see(self) -> None:
        """The Deployment's own status."""
        new = self.sets.get(self.template)
        status = DeploymentStatus(
            observed_generation=1,
            replicas=sum(each.status.replicas for each in self.sets.values()),
            updated_replicas=new.status.replicas if new is not None else 0,
            available_replicas=sum(each.status.available_replicas for each in self.sets.values()),
        )
        self.deployment = replace(self.deployment, status=status)

    def settle(self) -> int:
        """All do what they can until nothing changes; how many rounds it took."""
        for number in range(200):
            before = (dict(self.sets), {name: list(pods) for name, pods in self.pods.items()})
            self.decide()
            for name in self.sets:
                self.keep_pods(name)
                self.pods[name] = [True] * len(self.pods[name])
                self.tell(name)
            self.see()
            if before == (self.sets, self.pods):
                return number
        raise AssertionError("it never comes to rest")


SHARES = st.one_of(st.integers(0, 4), st.integers(0, 100).map(lambda number: f"{number}%"))
STEPS = st.lists(st.tuples(st.sampled_from(("decide", "keep", "ready", "tell", "change")), st.integers(0, 20)))


@given(replicas=st.integers(1, 12), max_surge=SHARES, max_unavailable=SHARES, steps=STEPS)
@settings(max_examples=300, deadline=None)
def test_there_are_never_too_many_pods_nor_too_few_available_ones(
    replicas: int, max_surge: Share, max_unavailable: Share, steps: list[tuple[str, int]]
) -> None:
    rollout = Rollout(declared(replicas, max_surge, max_unavailable))
    rollout.settle()
    assert rollout.available == replicas
    templates = iter(("two", "three", "four", "five", "one"))
    least = replicas - unavailable(rollout.deployment)

    for step, number in steps:
        names = list(rollout.sets)
        name = names[number % len(names)]
        match step:
            case "decide":
                rollout.decide()
            case "keep":
                rollout.keep_pods(name)
            case "ready":
                pods = rollout.pods[name]
                rollout.pods[name] = [*pods[:number], *(True for _ in pods[number : number + 1]), *pods[number + 1 :]]
            case "tell":
                rollout.tell(name)
            case "change":
                rollout.template = next(templates, rollout.template)
        rollout.see()
        assert rollout.available >= least
        assert rollout.total <= replicas + max(surge(rollout.deployment), 0)

    rollout.settle()
    assert {name: len(pods) for name, pods in rollout.pods.items() if pods} == {rollout.template: replicas}


@given(before=st.integers(0, 12), after=st.integers(0, 12), max_surge=SHARES, started=st.integers(0, 6))
@settings(max_examples=200, deadline=None)
def test_a_new_number_in_the_middle_of_a_rollout_is_reached_at_once_and_the_rollout_ends(
    before: int, after: int, max_surge: Share, started: int
) -> None:
    rollout = Rollout(declared(before, max_surge, 1))
    rollout.settle()
    rollout.template = "two"
    for _ in range(started):
        rollout.decide()
        for name in rollout.sets:
            rollout.keep_pods(name)
            rollout.tell(name)
        rollout.see()

    rollout.deployment = replace(rollout.deployment, spec=replace(rollout.deployment.spec, replicas=after))
    rollout.decide()

    assert rollout.total <= max(after + surge(rollout.deployment), after)
    rollout.settle()
    assert {name: len(pods) for name, pods in rollout.pods.items() if pods} == ({"two": after} if after else {})


def test_one_that_recreates_makes_no_pod_before_the_old_ones_are_gone() -> None:
    rollout = Rollout(declared(3, 0, 0, "Recreate"))
    rollout.settle()
    rollout.template = "two"

    (down,) = rollout.decide()

    assert isinstance(down, Change)
    assert down.replicas == 0
    assert rollout.decide() == ()  # they are told of still
    rollout.keep_pods("one")
    rollout.tell("one")
    (new,) = rollout.decide()
    assert isinstance(new, Make)
    assert new.replicas == 3


def test_at_rest_nothing_is_done() -> None:
    rollout = Rollout(declared(3, "25%", "25%"))
    rollout.settle()
    assert rollout.decide() == ()
