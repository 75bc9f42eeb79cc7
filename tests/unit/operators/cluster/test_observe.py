"""What is seen of a cluster: its own objects only, edits at once, and the same with a memory or without."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, package

from homeostat.api.cluster.certificates import ClusterRotationStatus
from homeostat.api.cluster.network import ClusterEndpointStatus
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.api.core import (
    ConfigMap,
    Deployment,
    Node,
    PersistentVolumeClaim,
    Pod,
    PodDisruptionBudget,
    Secret,
    Service,
    StatefulSet,
)
from homeostat.operators.cluster.admission import ADDRESS_INDEX
from homeostat.operators.cluster.healing.seen import ServerSeen
from homeostat.operators.cluster.names import NAME_LABEL, UID_LABEL, labels, names_of
from homeostat.operators.cluster.observe import (
    OWNER_INDEX,
    Caches,
    KubeletsSeen,
    Memory,
    Observed,
    ProbeSeen,
    Rewriting,
    fingerprint,
    observe,
)
from homeostat.operators.cluster.pki.authority import new_authorities
from homeostat.operators.cluster.pki.leaves import leaves, make
from homeostat.operators.cluster.pki.material import material
from homeostat.runtime.store import Store

DEMO = cluster()
NAMES = names_of(DEMO)
ENDPOINT = ClusterEndpointStatus(host="10.100.1.1", port=6443)
SERVED = replace(DEMO, status=replace(DEMO.status, endpoint=ENDPOINT))
AUTHORITY = new_authorities(NOW)
KINDS = (
    *(Secret, Service, StatefulSet, Deployment, Pod),
    *(PersistentVolumeClaim, ConfigMap, PodDisruptionBudget),
)


def by_owner(obj: Any) -> list[str]:
    name = obj.metadata.labels.get(NAME_LABEL)
    return [f"{obj.metadata.namespace}/{name}"] if name else []


def caches(*objects: Any) -> Caches:
    """Stores that hold these objects, and the package version."""
    clusters: Store[Cluster] = Store({ADDRESS_INDEX: lambda one: [one.spec.endpoint.address]})
    owned: dict[type, Store[Any]] = {kind: Store({OWNER_INDEX: by_owner}) for kind in KINDS}
    packages: Store[Any] = Store()
    packages.put("v1.35.4", package())
    owned[Node] = Store()
    for obj in objects:
        store = clusters if isinstance(obj, Cluster) else owned[type(obj)]
        store.put(obj.metadata.key, obj)
    return Caches(clusters, packages, *owned.values())


def seen(*objects: Any, memory: Memory | None = None, now: datetime = NOW) -> Observed:
    known = memory or Memory()
    found = observe("default/demo", caches(*objects), lambda _uid: known, now)
    assert found is not None
    return found


def part(kind: type, name: str, *, of: Cluster = DEMO, version: str = "1", **content: Any) -> Any:
    """An object derived from a Cluster; content in the API's own words."""
    marks = labels(of, "x")
    metadata: dict[str, Any] = {"name": name, "namespace": "default", "uid": f"uid-{name}", "labels": marks}
    metadata |= {"resourceVersion": version, "generation": 1, **content.pop("metadata", {})}
    return msgspec.convert({"metadata": metadata, **content}, kind)


def secret(name: str, entries: dict[str, bytes], version: str = "1") -> Any:
    return part(Secret, name, version=version, data={key: b64encode(value).decode() for key, value in entries.items()})


def service(*addresses: str) -> Any:
    ingress = [{"ip": each} if each[0].isdigit() else {"hostname": each} for each in addresses]
    return part(Service, NAMES.apiserver, status={"loadBalancer": {"ingress": ingress}})


def secrets() -> list[Any]:
    made = [secret(leaf.name, make(leaf, material(AUTHORITY), NOW)) for leaf in leaves(SERVED, NAMES, ENDPOINT)]
    return [secret(NAMES.authority, AUTHORITY), *made]


SECRETS = secrets()


def test_a_cluster_that_is_gone_is_not_seen() -> None:
    assert observe("default/other", caches(DEMO), lambda _uid: Memory(), NOW) is None


