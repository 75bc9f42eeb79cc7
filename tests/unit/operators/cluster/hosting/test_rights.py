"""What a package version grants a hosted operator becomes roles and bindings of one user, and nothing else does."""

from __future__ import annotations

from msgspec.structs import replace
from tests.support.clusters import package

from homeostat.api.cluster.hosted import HostedGrant
from homeostat.operators.cluster.hosting.rights import HOSTED_LABEL, digest, rights, user_of

READS = HostedGrant(verbs=("get", "list"), api_groups=("",), resources=("nodes",))
WRITES = HostedGrant(
    verbs=("create",), api_groups=("coordination.k8s.io",), resources=("leases",), namespace="kube-system"
)
LOOKS = HostedGrant(verbs=("get",), non_resource_urls=("/metrics",))


def test_what_holds_everywhere_is_a_cluster_role_and_what_holds_in_a_namespace_a_role_there() -> None:
    found = rights("sweeper", (READS, WRITES, LOOKS))
    assert [right.mark for right in found] == [
        ("ClusterRole", "", "homeostat:hosted:sweeper"),
        ("Role", "kube-system", "homeostat:hosted:sweeper"),
        ("ClusterRoleBinding", "", "homeostat:hosted:sweeper"),
        ("RoleBinding", "kube-system", "homeostat:hosted:sweeper"),
    ]
    everywhere, there, binding, _ = (right.body for right in found)
    assert everywhere["rules"] == [
        {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["nodes"]},
        {"verbs": ["get"], "nonResourceURLs": ["/metrics"]},
    ]
    assert there["rules"] == [{"verbs": ["create"], "apiGroups": ["coordination.k8s.io"], "resources": ["leases"]}]
    assert [each["name"] for each in binding["subjects"]] == [user_of("sweeper")]
    assert binding["roleRef"]["name"] == everywhere["metadata"]["name"]
    assert {right.body["metadata"]["labels"][HOSTED_LABEL] for right in found} == {"sweeper"}


def test_without_grants_there_is_nothing_to_bind() -> None:
    assert rights("sweeper", ()) == ()


def test_other_rights_have_another_digest() -> None:
    more = replace(READS, verbs=(*READS.verbs, "watch"))
    wanted = [{"sweeper": rights("sweeper", each)} for each in ((), (READS,), (more,), (READS, WRITES))]
    assert len({digest(each) for each in ({}, *wanted)}) == 5
    assert digest(wanted[1]) == digest({"sweeper": rights("sweeper", (READS,))})


def test_the_shipped_operator_may_read_nodes_and_hold_its_lease() -> None:
    shipped = package("v1.35.4-hosted").spec.component("homeostat")
    assert shipped is not None
    assert shipped.hosted is not None
    granted = rights(shipped.name, shipped.hosted.grants)
    marks = [(right.mark[0], right.mark[1], right.body.get("rules")) for right in granted]
    places = [(kind, namespace) for kind, namespace, rules in marks if rules]
    assert places == [("ClusterRole", ""), ("Role", "kube-system")]
    assert not any("*" in rule["verbs"] for _, _, rules in marks for rule in rules or ())
