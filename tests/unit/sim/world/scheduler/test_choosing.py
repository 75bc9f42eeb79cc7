"""A Pod stands where its terms let it, on the best of such Nodes, and is told of each Node why not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from tests.support.placing import Cluster, away_from, node, pod, spread

from homeostat.sim.world.kinds.volumes import BOUND, Claim, PersistentVolume, StorageClass
from homeostat.sim.world.scheduler.asking import HOST, ZONE
from homeostat.sim.world.scheduler.choosing import Chosen, Unfit

WEB = {"app": "web"}


def test_pods_fill_the_emptier_node_first() -> None:
    cluster = Cluster(node("n1"), node("n2"))
    cluster.place(pod("a", cpu="1", memory="1Gi"), on="n1")
    assert cluster.place(pod("b", cpu="1", memory="1Gi")) == "n2"


def test_a_node_without_room_for_cpu_memory_or_pods_is_refused_by_name_of_what_it_lacks() -> None:
    cluster = Cluster(node("n1", cpu="1", memory="1Gi", pods=1))
    cluster.place(pod("a", cpu="500m"), on="n1")
    assert cluster.reasons(pod("b", cpu="600m", memory="2Gi")) == {
        "Insufficient cpu": 1,
        "Insufficient memory": 1,
        "Too many pods": 1,
    }


def test_extended_resources_count() -> None:
    cluster = Cluster(node("n1", has={"example.com/gpu": "1"}), node("n2"))
    assert cluster.place(pod("a", asks={"example.com/gpu": "1"})) == "n1"
    assert cluster.reasons(pod("b", asks={"example.com/gpu": "1"})) == {"Insufficient example.com/gpu": 2}


def test_init_containers_need_room_one_after_the_other_beside_those_that_stay() -> None:
    cluster = Cluster(node("n1", cpu="2"))
    body = pod("a", cpu="500m")
    stays = {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "500m"}}}
    first = {"name": "i", "resources": {"requests": {"cpu": "1600m"}}}
    body["spec"]["initContainers"] = [first]
    assert cluster.reasons(body) == {}
    body["spec"]["initContainers"] = [stays, first]
    assert cluster.reasons(body) == {"Insufficient cpu": 1}


def test_cordoned_tainted_and_unselected_nodes_are_told_apart() -> None:
    taint = {"key": "dedicated", "value": "db", "effect": "NoSchedule"}
    cluster = Cluster(node("n1", unschedulable=True), node("n2", taints=[taint]), node("n3"))
    assert cluster.reasons(pod("a", nodeSelector={"disk": "ssd"})) == {
        "node(s) were unschedulable": 1,
        "node(s) had untolerated taint(s)": 1,
        "node(s) didn't match Pod's node affinity/selector": 1,
    }
    bears = {"key": "dedicated", "operator": "Equal", "value": "db"}
    wants = {"nodeAffinity": _required({"key": HOST, "operator": "In", "values": ["n2"]})}
    assert cluster.place(pod("b", tolerations=[bears], affinity=wants)) == "n2"


def test_one_of_several_node_terms_is_enough_and_an_empty_one_chooses_nothing() -> None:
    cluster = Cluster(node("n1", labels={"speed": "7"}), node("n2", labels={"speed": "20"}))
    faster = {"key": "speed", "operator": "Gt", "values": ["10"]}
    assert cluster.place(pod("a", affinity={"nodeAffinity": _required(faster)})) == "n2"
    nothing: dict[str, Any] = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}]}}
    assert sum(cluster.reasons(pod("b", affinity={"nodeAffinity": nothing})).values()) == 2


def test_a_pod_that_names_its_node_is_not_compared_with_others() -> None:
    cluster = Cluster(*(node(f"n{at}", cpu="1") for at in range(3)))
    field = {"key": "metadata.name", "operator": "In", "values": ["n1"]}
    named = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": [field]}]}}
    assert cluster.place(pod("a", cpu="1", affinity={"nodeAffinity": named})) == "n1"
    assert cluster.reasons(pod("b", cpu="1", affinity={"nodeAffinity": named})) == {
        "Insufficient cpu": 1,
        "node(s) didn't satisfy plugin(s) [NodeAffinity]": 2,
    }


def test_a_preferred_node_is_taken_unless_it_is_full() -> None:
    cluster = Cluster(node("n1"), node("n2"))
    elsewhere = {"matchExpressions": [{"key": HOST, "operator": "NotIn", "values": ["n1"]}]}
    rule = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": elsewhere}]}
    body = pod("a", cpu="3", affinity={"nodeAffinity": rule})
    assert cluster.place(body) == "n2"
    assert cluster.place({**body, "metadata": {**body["metadata"], "name": "b"}}) == "n1"


def test_pods_that_keep_apart_take_one_node_each_and_then_none() -> None:
    cluster = Cluster(node("n1"), node("n2"))
    found = [cluster.place(pod(name, labels=WEB, affinity=away_from(WEB))) for name in "ab"]
    assert sorted(found) == ["n1", "n2"]
    assert cluster.reasons(pod("c", labels=WEB, affinity=away_from(WEB))) == {
        "node(s) didn't match pod anti-affinity rules": 2
    }


def test_who_stands_there_may_keep_others_away() -> None:
    cluster = Cluster(node("n1"))
    cluster.place(pod("a", affinity=away_from(WEB)), on="n1")
    assert cluster.reasons(pod("b", labels=WEB)) == {"node(s) didn't satisfy existing pods anti-affinity rules": 1}
    cluster.estate.let_go("default/a")
    assert cluster.place(pod("b", labels=WEB)) == "n1"


def test_the_first_of_a_kind_may_stand_anywhere_and_others_stand_in_its_zone() -> None:
    cluster = Cluster(node("n1", zone="a"), node("n2", zone="b"), node("n3", zone="b"), node("n4", zone=""))
    near = away_from(WEB, ZONE, "podAffinity")
    cluster.place(pod("a", labels=WEB, affinity=near), on="n2")
    assert {cluster.place(pod(name, labels=WEB, affinity=near)) for name in "bcd"} <= {"n2", "n3"}
    assert cluster.reasons(pod("e", affinity=away_from({"app": "db"}, ZONE, "podAffinity"))) == {
        "node(s) didn't match pod affinity rules": 4
    }


def test_terms_reach_into_namespaces_that_are_chosen_by_label() -> None:
    cluster = Cluster(node("n1"), node("n2"))
    other = pod("a", labels=WEB)
    other["metadata"]["namespace"] = "shop"
    cluster.estate.put_namespace("shop", {"team": "shop"})
    cluster.place(other, on="n1")
    rule = away_from(WEB)
    assert cluster.choose(pod("b", affinity=rule)) in (Chosen("n1"), Chosen("n2"))
    term = rule["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0]
    term["namespaceSelector"] = {"matchLabels": {"team": "shop"}}
    assert cluster.place(pod("b", affinity=rule)) == "n2"


def test_three_members_stand_in_three_zones_and_a_fourth_waits_when_two_are_full() -> None:
    nodes = [node(f"n{zone}", zone=zone, cpu="1") for zone in "abc"]
    cluster = Cluster(*nodes)
    rule = [spread(WEB)]
    found = {cluster.place(pod(f"p{at}", labels=WEB, cpu="600m", topologySpreadConstraints=rule)) for at in range(3)}
    assert found == {"na", "nb", "nc"}
    cluster.put(node("na", zone="a", cpu="4"))
    cluster.estate.let_go("default/p0")
    fourth = pod("p4", labels=WEB, cpu="600m", topologySpreadConstraints=rule)
    assert cluster.place(fourth) != ""


def test_a_domain_that_has_too_many_is_refused_and_a_node_without_the_label_for_good() -> None:
    cluster = Cluster(node("n1", zone="a"), node("n2", zone="b", cpu="0"), node("n3", zone=""))
    cluster.place(pod("a", labels=WEB), on="n1")
    assert cluster.reasons(pod("b", labels=WEB, cpu="1", topologySpreadConstraints=[spread(WEB)])) == {
        "node(s) didn't match pod topology spread constraints": 1,
        "Insufficient cpu": 1,
        "node(s) didn't match pod topology spread constraints (missing required label)": 1,
    }


def test_only_pods_of_the_same_revision_are_kept_apart() -> None:
    cluster = Cluster(node("n1"), node("n2"))
    old, new = {**WEB, "pod-template-hash": "1"}, {**WEB, "pod-template-hash": "2"}
    rule = spread(WEB, HOST, matchLabelKeys=["pod-template-hash"])
    cluster.place(pod("a", labels=old), on="n1")
    cluster.place(pod("b", labels=new), on="n2")
    assert cluster.place(pod("c", labels=new, topologySpreadConstraints=[rule])) == "n1"


def test_too_few_domains_count_as_an_empty_one() -> None:
    cluster = Cluster(node("n1", zone="a"))
    cluster.place(pod("a", labels=WEB), on="n1")
    body = pod("b", labels=WEB, topologySpreadConstraints=[spread(WEB)])
    assert cluster.reasons(body) == {}
    body = pod("b", labels=WEB, topologySpreadConstraints=[spread(WEB, minDomains=2)])
    assert cluster.reasons(body) == {"node(s) didn't match pod topology spread constraints": 1}


def test_tainted_nodes_are_domains_unless_taints_are_honoured() -> None:
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    cluster = Cluster(node("n1", zone="a"), node("n2", zone="b", taints=[taint]))
    cluster.place(pod("a", labels=WEB), on="n1")
    body = pod("b", labels=WEB, topologySpreadConstraints=[spread(WEB)])
    assert "node(s) didn't match pod topology spread constraints" in cluster.reasons(body)
    body = pod("b", labels=WEB, topologySpreadConstraints=[spread(WEB, nodeTaintsPolicy="Honor")])
    assert cluster.place(body) == "n1"


def test_pods_that_are_about_to_go_do_not_count_for_evenness() -> None:
    cluster = Cluster(node("n1"))
    going = pod("a", labels=WEB)
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    cluster.place(going, on="n1")
    rule = spread(WEB, HOST, minDomains=2)
    assert cluster.place(pod("b", labels=WEB, topologySpreadConstraints=[rule])) == "n1"


def test_replicas_of_one_owner_stand_apart_when_nobody_says_otherwise() -> None:
    cluster = Cluster(*(node(f"n{at}", zone=zone) for at, zone in enumerate("abc")))
    found = {cluster.place(pod(f"p{at}", labels=WEB, owner="web")) for at in range(3)}
    assert found == {"n0", "n1", "n2"}


def test_a_port_of_a_host_is_given_once_for_each_address() -> None:
    cluster = Cluster(node("n1"))
    cluster.place(pod("a", ports=[{"containerPort": 80, "hostPort": 80, "hostIP": "10.0.0.1"}]), on="n1")
    taken = {"node(s) didn't have free ports for the requested pod ports": 1}
    assert cluster.reasons(pod("b", ports=[{"containerPort": 80, "hostPort": 80}])) == taken
    assert cluster.reasons(pod("c", ports=[{"containerPort": 80, "hostPort": 80, "hostIP": "10.0.0.2"}])) == {}


def test_a_bound_volume_ties_its_pod_to_where_it_is() -> None:
    cluster = Cluster(node("n1"), node("n2"))
    _volume(cluster, "v", on="n2", claim="data")
    body = pod("a", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])
    assert cluster.place(body) == "n2"
    cluster.estate.drop_node("n2")
    assert cluster.reasons(body) == {"node(s) didn't match PersistentVolume's node affinity": 1}


def test_a_claim_that_waits_gets_a_free_volume_where_its_pod_fits_or_one_that_is_made_there() -> None:
    cluster = Cluster(node("n1", cpu="0"), node("n2"))
    _class(cluster, "local")
    _claim(cluster, "data", "local")
    body = pod("a", cpu="1", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])
    found = cluster.choose(body)
    assert isinstance(found, Chosen)
    assert [(each.claim.metadata.name, each.volume) for each in found.promises] == [("data", "")]
    _volume(cluster, "big", on="n2", size="5Gi")
    _volume(cluster, "small", on="n2", size="2Gi")
    _volume(cluster, "far", on="n1", size="1Gi")
    found = cluster.choose(body)
    assert isinstance(found, Chosen)
    assert [each.volume for each in found.promises] == ["small"]


def test_claims_that_are_not_there_or_must_be_bound_before_are_told_without_looking_at_nodes() -> None:
    cluster = Cluster(node("n1"))
    body = pod("a", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])
    found = cluster.choose(body)
    assert isinstance(found, Unfit)
    assert found.unready == 'persistentvolumeclaim "data" not found'
    _class(cluster, "fast", waits=False)
    _claim(cluster, "data", "fast")
    found = cluster.choose(body)
    assert isinstance(found, Unfit)
    assert found.unready == "pod has unbound immediate PersistentVolumeClaims"


def _required(expression: Mapping[str, object]) -> dict[str, object]:
    terms = [{"matchExpressions": [expression]}]
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}


def _volume(cluster: Cluster, name: str, *, on: str, claim: str = "", size: str = "1Gi") -> None:
    affinity = {"required": _required_of_volume(on)}
    spec = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "storageClassName": "local"}
    volume = {"metadata": {"name": name}, "spec": {**spec, "nodeAffinity": affinity}}
    cluster.shelf.volumes[name] = msgspec.convert(volume, PersistentVolume)
    if claim:
        meta = {"name": claim, "namespace": "default", "annotations": {BOUND: "yes"}}
        bound = {"metadata": meta, "spec": {"volumeName": name}}
        cluster.shelf.claims[f"default/{claim}"] = msgspec.convert(bound, Claim)


def _required_of_volume(on: str) -> dict[str, object]:
    return {"nodeSelectorTerms": [{"matchExpressions": [{"key": HOST, "operator": "In", "values": [on]}]}]}


def _claim(cluster: Cluster, name: str, class_: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": class_, "resources": {"requests": {"storage": "1Gi"}}}
    claim = {"metadata": {"name": name, "namespace": "default"}, "spec": spec}
    cluster.shelf.claims[f"default/{name}"] = msgspec.convert(claim, Claim)


def _class(cluster: Cluster, name: str, *, waits: bool = True) -> None:
    mode = "WaitForFirstConsumer" if waits else "Immediate"
    body = {"metadata": {"name": name}, "provisioner": "example.com/local", "volumeBindingMode": mode}
    cluster.shelf.classes[name] = msgspec.convert(body, StorageClass)
