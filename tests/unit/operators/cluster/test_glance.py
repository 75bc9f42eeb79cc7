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
from tests.support.stores import MIB, QUOTA, VERSION, FakeStores

from homeostat.api.cluster.etcd import ClusterEtcdStatus
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
from homeostat.operators.cluster.ports import EtcdAccess, Outside
from homeostat.operators.cluster.upkeep.seen import UpkeepSeen
from homeostat.operators.cluster.upkeep.stores import NO_SPACE, Alarm, Stores, StoreSeen
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
        self.stores = FakeStores(etcd)
        outside = Outside(self.endpoint, etcd, self.stores, FakeRights())
        client = connect(Config(server="https://127.0.0.1:9"), clock=self.clock, random=Random(1))
        fleet = Fleet(metrics, policy.healing.cell, clock=self.clock)
        self.rooms = ClusterRooms(client, self.caches, outside, policy, fleet, self.clock)
        told = ClusterEtcdStatus(size_bytes=MIB, in_use_bytes=MIB, quota_bytes=QUOTA)
        seen = running()
        seen = replace(seen, cluster=replace(seen.cluster, status=replace(seen.cluster.status, etcd=told)))
        self.cluster = seen.cluster
        self.clusters.put(KEY, self.cluster)
        for pod in seen.pods:
            labels = {**pod.metadata.labels, NAME_LABEL: "demo", UID_LABEL: self.cluster.metadata.uid}
            self.put(replace(pod, metadata=replace(pod.metadata, labels=labels, resource_version=pod.metadata.name)))
        seen = replace(seen, versions=self.caches.versions(self.cluster), probed=ProbeSeen(self.clock.now(), SERVED))
        self.known = self.rooms._memory(self.cluster.metadata.uid)
        self.known.probed, self.known.looked_at = seen.probed, self.clock.now()
        self.known.etcd = EtcdAccess({"demo-etcd-0": seen.names.etcd_host("demo-etcd-0")}, b"", b"", b"")
        plan = self.rooms.decide(seen, self.clock.now())
        self.rooms.report(seen, plan, (Result(ProbeEndpoint(), Probed(version=SERVED)),), self.clock.now())

    def know_of_stores(self) -> None:
        """They were looked at just now, and all was well."""
        store = StoreSeen(1, "demo-etcd-0", VERSION, MIB, MIB, QUOTA)
        self.known.upkeep = UpkeepSeen(first=self.clock.now(), at=self.clock.now(), answer=Stores((store,)))

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
    found = [await operated.glance_after(MINUTE) for _ in range(15)]
    assert found[0] is not None
    assert None in found


async def test_the_endpoint_is_asked_once_for_each_wake() -> None:
    operated = Operated()
    first = await operated.glance_after(MINUTE)
    for times in range(2, 6):
        assert first is not None
        first = await operated.glance_after(first.after_s)
        assert len(operated.endpoint.asked_at) == times


async def test_the_stores_of_etcd_are_looked_at_without_a_look_at_anything_else() -> None:
    operated = Operated()
    operated.know_of_stores()
    for _ in range(6):
        assert await operated.glance_after(MINUTE) is not None
    assert operated.known.upkeep.at is not None
    assert operated.clock.now() - operated.known.upkeep.at < timedelta(minutes=2)


async def test_what_is_wrong_with_them_is_looked_at_at_once() -> None:
    operated = Operated()
    operated.know_of_stores()
    operated.stores.alarms = {Alarm(NO_SPACE, 1)}
    found = [await operated.glance_after(MINUTE) for _ in range(5)]
    assert [each is None for each in found] == [False] * 4 + [True]
    assert operated.known.upkeep.is_fresh(operated.clock.now())


async def test_an_endpoint_that_does_not_answer_is_looked_at_at_once_and_the_failure_is_known_then() -> None:
    operated = Operated()
    operated.endpoint.failure = "no answer within 3 s"
    assert await operated.glance_after(MINUTE) is None
    probed = operated.known.probed
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
    operated.known.looked_at = operated.clock.now() + timedelta(hours=1)
    assert await operated.glance_after(1) is None


async def test_of_a_cluster_that_is_gone_nothing_is_kept_and_the_probe_forgets_its_key_too() -> None:
    operated = Operated()
    content = KUBECONFIG_KEY.encode()
    operated.known.admin = replace(operated.known.admin, value=content)
    operated.rooms.note(operated.cluster, None, Priority.CHANGE)
    assert operated.endpoint.forgotten == [content]
    assert await operated.glance_after(1) is None
