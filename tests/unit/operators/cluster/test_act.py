"""How actions are carried out: many clusters at once never take more than a few connections to the cell."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import msgspec
import pytest
from tests.support.ailing import DEAD, ailing, replacing
from tests.support.clock import ManualClock
from tests.support.clusters import cluster, running
from tests.support.granting import FakeRights
from tests.support.membership import FakeEtcd
from tests.support.operating import FakeEndpoint
from tests.support.scripted import HastyClock
from tests.support.stores import FakeStores

from homeostat.api.cluster.masters import SCHEDULER
from homeostat.api.cluster.v1alpha1 import CLUSTER
from homeostat.api.core import CONFIG_MAP, PERSISTENT_VOLUME_CLAIM
from homeostat.api.kind import Kind
from homeostat.kube.client import Client
from homeostat.kube.errors import ApiError, ConnectionFailed, Forbidden, Invalid, NotFound
from homeostat.operators.cluster.act import Actor
from homeostat.operators.cluster.actions import Apply, Discard, Isolate, LetGo, ProbeEndpoint, Refused
from homeostat.operators.cluster.manifests.shape import Desired
from homeostat.operators.cluster.observe import Memory, Observed
from homeostat.operators.cluster.ports import Outside
from homeostat.runtime.outcome import DONE, Progress

MANY = 30


class Counting:
    """Plays a client that takes its time over every apply, and counts how many it has at once."""

    def __init__(self) -> None:
        self.applied = self.at_once = self.most = 0

    async def get(self, kind: Kind[Any], name: str, namespace: str) -> Any:
        if kind is CLUSTER:
            return running(cluster()).cluster
        return msgspec.convert({"metadata": {"name": name, "ownerReferences": [OWNER]}}, kind.type)

    async def apply(self, kind: Kind[Any], body: dict[str, Any], **_options: Any) -> Any:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        for _turn in range(3):
            await asyncio.sleep(0)
        self.at_once -= 1
        self.applied += 1
        return msgspec.convert(body, kind.type)


OWNER = {"apiVersion": "v1", "kind": "Cluster", "name": "demo", "uid": running().cluster.metadata.uid}


def some_of(seen: Observed) -> Apply:
    names = (f"{seen.names.cluster}-{number}" for number in range(MANY))
    return Apply(tuple(Desired(CONFIG_MAP, "etcd", {"metadata": {"name": name}}) for name in names))


async def test_all_clusters_together_apply_a_few_objects_at_once() -> None:
    client, seen = Counting(), running(cluster())
    actor = actor_of(client)
    await asyncio.gather(*(actor.act(seen, some_of(seen)) for _ in range(4)))
    assert client.applied == 4 * MANY
    assert client.most == 8


class Refusing(Counting):
    """Plays a client of a cell in which a policy refuses one object, whatever is done to it."""

    def __init__(self, name: str, error: ApiError) -> None:
        super().__init__()
        self.name, self.error = name, error

    async def apply(self, kind: Kind[Any], body: dict[str, Any], **options: Any) -> Any:
        if body["metadata"]["name"] == self.name:
            raise self.error
        return await super().apply(kind, body, **options)

    async def merge_patch(self, _kind: Kind[Any], name: str, *_rest: Any, **_options: Any) -> Any:
        assert name == self.name
        raise self.error


def forbidden() -> ApiError:
    return Forbidden(403, "Forbidden", "no", doing="apply configmaps default/demo-7")


def actor_of(client: Any) -> Actor:
    etcd = FakeEtcd()
    etcd.runs = lambda member: member != DEAD
    outside = Outside(FakeEndpoint(), etcd, FakeStores(etcd), FakeRights())
    return Actor(cast(Client, client), outside, lambda _: Memory(), clock=HastyClock())


@pytest.mark.parametrize("error", [forbidden(), Invalid(422, "Invalid", "no", doing="apply configmaps default/demo-7")])
async def test_an_object_that_the_cell_refuses_holds_up_no_other_and_is_named(error: ApiError) -> None:
    client, seen = Refusing("demo-7", error), running(cluster())
    outcome = await actor_of(client).act(seen, some_of(seen))
    assert isinstance(outcome, Refused)
    assert (client.applied, len(outcome.versions)) == (MANY - 1, MANY - 1)
    assert "configmaps default/demo-7" in outcome.why
    assert outcome.is_forbidden == isinstance(error, Forbidden)


async def test_a_lease_that_nobody_could_renew_says_nothing_of_who_holds_it() -> None:
    memory, endpoint, clock, etcd = Memory(), FakeEndpoint(), ManualClock(), FakeEtcd()
    outside = Outside(endpoint, etcd, FakeStores(etcd), FakeRights())
    actor = Actor(cast(Client, None), outside, lambda _: memory, clock=clock)
    endpoint.leaders, endpoint.are_leaders_hung = {SCHEDULER: "scheduler-0_1"}, True
    old = []
    for failure in ("", "", "no answer", ""):
        endpoint.failure = failure
        await actor.act(running(cluster()), ProbeEndpoint())
        old.append([leader.stale_for.total_seconds() for leader in memory.leaders.values()])
        clock.step(60)
    assert old == [[0], [60], [], [0]]


async def test_where_the_cell_does_not_answer_the_whole_is_tried_again_soon() -> None:
    seen = running(cluster())
    with pytest.raises(ConnectionFailed):
        await actor_of(Refusing("demo-7", cast(ApiError, ConnectionFailed("gone")))).act(seen, some_of(seen))


class NoDeletions:
    """Plays a client of a cell in which nothing may be deleted, nor labelled."""

    def __init__(self, seen: Observed) -> None:
        self.seen = seen

    async def get(self, kind: Kind[Any], name: str, namespace: str = "") -> Any:
        meta = {"metadata": {"name": name, "namespace": namespace}}
        return self.seen.cluster if kind is CLUSTER else msgspec.convert(meta, kind.type)

    async def delete(self, *_what: Any, **_options: Any) -> Any:
        raise forbidden()

    async def merge_patch(self, *_what: Any, **_options: Any) -> Any:
        raise forbidden()


async def test_a_master_that_may_not_be_touched_is_told_and_holds_up_nothing_else() -> None:
    seen = running(cluster())
    for action in (LetGo("demo-kube-scheduler-0", "uid", "h0"), Isolate("demo-kube-apiserver-0", "uid", out=False)):
        assert isinstance(await actor_of(NoDeletions(seen)).act(seen, action), Refused)


class Letting:
    """Plays a client of a cell whose Cluster and host are like this; what is deleted is remembered."""

    def __init__(self, host: str = "", **spec: Any) -> None:
        self.cluster = cluster(**spec)
        self.host = host
        self.let_go: list[tuple[str, Any, Any]] = []

    async def get(self, kind: Kind[Any], name: str, namespace: str = "") -> Any:
        if kind is CLUSTER:
            return self.cluster
        if not self.host:
            raise NotFound(404, "NotFound")
        ready = {"conditions": [{"type": "Ready", "status": self.host}]}
        return msgspec.convert({"metadata": {"name": name}, "status": ready}, kind.type)

    async def delete(self, _kind: Any, name: str, _namespace: str, *, uid: str, grace_s: int) -> None:
        self.let_go.append((name, uid, grace_s))


async def test_a_pod_is_let_go_only_if_its_host_still_is_away_and_nobody_paused_anything() -> None:
    seen, action = running(cluster()), LetGo("demo-apiserver-0", "uid", "h0")
    for client in (Letting("True"), Letting(healing={"paused": True}), Letting(paused=True), Letting(deleted=True)):
        assert isinstance(await actor_of(client).act(seen, action), Progress)
        assert client.let_go == []
    for client in (Letting("False"), Letting("Unknown"), Letting()):
        assert await actor_of(client).act(seen, action) == DONE
        assert client.let_go == [("demo-apiserver-0", "uid", 0)]


async def test_a_member_whose_volume_may_not_go_keeps_its_pod() -> None:
    seen = replacing(ailing(DEAD))
    with pytest.raises(Forbidden):  # and so what comes after is not done
        await actor_of(NoDeletions(seen)).act(seen, Discard(PERSISTENT_VOLUME_CLAIM, f"data-{DEAD}", "uid"))
