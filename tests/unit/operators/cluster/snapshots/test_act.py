"""Taking one snapshot: what became of every step, and what is left behind."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from msgspec.structs import replace
from tests.support.backups import FakeSource, backed_up
from tests.support.clock import ManualClock
from tests.support.clusters import NOW
from tests.support.snapshots import entry

from homeostat.api.cluster.certificates import ClusterRotations, ClusterRotationStatus
from homeostat.api.cluster.etcd import ClusterEtcdStatus
from homeostat.api.cluster.restoring import QuorumLossStatus
from homeostat.api.cluster.scaling import ClusterTopologyStatus
from homeostat.api.cluster.v1alpha1 import CLUSTER, Cluster
from homeostat.api.core import Secret
from homeostat.api.kind import Kind
from homeostat.kube.client import Client
from homeostat.operators.cluster.backup import errors
from homeostat.operators.cluster.backup.listing import Entry
from homeostat.operators.cluster.backup.manifest import ClusterRef, Encryption, Manifest, Taken, describe
from homeostat.operators.cluster.backup.ports import Progress, Room, unheard
from homeostat.operators.cluster.pki import states
from homeostat.operators.cluster.pki.authority import new_authorities
from homeostat.operators.cluster.pki.material import ENCRYPTION_KEY, NEXT, name_of, next_keys
from homeostat.operators.cluster.ports import EtcdRefused, Unreachable
from homeostat.operators.cluster.snapshots.act import Taker
from homeostat.operators.cluster.snapshots.decide import TakeSnapshot
from homeostat.operators.cluster.snapshots.outcomes import NotTaken, Took

ACTION = TakeSnapshot("Schedule", frozenset())
DAY = timedelta(days=1)


class Cell:
    """A client of a cell with one Cluster, which may be another one at every look, and its Secrets."""

    def __init__(self, *later: Cluster, entries: Mapping[str, bytes] | None = None) -> None:
        self._later = later
        names = ("etcd-ca.crt", "etcd-client.crt", "etcd-client.key")
        self._entries = {"demo-apiserver": dict.fromkeys(names, b"pem"), "demo-pki": entries or {}}

    async def get(self, kind: Kind[Any], name: str, namespace: str) -> Any:
        if kind is CLUSTER:
            return self._later[-1] if self._later else backed_up()
        data = {entry: b64encode(value).decode() for entry, value in self._entries[name].items()}
        return msgspec.convert({"metadata": {"name": name}, "data": data}, Secret)


class ScriptedStore:
    """A store that fails as it is told, call by call."""

    where = "store x"

    def __init__(self, **failures: list[Exception | None]) -> None:
        self._failures = failures
        self.listed: tuple[Entry, ...] = ()
        self.deleted: list[str] = []
        self.sizes: list[int] = []

    def _call(self, name: str) -> None:
        failures = self._failures.get(name, [])
        if failures and (failure := failures.pop(0)) is not None:
            raise failure

    async def probe(self) -> Room:
        self._call("probe")
        return Room(self.where, None)

    async def put(self, file: Path, taken: Taken, progress: Progress = unheard) -> Manifest:
        self.sizes.append(file.stat().st_size)
        self._call("put")
        return manifest(taken)

    async def list(self, cluster: ClusterRef) -> tuple[Entry, ...]:
        self._call("list")
        return self.listed

    async def manifest(self, cluster: ClusterRef, snapshot: str) -> Manifest:
        self._call("manifest")
        return manifest(Taken(cluster, "3.6.16", "v1.35.4", "v1.35.4", 1, NOW))

    async def fetch(self, cluster: ClusterRef, snapshot: str, target: Path, progress: Progress = unheard) -> Manifest:
        raise NotImplementedError

    async def delete(self, cluster: ClusterRef, snapshot: str) -> None:
        self._call("delete")
        self.deleted.append(snapshot)


def manifest(taken: Taken) -> Manifest:
    encryption = Encryption("age", "2026-01-01", "age1")
    return describe(taken, plain=(1, "a"), stored=(2, "b"), encryption=encryption, homeostat_version="0.1.0")


def gone(doing: str = "putting") -> errors.StoreUnreachable:
    return errors.StoreUnreachable(doing, "store x", "no answer")


async def take(
    tmp_path: Path, store: ScriptedStore, source: FakeSource | None = None, cluster: Cluster | None = None
) -> Took | NotTaken:
    taker = Taker(cast(Client, Cell()), source or FakeSource(), store, tmp_path, clock=ManualClock())
    outcome = await taker.take(cluster or backed_up(), ACTION)
    assert list(tmp_path.iterdir()) == [], "nothing plain is left behind"
    return outcome


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (errors.StoreFull, "StoreFull"),
        (errors.StoreRefused, "StoreRefused"),
        (errors.StoreUnreachable, "StoreUnreachable"),
        (errors.StoreWrong, "StoreWrong"),
        (errors.KeysUnusable, "KeysUnusable"),
    ],
)
async def test_a_store_in_trouble_is_told_by_its_reason_before_etcd_is_read(
    tmp_path: Path, kind: type[errors.StoreError], reason: str
) -> None:
    source = FakeSource()
    outcome = await take(tmp_path, ScriptedStore(probe=[kind("probing", "store x", "odd")]), source)
    assert isinstance(outcome, NotTaken)
    assert (outcome.reason, source.drawn) == (reason, 0)
    assert outcome.why == f"probing in store x: odd; {kind.REMEDY}"


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (Unreachable("no member is well"), "EtcdUnreachable"),
        (EtcdRefused("no"), "EtcdRefused"),
        (errors.LocalFileFailed("drawing", "/scratch", "no room"), "ScratchFailed"),
    ],
)
async def test_what_goes_wrong_on_our_side_is_told_too(tmp_path: Path, failure: Exception, reason: str) -> None:
    source = FakeSource()
    source.failure = failure
    outcome = await take(tmp_path, ScriptedStore(), source)
    assert isinstance(outcome, NotTaken)
    assert outcome.reason == reason


async def test_a_store_that_fills_up_on_the_way_is_told(tmp_path: Path) -> None:
    outcome = await take(tmp_path, ScriptedStore(put=[errors.StoreFull("putting", "store x", "no room")]))
    assert isinstance(outcome, NotTaken)
    assert outcome.reason == "StoreFull"


async def test_a_lost_answer_is_asked_for_again_with_the_same_snapshot(tmp_path: Path) -> None:
    store = ScriptedStore(put=[gone(), None])
    assert isinstance(await take(tmp_path, store), Took)
    assert len(store.sizes) == 2
    there = errors.AlreadyExists("putting", "store x", "it is there")
    assert isinstance(await take(tmp_path, ScriptedStore(put=[gone(), there])), Took)
    damaged = errors.SnapshotDamaged("reading", "store x", "cut off")
    outcome = await take(tmp_path, ScriptedStore(put=[gone(), there], manifest=[damaged]))
    assert isinstance(outcome, NotTaken)
    assert outcome.reason == "SnapshotFailed"


async def test_what_the_policy_does_not_keep_goes_and_the_rest_is_told(tmp_path: Path) -> None:
    store = ScriptedStore()
    store.listed = tuple(entry(days * DAY, revision=100 - days, now=NOW) for days in range(60))
    outcome = await take(tmp_path, store)
    assert isinstance(outcome, Took)
    assert outcome.listed is not None
    assert len(store.deleted) == 20, "the others go after the next one"
    assert {one.id for one in outcome.listed} == {one.id for one in store.listed} - set(store.deleted)
    assert store.listed[0].id not in store.deleted


async def test_a_snapshot_is_a_success_also_when_old_ones_cannot_be_deleted_or_listed(tmp_path: Path) -> None:
    refused = errors.StoreRefused("deleting", "store x", "not permitted")
    store = ScriptedStore(delete=[None, refused])
    store.listed = tuple(entry(days * DAY, revision=100 - days, now=NOW) for days in range(60))
    outcome = await take(tmp_path, store)
    assert isinstance(outcome, Took)
    assert outcome.listed is not None
    assert (len(store.deleted), len(outcome.listed)) == (1, 59)
    assert outcome.retention_failure.startswith("old snapshots are still there: deleting in store x: not permitted")
    outcome = await take(tmp_path, ScriptedStore(list=[gone("listing")]))
    assert isinstance(outcome, Took)
    assert outcome.listed is None


KEYS = new_authorities(NOW)
BOTH = KEYS | next_keys(states.ENCRYPTION_KEY, KEYS, NOW)
OLD, NEW = name_of(KEYS[ENCRYPTION_KEY]), name_of(BOTH[f"{NEXT}{ENCRYPTION_KEY}"])


def at(stage: str, *, is_wanted: bool = True) -> Cluster:
    """A Cluster in a state of a rotation of its encryption key; none is rest."""
    found = backed_up()
    wanted = ClusterRotations(encryption_key=int(is_wanted))
    going = ClusterRotationStatus(
        keys=states.ENCRYPTION_KEY, number=1, stage=stage, started_at=NOW, stage_started_at=NOW
    )
    return replace(
        found,
        spec=replace(found.spec, keys=replace(found.spec.keys, rotations=wanted)),
        status=replace(found.status, encryption_key=OLD, rotation=going if stage else None),
    )


@pytest.mark.parametrize(
    ("first", "then", "keys"),
    [
        (at(""), at(""), (OLD,)),
        (at(states.TRUSTING), at(states.TRUSTING), (OLD,)),
        (at(states.TRUSTING), at(states.USING), (OLD, NEW)),
        (at(states.USING), at(states.HOLDING), (NEW, OLD)),
        (at(states.HOLDING), at(states.DROPPING), (NEW, OLD)),
        (at(states.DROPPING), at(states.DROPPING), (NEW,)),
        (at(states.TRUSTING, is_wanted=False), at(states.ABANDONING, is_wanted=False), (OLD, NEW)),
    ],
    ids=["at rest", "known", "comes to be used", "used", "all written anew", "the old one goes", "taken back"],
)
async def test_it_names_all_keys_that_may_have_encrypted_while_it_was_drawn(
    tmp_path: Path, first: Cluster, then: Cluster, keys: tuple[str, ...]
) -> None:
    cell = cast(Client, Cell(then, entries=BOTH))
    taker = Taker(cell, FakeSource(), ScriptedStore(), tmp_path, clock=ManualClock())
    outcome = await taker.take(first, ACTION)
    assert isinstance(outcome, Took)
    assert outcome.manifest.secrets_keys == keys


def tall(**status: Any) -> Cluster:
    """A Cluster with three members of etcd, of whose data something is known."""
    known = backed_up()
    topology = ClusterTopologyStatus(complete="ha", members=3, replicas=2, zoned=True)
    return replace(known, status=replace(known.status, topology=topology, **status))


async def test_a_member_that_the_others_agree_against_is_not_drawn_from(tmp_path: Path) -> None:
    source = FakeSource()
    odd = ClusterEtcdStatus(deviating=("demo-etcd-1",))
    assert isinstance(await take(tmp_path, ScriptedStore(), source, tall(etcd=odd)), Took)
    assert sorted(source.asked) == ["demo-etcd-0", "demo-etcd-2"]
    await take(tmp_path, ScriptedStore(), source, tall(etcd=ClusterEtcdStatus()))
    assert len(source.asked) == 3


@pytest.mark.parametrize(
    "corrupt",
    [
        {"quorum_loss": QuorumLossStatus(since=NOW, corrupt=True)},
        {"etcd": ClusterEtcdStatus(alarms=("CORRUPT",))},
    ],
)
async def test_where_nobody_can_say_which_data_is_right_none_is_stored_and_none_goes(
    tmp_path: Path, corrupt: dict[str, Any]
) -> None:
    source, store = FakeSource(), ScriptedStore()
    store.listed = tuple(entry(day * DAY) for day in range(20))
    outcome = await take(tmp_path, store, source, tall(**corrupt))
    assert isinstance(outcome, NotTaken)
    assert (outcome.reason, source.drawn, store.deleted) == ("EtcdCorrupt", 0, [])