def test_everything_of_a_cluster_is_seen() -> None:
    workloads = [part(StatefulSet, NAMES.etcd), part(Deployment, NAMES.apiserver)]
    others = [part(kind, "p") for kind in (Pod, PersistentVolumeClaim, ConfigMap, PodDisruptionBudget)]
    found = seen(SERVED, *SECRETS, service("10.100.1.1"), *workloads, *others)
    kinds = {"Secret", "Service", "StatefulSet", "Deployment", "ConfigMap", "PodDisruptionBudget"}
    assert {kind for kind, _ in found.live} == kinds
    assert set(found.workloads) == {NAMES.etcd, NAMES.apiserver}
    assert (len(found.pods), len(found.claims)) == (1, 1)
    assert found.authority.exists
    assert {(leaf.exists, leaf.damage) for leaf in found.leaves} == {(True, "")}
    assert set(found.packages) == {"v1.35.4"}


def test_what_is_seen_does_not_depend_on_the_order_in_which_the_caches_learned_it() -> None:
    objects = [part(Pod, name) for name in "dacbfe"]
    names = [[pod.metadata.name for pod in seen(DEMO, *order).pods] for order in (objects, objects[::-1])]
    assert names == [list("abcdef")] * 2


def test_what_is_left_of_a_former_cluster_of_the_same_name_is_not_its_own() -> None:
    former = replace(DEMO, metadata=replace(DEMO.metadata, uid="former"))
    left = [part(kind, f"{NAMES.cluster}-{kind.__name__.lower()}", of=former) for kind in KINDS]
    found = seen(DEMO, *left)
    assert replace(found, foreign_claims=()) == seen(DEMO)
    assert found.foreign_claims == ("demo-persistentvolumeclaim",)


def test_the_versions_of_kubelets_are_known_for_a_minute() -> None:
    known = Memory(kubelets=KubeletsSeen(NOW, frozenset({"v1.34.4"}), DEMO.metadata.generation))
    assert seen(DEMO, memory=known).kubelets == frozenset({"v1.34.4"})
    assert seen(DEMO, memory=known, now=NOW + timedelta(seconds=61)).kubelets is None
    assert seen(DEMO).kubelets is None


def test_what_kubelets_were_before_the_declaration_changed_says_nothing_about_a_new_wish() -> None:
    known = Memory(kubelets=KubeletsSeen(NOW, frozenset({"v1.34.4"}), DEMO.metadata.generation))
    changed = replace(DEMO, metadata=replace(DEMO.metadata, generation=DEMO.metadata.generation + 1))
    assert seen(changed, memory=known).kubelets is None
    assert not seen(changed, memory=known).kubelets_due


@pytest.mark.parametrize(
    ("wanted", "given", "host"),
    [
        ("", (), None),
        ("", ("10.100.1.7",), "10.100.1.7"),
        ("", ("api.example.org",), "api.example.org"),
        ("10.100.1.9", ("10.100.1.7",), None),
        ("10.100.1.9", ("10.100.1.7", "10.100.1.9"), "10.100.1.9"),
    ],
)
def test_the_endpoint_is_what_the_balancer_gave_if_it_is_what_was_asked_for(
    wanted: str, given: tuple[str, ...], host: str | None
) -> None:
    declared = cluster(endpoint={"address": wanted} if wanted else {})
    found = seen(declared, service(*given)).endpoint
    assert (found.host if found else None) == host


def test_an_endpoint_once_given_stays_whatever_a_balancer_says_later() -> None:
    assert seen(SERVED, service("10.100.1.99")).endpoint == ENDPOINT


def asking(name: str, created: str, namespace: str = "default") -> Cluster:
    one = cluster(name, endpoint={"address": "10.100.1.9"})
    at = datetime.fromisoformat(created).replace(tzinfo=UTC)
    return replace(one, metadata=replace(one.metadata, creation_timestamp=at, namespace=namespace))


def test_of_those_who_ask_for_an_address_every_older_one_is_a_rival() -> None:
    demo, older, younger = (
        asking("demo", "2026-01-02"),
        asking("old", "2026-01-01", "elsewhere"),
        asking("new", "2026-01-03"),
    )
    assert seen(demo, older, younger).rival == "elsewhere/old"
    assert seen(demo, younger).rival == ""
    assert seen(DEMO, older, younger).rival == ""


