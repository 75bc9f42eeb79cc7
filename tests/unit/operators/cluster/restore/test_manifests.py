"""The Pod that restores a member: three steps in a row, once, and no key of the store."""

from __future__ import annotations

import base64
import json

from msgspec.structs import replace
from tests.support.clusters import NOW
from tests.support.restoring import FORMER, ID, lost, restore

from homeostat.api.cluster.scaling import ClusterTopologyStatus, MemberChangeStatus
from homeostat.operators.cluster.components import made_of
from homeostat.operators.cluster.manifests import etcd
from homeostat.operators.cluster.manifests.shape import Inputs
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.restore import manifests
from homeostat.operators.cluster.restore.ports import Offer

OFFER = Offer("https://10.0.0.7:9444/snapshots/uid-demo", b"authority", "a-token", "0" * 64)
MEMBER = "demo-etcd-1"


def inputs(seen: Observed | None = None) -> Inputs:
    seen = seen or lost()
    return Inputs(seen.cluster, made_of(seen), seen.names, seen.endpoint, {"demo-etcd": "digest"})


def spec(**changes: object) -> dict[str, object]:
    made = manifests.pod(inputs(), MEMBER, restore(**changes), OFFER, "homeostat:1")  # type: ignore[arg-type]
    return dict(made.body["spec"])


def commands(**changes: object) -> dict[str, list[str]]:
    made = spec(**changes)
    containers = [*made["initContainers"], *made["containers"]]  # type: ignore[misc]
    return {each["name"]: each["command"] for each in containers}


def test_it_fetches_restores_and_places_in_this_order_and_is_never_restarted() -> None:
    assert list(commands()) == ["fetch", "restore", "place"]
    assert spec()["restartPolicy"] == "Never"


def test_etcdutl_knows_the_member_as_the_stateful_set_starts_it() -> None:
    flags = commands()["restore"]
    hosts = ",".join(f"demo-etcd-{n}=https://demo-etcd-{n}.demo-etcd.default.svc:2380" for n in range(3))
    assert flags[:4] == ["etcdutl", "snapshot", "restore", "/scratch/snapshot.db"]
    assert {
        "--data-dir=/var/lib/etcd/restored",
        "--name=demo-etcd-1",
        f"--initial-cluster={hosts}",
        f"--initial-cluster-token=uid-demo-1-{ID}",
        "--initial-advertise-peer-urls=https://demo-etcd-1.demo-etcd.default.svc:2380",
    } <= set(flags)


def test_a_member_that_is_about_to_join_is_none_of_the_restored_ones() -> None:
    joining = MemberChangeStatus(action="Join", member="demo-etcd-3", started_at=NOW)
    topology = ClusterTopologyStatus(complete="ha", members=3, replicas=2, zoned=True, change=joining)
    seen = lost()
    status = replace(seen.cluster.status, topology=topology)
    changing = inputs(replace(seen, cluster=replace(seen.cluster, status=status)))
    made = manifests.pod(changing, MEMBER, restore(), OFFER, "homeostat:1")
    (flag,) = [each for each in made.body["spec"]["initContainers"][1]["command"] if "--initial-cluster=" in each]
    assert "demo-etcd-3" in etcd.membership(changing).body["data"]["initial-cluster"]
    assert "demo-etcd-3" not in flag


def test_revisions_go_up_over_every_restore_and_watchers_are_told_to_list_anew() -> None:
    assert {"--bump-revision=1000000000", "--mark-compacted"} <= set(commands()["restore"])
    assert "--bump-revision=3000000000" in commands(number=3)["restore"]


def test_only_a_restore_of_the_cluster_itself_may_move_old_data_aside() -> None:
    assert "--old-data=aside" in commands()["place"]
    assert "--old-data=refuse" in commands(owner=FORMER)["place"]


def test_etcdutl_comes_from_the_very_image_that_etcd_will_run() -> None:
    made = {each["name"]: each["image"] for each in spec()["initContainers"]}  # type: ignore[attr-defined]
    assert made == {"fetch": "homeostat:1", "restore": "homeostat.local/etcd:3.6.16"}


def test_the_token_is_in_the_secret_and_nowhere_else() -> None:
    made = manifests.secret(inputs(), OFFER)
    assert base64.b64decode(made.body["data"]["token"]) == b"a-token"
    assert "a-token" not in repr(made) + repr(OFFER) + json.dumps(spec())


def test_another_offer_makes_another_pod() -> None:
    other = Offer(OFFER.url, b"another authority", OFFER.token, OFFER.sha256)
    assert OFFER.digest != other.digest
    made = manifests.pod(inputs(), MEMBER, restore(), OFFER, "homeostat:1")
    assert made.body["metadata"]["annotations"]["cluster.homeostat.dev/offer"] == OFFER.digest


def test_the_claim_is_the_one_that_the_stateful_set_would_make() -> None:
    made = manifests.claim(inputs(), MEMBER)
    (template,) = etcd.stateful_set(inputs()).body["spec"]["volumeClaimTemplates"]
    assert made.name == f"data-{MEMBER}"
    assert made.body["spec"] == template["spec"]
    assert template["metadata"]["labels"].items() <= made.body["metadata"]["labels"].items()


def test_members_of_a_cluster_in_zones_are_restored_in_zones_apart() -> None:
    rules = spec()["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in rules] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]  # type: ignore[attr-defined]
