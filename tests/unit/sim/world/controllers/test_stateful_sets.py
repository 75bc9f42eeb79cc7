"""What is decided about Pods of StatefulSets, whatever state they are in; and what one costs."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from tests.support.controllers import PODS, working
from tests.support.workloads import stateful_set
from tests.support.world import STATEFUL_SETS

from homeostat.api.meta import ObjectMeta
from homeostat.sim.world.controllers.statefulsets.controller import add_stateful_sets
from homeostat.sim.world.controllers.statefulsets.deciding import End, Make, Seen, decide
from homeostat.sim.world.controllers.statefulsets.identity import REVISION_LABEL, ordinal_of, revision_of
from homeostat.sim.world.kinds.pods import Pod, PodCondition, PodSpec, PodStatus
from homeostat.sim.world.kinds.workloads import RollingSet, StatefulSet, StatefulSetSpec, UpdateStrategy

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Standing(Struct, frozen=True):
    """How a Pod stands."""

    ordinal: int
    is_new: bool
    phase: str
    is_ready: bool
    is_ending: bool

    def pod(self) -> Pod:
        name = f"db-{self.ordinal}"
        meta = ObjectMeta(
            name=name,
            uid=name,
            labels={REVISION_LABEL: "new" if self.is_new else "old"},
            deletion_timestamp=NOW if self.is_ending else None,
        )
        ready = PodCondition("Ready", "True" if self.is_ready else "False", last_transition_time=NOW)
        return Pod(meta, PodSpec("node"), PodStatus(phase=self.phase, conditions=(ready,)))


STANDINGS = st.lists(
    st.builds(
        Standing,
        ordinal=st.integers(0, 6),
        is_new=st.booleans(),
        phase=st.sampled_from(("Running", "Running", "Running", "Pending", "Failed")),
        is_ready=st.booleans(),
        is_ending=st.sampled_from((False, False, False, True)),
    ),
    unique_by=lambda each: each.ordinal,
)


@given(
    standings=STANDINGS,
    replicas=st.integers(0, 5),
    partition=st.integers(0, 6),
    most=st.none() | st.integers(1, 3),
    policy=st.sampled_from(("OrderedReady", "Parallel")),
)
@settings(max_examples=200, deadline=None)
def test_no_more_is_touched_than_may_be(
    standings: list[Standing], replicas: int, partition: int, most: int | None, policy: str
) -> None:
    strategy = UpdateStrategy("RollingUpdate", RollingSet(partition, most))
    spec = StatefulSetSpec(replicas=replicas, pod_management_policy=policy, update_strategy=strategy)
    owner = StatefulSet(ObjectMeta(name="db", uid="s", generation=1), spec)
    seen = Seen(owner, tuple(each.pod() for each in standings), "old", "new", frozenset(), NOW)

    actions = decide(seen)

    made = {each.ordinal: each.revision for each in actions if isinstance(each, Make)}
    ended = [each for each in actions if isinstance(each, End)]
    numbers = {pod.metadata.name: ordinal_of(owner, pod.metadata.name) or 0 for pod in seen.pods}
    assert not made.keys() & set(numbers.values()), "a number has one Pod"
    assert made.keys() <= set(range(replicas))
    assert all(revision == ("old" if number < partition else "new") for number, revision in made.items())
    assert not any(each.pod.is_ending for each in ended), "who ends already is left alone"
    assert all(each.is_condemned == (numbers[each.pod.metadata.name] >= replicas) for each in ended)
    replaced = [each.pod for each in ended if not each.is_condemned and not each.pod.is_over]
    assert all(revision_of(pod) == "old" and numbers[pod.metadata.name] >= partition for pod in replaced)
    assert len(replaced) <= (most or 1)
    higher = [pod for pod in seen.pods if replaced and numbers[pod.metadata.name] > numbers[replaced[0].metadata.name]]
    assert sum(not seen.is_healthy(pod) for pod in higher if numbers[pod.metadata.name] < replicas) < (most or 1)
    if policy == "OrderedReady":
        assert len(made) + len(ended) <= max(most or 1, 1), "one thing at a time"
        for number in made:
            before = [pod for pod in seen.pods if numbers[pod.metadata.name] < number]
            assert len(before) == number
            assert all(map(seen.is_healthy, before))


async def test_one_of_three_pods_takes_few_writes_and_then_none() -> None:
    async with working(add_stateful_sets) as site:
        before = site.revision
        body = stateful_set(replicas=3, podManagementPolicy="Parallel", claims=("data",))
        await site.make(STATEFUL_SETS, body, "default")
        # The set itself; a revision, three claims, three Pods, and one status.
        assert site.revision - before == 1 + 8
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
        for pod in await site.all(PODS, "default"):
            status = {"phase": "Running", "conditions": [ready]}
            await site.set_status(PODS, pod["metadata"]["name"], status, "default")
        await site.rest()
        at_rest = site.revision
        await site.pass_time(24 * 3600)
        assert site.revision == at_rest
        assert (await site.get(STATEFUL_SETS, "db", "default"))["status"]["readyReplicas"] == 3