def test_whoever_has_an_address_keeps_it_also_from_one_that_was_made_in_the_same_second() -> None:
    other = asking("other", "2026-01-01")
    for uid in ("a", "zz"):
        demo = asking("demo", "2026-01-01")
        demo = replace(demo, metadata=replace(demo.metadata, uid=uid))
        endpoint = ClusterEndpointStatus(host=other.spec.endpoint.address, port=6443)
        assert seen(demo, replace(other, status=replace(other.status, endpoint=endpoint))).rival == "default/other"


@given(st.permutations(["demo", "a", "z"]), st.sampled_from(["2026-01-01", "2026-01-02"]))
def test_exactly_one_of_equals_has_no_rival(names: list[str], created: str) -> None:
    equals = [asking(name, created) for name in names]
    known = caches(*equals)
    found = [observe(each.metadata.key, known, lambda _uid: Memory(), NOW) for each in equals]
    assert [each.rival for each in found if each is not None].count("") == 1


@pytest.mark.parametrize(
    "edit",
    [
        {"metadata": {"generation": 2}},
        {"metadata": {"uid": "another"}},
        {"metadata": {"labels": {**labels(DEMO, "x"), UID_LABEL: "other"}}},
        {"metadata": {"labels": {}}},
        {"metadata": {"annotations": {"cluster.homeostat.dev/digest": "1"}}},
        {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "x", "uid": "x"}]}},
        {"spec": {"type": "NodePort"}},
        {"spec": {"ports": [{"port": 1}]}},
        {"spec": {"selector": {"a": "b"}}},
    ],
    ids=str,
)
def test_an_edit_of_what_we_declare_changes_the_fingerprint(edit: dict[str, Any]) -> None:
    assert fingerprint(part(Service, "s", **edit)) != fingerprint(part(Service, "s"))


