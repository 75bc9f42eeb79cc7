"""A cluster at rest is asked and not looked at, and whatever is not as before is looked at at once."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.clock import ManualClock
from tests.support.clusters import running
from tests.support.granting import FakeRights
from tests.support.membership import FakeEtcd
from tests.support.operating import SERVED, FakeEndpoint
from tests.support.stores import FakeStores

from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.api.core import Pod
from homeostat.kube.connect import connect
from homeostat.kube.target import Config
from homeostat.operators.cluster.actions import Probed, ProbeEndpoint
from homeostat.operators.cluster.controller import ClusterRooms
from homeostat.operators.cluster.decide import Policy
from homeostat.operators.cluster.fleet import Fleet
from homeostat.operators.cluster.names import KUBECONFIG_KEY, NAME_LABEL, UID_LABEL
from homeostat.operators.cluster.observe import OWNER_INDEX, Caches, ProbeSeen
from homeostat.operators.cluster.ports import Outside
from homeostat.runtime.loop import Result
from homeostat.runtime.outcome import Progress
from homeostat.runtime.queue import Priority
from homeostat.runtime.store import Store
from homeostat.telemetry.metrics import Metrics

KEY = "default/demo"
MINUTE = 60.0


def by_owner(obj: Any) -> list[str]:
    return [f"{obj.metadata.namespace}/{obj.metadata.labels.get(NAME_LABEL)}"]


class Operated:
    """The rooms, and a cluster that was just found well in a whole look."""

    def __init__(self) -> None:
        self.clock, self.endpoint = ManualClock(), FakeEndpoint()
        stores: dict[str, Store[Any]] = {
            name: Store({OWNER_INDEX: by_owner}) for name in Caches.__struct_fields__ if name != "clusters"
        }
        self.clusters: Store[Cluster] = Store()
        self.pods = stores["pods"]
        self.caches = Caches(clusters=self.clusters, **stores)
        etcd, metrics, policy = FakeEtcd(), Metrics(), Policy()
        outside = Outside(self.endpoint, etcd, FakeStores(etcd), FakeRights())
        client = connect(Config(server="https://127.0.0.1:9"), clock=self.clock, random=Random(1))
        fleet = Fleet(metrics, policy.healing.cell, clock=self.clock)
        self.rooms = ClusterRooms(client, self.caches, outside, policy, fleet, self.clock)
        seen = running()
        self.cluster = seen.cluster
        self.clusters.put(KEY, self.cluster)
        for pod in seen.pods:
            labels = {**pod.metadata.labels, NAME_LABEL: "demo", UID_LABEL: self.cluster.metadata.uid}
            self.put(replace(pod, metadata=replace(pod.metadata, labels=labels, resource_version=pod.metadata.name)))
        seen = replace(seen, versions=self.caches.versions(self.cluster), probed=ProbeSeen(self.clock.now(), SERVED))
        known = self.rooms._memory(self.cluster.metadata.uid)
        known.probed, known.looked_at = seen.probed, self.clock.now()
        plan = self.rooms.decide(seen, self.clock.now())
        self.rooms.report(seen, plan, (Result(ProbeEndpoint(), Probed(version=SERVED)),), self.clock.now())

    def put(self, pod: Pod) -> None:
        self.pods.put(f"default/{pod.metadata.name}", pod)

    async def glance_after(self, seconds: float) -> Progress | None:
        await self.clock.advance(seconds)
        outcome = await self.rooms.glance(KEY)
        assert outcome is None or isinstance(outcome, Progress)
        return outcome


async def test_at_rest_the_endpoint_is_asked_again_and_again_and_nothing_is_looked_at() -> None:
    operated = Operated()
    for times in range(1, 4):
        outcome = await operated.glance_after(MINUTE)
        assert outcome is not None
        assert 0 < outcome.after_s <= MINUTE
        assert len(operated.endpoint.asked_at) == times


async def test_who_is_woken_before_its_time_asks_nobody() -> None:
    operated = Operated()
    assert await operated.glance_after(1) is not None
    assert operated.endpoint.asked_at == []


async def test_after_some_minutes_all_of_it_is_looked_at() -> None:
    operated = Operated()
    found = [await operated.glance_after(MINUTE) for _ in range(5)]
    assert [each is None for each in found] == [False] * 4 + [True]


async def test_an_endpoint_that_does_not_answer_is_looked_at_at_once_and_the_failure_is_known_then() -> None:
    operated = Operated()
    operated.endpoint.failure = "no answer within 3 s"
    assert await operated.glance_after(MINUTE) is None
    probed = operated.rooms._memory(operated.cluster.metadata.uid).probed
    assert probed is not None
    assert (probed.version, probed.message) == ("", "no answer within 3 s")
    assert await operated.glance_after(0) is None


@pytest.mark.parametrize("what", ["changed", "gone", "come"])
async def test_an_object_that_changes_comes_or_goes_ends_the_rest(what: str) -> None:
    operated = Operated()
    pod = operated.pods.values()[0]
    match what:
        case "changed":
            operated.put(replace(pod, metadata=replace(pod.metadata, resource_version="other")))
        case "gone":
            operated.pods.remove(f"default/{pod.metadata.name}")
        case _:
            operated.put(replace(pod, metadata=replace(pod.metadata, name="another", resource_version="new")))
    assert await operated.glance_after(1) is None


async def test_another_declaration_ends_it() -> None:
    operated = Operated()
    changed = replace(operated.cluster, metadata=replace(operated.cluster.metadata, resource_version="other"))
    operated.clusters.put(KEY, changed)
    assert await operated.glance_after(1) is None


async def test_a_clock_that_was_set_back_ends_it() -> None:
    operated = Operated()
    known = operated.rooms._memory(operated.cluster.metadata.uid)
    known.looked_at = operated.clock.now() + timedelta(hours=1)
    assert await operated.glance_after(1) is None


async def test_of_a_cluster_that_is_gone_nothing_is_kept_and_the_probe_forgets_its_key_too() -> None:
    operated = Operated()
    content = KUBECONFIG_KEY.encode()
    known = operated.rooms._memory(operated.cluster.metadata.uid)
    known.admin = replace(known.admin, value=content)
    operated.rooms.note(operated.cluster, None, Priority.CHANGE)
    assert operated.endpoint.forgotten == [content]
    assert await operated.glance_after(1) is None
