"""How actions are carried out: many clusters at once never take more than a few connections to the cell."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import msgspec
from tests.support.clusters import cluster, running
from tests.support.granting import FakeRights
from tests.support.membership import FakeEtcd
from tests.support.operating import FakeEndpoint
from tests.support.scripted import HastyClock
from tests.support.stores import FakeStores

from homeostat.api.core import CONFIG_MAP
from homeostat.api.kind import Kind
from homeostat.kube.client import Client
from homeostat.operators.cluster.act import Actor
from homeostat.operators.cluster.actions import Apply
from homeostat.operators.cluster.manifests.shape import Desired
from homeostat.operators.cluster.observe import Memory, Observed
from homeostat.operators.cluster.ports import Outside

MANY = 30


class Counting:
    """Plays a client that takes its time over every apply, and counts how many it has at once."""

    def __init__(self) -> None:
        self.applied = self.at_once = self.most = 0

    async def get(self, kind: Kind[Any], name: str, namespace: str) -> Any:
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
    client, etcd = Counting(), FakeEtcd()
    outside = Outside(FakeEndpoint(), etcd, FakeStores(etcd), FakeRights())
    actor = Actor(cast(Client, client), outside, lambda _: Memory(), clock=HastyClock())
    seen = running(cluster())
    await asyncio.gather(*(actor.act(seen, some_of(seen)) for _ in range(4)))
    assert client.applied == 4 * MANY
    assert client.most == 8