@pytest.mark.parametrize(
    "edit",
    [
        {"metadata": {"resourceVersion": "99"}},
        {"metadata": {"labels": {**labels(DEMO, "x"), "example.org/team": "red"}}},
        {"metadata": {"annotations": {"deployment.kubernetes.io/revision": "3"}}},
        {"status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}},
    ],
    ids=str,
)
def test_status_and_marks_of_others_do_not(edit: dict[str, Any]) -> None:
    assert fingerprint(part(Service, "s", **edit)) == fingerprint(part(Service, "s"))


def test_the_memory_only_saves_work() -> None:
    known = Memory()
    first = seen(SERVED, *SECRETS, memory=known)
    assert known.verdicts
    assert seen(SERVED, *SECRETS, memory=known) == first == seen(SERVED, *SECRETS)


def test_what_was_applied_and_probed_last_is_remembered() -> None:
    known = Memory(applied={("Service", "demo-etcd"): ("digest", "print")}, probed=ProbeSeen(NOW, "v1.35.4"))
    found = seen(DEMO, memory=known)
    assert (found.applied, found.probed) == (known.applied, known.probed)
    known.applied.clear()
    assert found.applied, "a snapshot does not change"


def test_what_stops_the_writing_of_secrets_is_seen_in_the_stage_that_it_belongs_to() -> None:
    going = ClusterRotationStatus(keys="encryptionKey", number=1, stage="Holding", started_at=NOW, stage_started_at=NOW)
    rotating = replace(DEMO, status=replace(DEMO.status, rotation=going))
    memory = Memory(rewriting=Rewriting(going, stuck="denied"))
    assert (seen(rotating, memory=memory).rewriting_stuck, seen(rotating, memory=memory).rewritten) == ("denied", False)
    back = replace(rotating, status=replace(rotating.status, rotation=replace(going, stage="Trusting")))
    assert seen(back, memory=memory).rewriting_stuck == ""
    assert seen(DEMO, memory=Memory(rewriting=Rewriting(going, is_done=True))).rewritten is False


def test_a_secret_is_judged_anew_when_it_changes_and_when_a_day_has_passed() -> None:
    known = Memory()
    assert not any(leaf.damage for leaf in seen(SERVED, *SECRETS, memory=known).leaves)
    garbage = [one for one in SECRETS if one.metadata.name != NAMES.etcd] + [secret(NAMES.etcd, {}, version="2")]
    damages = {leaf.leaf.name: leaf.damage for leaf in seen(SERVED, *garbage, memory=known).leaves if leaf.damage}
    assert damages == {NAMES.etcd: "server.crt is missing"}
    later = seen(SERVED, *SECRETS, memory=known, now=NOW + timedelta(days=366))
    assert {leaf.damage.partition(" runs out on ")[2] for leaf in later.leaves} == {"2027-01-01"}


def test_with_damaged_authorities_nothing_else_is_blamed() -> None:
    broken = secret(NAMES.authority, {**AUTHORITY, "ca.key": b"x"}, version="2")
    found = seen(SERVED, broken, *SECRETS[1:])
    assert found.authority.damage == "ca.key is not a private key in PEM"
    assert {leaf.damage for leaf in found.leaves} == {""}


def test_authorities_that_were_replaced_make_every_leaf_a_stranger() -> None:
    found = seen(SERVED, secret(NAMES.authority, new_authorities(NOW), version="2"), *SECRETS[1:])
    assert all(leaf.damage for leaf in found.leaves)


@settings(max_examples=20)
@given(st.dictionaries(st.sampled_from(["server.crt", "server.key", "kubeconfig", "x"]), st.text(max_size=20)))
def test_no_content_of_a_secret_hides_its_cluster(data: dict[str, str]) -> None:
    rest = [one for one in SECRETS if one.metadata.name not in (NAMES.etcd, NAMES.admin)]
    found = seen(SERVED, *rest, *(part(Secret, name, data=data) for name in (NAMES.etcd, NAMES.admin)))
    assert {leaf.leaf.name for leaf in found.leaves if leaf.damage} == {NAMES.etcd, NAMES.admin}


def test_a_cluster_has_begun_when_data_can_exist() -> None:
    assert not seen(DEMO).is_begun
    assert seen(DEMO, part(PersistentVolumeClaim, "c")).is_begun
    assert seen(DEMO, part(StatefulSet, NAMES.etcd)).is_begun
    assert seen(replace(DEMO, status=replace(DEMO.status, ready_at=NOW))).is_begun


def test_what_is_being_deleted_is_seen_as_such() -> None:
    going = part(Deployment, NAMES.apiserver, metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    assert seen(DEMO, going).live["Deployment", NAMES.apiserver].deleting


def test_after_the_clock_was_set_back_nothing_is_believed_that_was_remembered_by_it() -> None:
    ahead = NOW + timedelta(days=1)
    known = Memory(
        applied={("Service", "demo-etcd"): ("digest", "print")},
        probed=ProbeSeen(ahead, "v1.35.4"),
        unready={"demo-etcd-0": ahead},
        servers={"uid": ServerSeen(ahead, "no answer")},
    )
    first = observe("default/demo", caches(DEMO), lambda _uid: known, ahead)
    assert first is not None
    assert first.probed is not None
    seen = observe("default/demo", caches(DEMO), lambda _uid: known, NOW)
    assert seen is not None
    assert (seen.probed, seen.servers, known.unready) == (None, {}, {})
    assert seen.applied == known.applied != {}


def test_what_kubelets_tell_counts_from_when_it_was_heard_but_at_the_first_look() -> None:
    known, told = Memory(), NOW - timedelta(minutes=10)
    condition = {"type": "Ready", "status": "False", "lastTransitionTime": told.isoformat()}
    first, second = (part(Pod, name, status={"conditions": [condition]}) for name in ("first", "second"))
    assert seen(DEMO, first, memory=known).since(first, told) == told
    later = NOW + timedelta(seconds=5)
    found = seen(DEMO, first, second, memory=known, now=later)
    assert [found.since(each, told) for each in (first, second)] == [told, later]
    back = seen(DEMO, first, second, memory=known, now=NOW - timedelta(hours=1))  # the clock was set back
    assert back.since(second, told) == NOW - timedelta(hours=1)


def test_a_clock_that_is_adjusted_by_a_second_costs_no_question() -> None:
    known = Memory(probed=ProbeSeen(NOW, "v1.35.4"))
    for now in (NOW, NOW - timedelta(seconds=1)):
        seen = observe("default/demo", caches(DEMO), lambda _uid: known, now)
        assert seen is not None
        assert seen.probed == ProbeSeen(NOW, "v1.35.4")
