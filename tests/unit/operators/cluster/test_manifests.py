"""What masters are made of: every part fits the others, and none may do more than it must."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clusters import ADDRESS, NOW, cluster, package

from homeostat.api.cluster.healing import ClusterHealingStatus, MemberReplacementStatus
from homeostat.api.cluster.masters import ETCD
from homeostat.api.cluster.network import ClusterEndpointStatus
from homeostat.api.cluster.v1alpha1 import ClusterPackageVersionSpec
from homeostat.operators.cluster.manifests import apiserver, audit, controllers, etcd
from homeostat.operators.cluster.manifests.owned import owned
from homeostat.operators.cluster.manifests.shape import SECRETS, Desired, Inputs, digest_of
from homeostat.operators.cluster.names import COMPONENT_LABEL, NAME_LABEL, UID_LABEL, names_of
from homeostat.operators.cluster.pki.authority import new_authorities
from homeostat.operators.cluster.pki.leaves import leaves, make
from homeostat.operators.cluster.pki.material import material

ENDPOINT = ClusterEndpointStatus(host=ADDRESS, port=6443)
AUTHORITY = material(new_authorities(NOW))
LEAVES = {leaf.name: leaf for leaf in leaves(cluster(), names_of(cluster()), ENDPOINT)}
SECRET_ENTRIES = {name: set(make(leaf, AUTHORITY, NOW)) for name, leaf in LEAVES.items()}
WORKLOADS = ("demo-etcd", "demo-apiserver", "demo-controller-manager", "demo-scheduler")


def inputs(host: str = ADDRESS, spec: ClusterPackageVersionSpec | None = None, **declared: Any) -> Inputs:
    of = cluster(**declared)
    endpoint = ClusterEndpointStatus(host=host, port=6443) if host else None
    components = {each.name: each for each in (spec or package().spec).components}
    return Inputs(of, components, names_of(of), endpoint, dict.fromkeys(WORKLOADS, "digest"))


def workloads(given: Inputs) -> list[Desired]:
    return [
        etcd.stateful_set(given),
        apiserver.deployment(given),
        controllers.controller_manager(given),
        controllers.scheduler(given),
    ]


def everything(given: Inputs) -> list[Desired]:
    found_by = [etcd.service(given), etcd.client_service(given), etcd.membership(given), apiserver.service(given)]
    return [*found_by, etcd.budget(given), apiserver.budget(given), *workloads(given)]


def template(desired: Desired) -> dict[str, Any]:
    found: dict[str, Any] = desired.body["spec"]["template"]
    return found


def container(desired: Desired) -> dict[str, Any]:
    (found,) = template(desired)["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def flags(desired: Desired) -> dict[str, str]:
    return dict(argument[2:].split("=", 1) for argument in container(desired)["command"][1:])


def members(given: Inputs) -> dict[str, str]:
    """Name and peer URL of every member that etcd is told of."""
    return dict(each.split("=", 1) for each in etcd.membership(given).body["data"]["initial-cluster"].split(","))


def test_every_object_is_marked_owned_and_told_from_the_others() -> None:
    made = everything(inputs())
    assert len({(each.kind.resource.kind, each.name) for each in made}) == 10
    for each in made:
        metadata = each.body["metadata"]
        assert metadata["labels"][UID_LABEL] == "uid-demo"
        assert metadata["labels"][COMPONENT_LABEL] == each.component
        assert [owner["uid"] for owner in metadata["ownerReferences"]] == ["uid-demo"]
        assert metadata["namespace"] == "default"
        assert repr(each) == f"Desired({each.kind.resource.kind} {each.name})"


@pytest.mark.parametrize("each", workloads(inputs()), ids=lambda each: each.name)
def test_every_file_that_a_master_is_told_to_read_is_in_its_secret(each: Desired) -> None:
    pod = template(each)["spec"]
    keys, *others = pod["volumes"]
    there = {f"{SECRETS}/{entry}" for entry in SECRET_ENTRIES[keys["secret"]["secretName"]]}
    for volume in others:
        assert volume["configMap"]["name"] == audit.policies(inputs()).name
        there |= {f"{audit.PLACE}/{file}" for file in audit.policies(inputs()).body["data"]}
    read = {value for value in flags(each).values() if value.startswith("/")} - {f"{etcd.DATA}/data"}
    assert read <= there
    mounted = {mount["name"]: mount["mountPath"] for mount in container(each)["volumeMounts"]}
    assert mounted["pki"] == SECRETS
    assert template(each)["metadata"]["annotations"]["cluster.homeostat.dev/secret-digest"] == "digest"


@pytest.mark.parametrize("each", workloads(inputs()), ids=lambda each: each.name)
def test_every_master_runs_as_nobody_and_may_do_nothing_to_its_host(each: Desired) -> None:
    pod, one = template(each)["spec"], container(each)
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)


@pytest.mark.parametrize("each", workloads(inputs()), ids=lambda each: each.name)
def test_every_master_is_started_watched_and_selected(each: Desired) -> None:
    one = container(each)
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(one)
    chosen = each.body["spec"]["selector"]["matchLabels"]
    assert chosen.items() <= template(each)["metadata"]["labels"].items()
    assert UID_LABEL in chosen
    assert one["image"] == next(part.image for part in package().spec.components if part.name == each.component)


def test_services_lead_to_the_pods_of_their_component() -> None:
    given = inputs()
    for service, workload in (
        (etcd.service(given), etcd.stateful_set(given)),
        (apiserver.service(given), apiserver.deployment(given)),
    ):
        assert service.body["spec"]["selector"].items() <= template(workload)["metadata"]["labels"].items()
        open_ports = {port["containerPort"] for port in container(workload)["ports"]}
        assert {port["targetPort"] for port in service.body["spec"]["ports"]} <= open_ports
    assert etcd.stateful_set(given).body["spec"]["serviceName"] == etcd.service(given).name


def test_masters_call_each_other_by_names_that_certificates_bear() -> None:
    given = inputs()
    (_, etcd_serving), (_, etcd_peer) = LEAVES["demo-etcd"].pairs
    asked = flags(apiserver.deployment(given))["etcd-servers"].removeprefix("https://").partition(":")[0]
    assert asked in etcd_serving.dns_names
    for host in members(given).values():
        assert host.removeprefix("https://").partition(":")[0] in etcd_peer.dns_names
    served = dict(LEAVES["demo-apiserver"].pairs)["serving"]
    for name in ("demo-controller-manager", "demo-scheduler"):
        kubeconfig = LEAVES[name].kubeconfig
        assert kubeconfig is not None
        assert kubeconfig.server.removeprefix("https://").partition(":")[0] in served.dns_names


def test_etcd_finds_itself_in_its_first_cluster() -> None:
    found = flags(etcd.stateful_set(inputs()))
    advertised = found["initial-advertise-peer-urls"]
    assert members(inputs()) == {"demo-etcd-0": advertised.replace("$(MEMBER)", "demo-etcd-0")}
    assert {"client-cert-auth", "peer-client-cert-auth"} <= set(found)


def test_the_volume_of_etcd_outlives_its_workload_and_is_found_again_by_its_labels() -> None:
    spec = etcd.stateful_set(inputs(storage={"size": "4Gi", "className": "fast"})).body["spec"]
    (claim,) = spec["volumeClaimTemplates"]
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    assert {NAME_LABEL, UID_LABEL} == set(claim["metadata"]["labels"])
    assert claim["spec"]["resources"]["requests"] == {"storage": "4Gi"}
    assert claim["spec"]["storageClassName"] == "fast"
    plain = etcd.stateful_set(inputs()).body["spec"]["volumeClaimTemplates"][0]["spec"]
    assert "storageClassName" not in plain


def test_a_deployment_never_goes_below_its_replicas_and_leaves_a_dead_host_soon() -> None:
    spec = apiserver.deployment(inputs()).body["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    tolerations = template(apiserver.deployment(inputs()))["spec"]["tolerations"]
    assert {each["tolerationSeconds"] for each in tolerations} == {10}
    assert "tolerations" not in template(etcd.stateful_set(inputs()))["spec"]


@pytest.mark.parametrize(
    ("declared", "given", "asked"),
    [("", "", None), ("10.100.1.9", "", "10.100.1.9"), ("", ADDRESS, ADDRESS), ("", "api.example.org", None)],
    ids=["none", "asked for", "given once", "a name cannot be asked for"],
)
def test_the_address_asked_for_or_given_once_is_asked_for(declared: str, given: str, asked: str | None) -> None:
    spec = apiserver.service(inputs(given, endpoint={"address": declared} if declared else {})).body["spec"]
    assert spec.get("loadBalancerIP") == asked


def test_an_endpoint_has_node_ports_but_where_the_balancer_needs_none() -> None:
    assert "allocateLoadBalancerNodePorts" not in apiserver.service(inputs()).body["spec"]
    without = apiserver.service(replace(inputs(), node_ports=False)).body["spec"]
    assert without["allocateLoadBalancerNodePorts"] is False


def test_an_api_server_advertises_an_address_and_no_name() -> None:
    assert flags(apiserver.deployment(inputs()))["advertise-address"] == ADDRESS
    assert "advertise-address" not in flags(apiserver.deployment(inputs("api.example.org")))
    with pytest.raises(LookupError, match="endpoint"):
        apiserver.deployment(inputs(""))


def test_the_ranges_of_the_cluster_reach_those_who_give_addresses_away() -> None:
    given = inputs(network={"podCIDR": "10.1.0.0/16", "serviceCIDR": "10.2.0.0/20", "dnsDomain": "corp.local"})
    manager, server = flags(controllers.controller_manager(given)), flags(apiserver.deployment(given))
    assert (manager["cluster-cidr"], manager["service-cluster-ip-range"]) == ("10.1.0.0/16", "10.2.0.0/20")
    assert server["service-cluster-ip-range"] == "10.2.0.0/20"
    assert server["service-account-issuer"] == "https://kubernetes.default.svc.corp.local"


def with_parameters(args: dict[str, str], env: dict[str, str]) -> Inputs:
    spec = package().spec
    return inputs(spec=replace(spec, components=tuple(replace(one, args=args, env=env) for one in spec.components)))


words = st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=12)


@given(st.dictionaries(words.filter(lambda name: "=" not in name and name[0] != "-"), words, max_size=4))
@example({"master": "0", "v": "4"})  # owned by homeostat in some components, in none
def test_flags_of_a_package_are_passed_on_and_never_over_ours(args: dict[str, str]) -> None:
    for bent, plain in zip(workloads(with_parameters(args, {})), workloads(with_parameters({}, {})), strict=True):
        own = owned(bent.component)
        free = {name: value for name, value in args.items() if not own.flag(name)}
        assert flags(bent) == {**free, **flags(plain)}


@given(st.dictionaries(st.sampled_from(["GOMAXPROCS", "MEMBER", "A"]), st.sampled_from(["1", "$(X)"])))
def test_every_variable_is_set_once_and_ours_win(env: dict[str, str]) -> None:
    for each in workloads(with_parameters({}, env)):
        names = [variable["name"] for variable in container(each)["env"]]
        assert len(names) == len(set(names))
        assert set(env) <= set(names)
    member = [one for one in container(etcd.stateful_set(with_parameters({}, env)))["env"] if one["name"] == "MEMBER"]
    assert member == [{"name": "MEMBER", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]


def test_a_package_without_a_component_is_refused_by_name() -> None:
    with pytest.raises(LookupError, match="no component etcd"):
        etcd.stateful_set(inputs(spec=replace(package().spec, components=())))


def test_what_is_declared_alike_has_one_digest_and_any_change_another() -> None:
    assert [each.digest for each in everything(inputs())] == [each.digest for each in everything(inputs())]
    renewed = replace(inputs(), secrets=dict.fromkeys(WORKLOADS, "renewed"))
    for before, after in zip(workloads(inputs()), workloads(renewed), strict=True):
        assert before.digest != after.digest
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1}) != digest_of({"a": 1, "b": [3]})


def spread(desired: Desired) -> list[tuple[str, str]]:
    rules = template(desired)["spec"]["topologySpreadConstraints"]
    return [(rule["topologyKey"].rpartition("/")[2], rule["whenUnsatisfiable"]) for rule in rules]


@pytest.mark.parametrize("each", workloads(inputs(topology="ha")), ids=lambda each: each.name)
def test_replicas_of_a_highly_available_cluster_stand_in_zones_apart(each: Desired) -> None:
    assert each.body["spec"]["replicas"] == (3 if each.component == ETCD else 2)
    assert spread(each) == [("zone", "DoNotSchedule"), ("hostname", "DoNotSchedule")]
    for rule in template(each)["spec"]["topologySpreadConstraints"]:
        assert rule["labelSelector"]["matchLabels"].items() <= template(each)["metadata"]["labels"].items()
        # New Pods of a Deployment start while old ones are still there.
        assert ("matchLabelKeys" in rule) is (each.kind.resource.kind == "Deployment")


@pytest.mark.parametrize("each", workloads(inputs()), ids=lambda each: each.name)
def test_a_single_master_needs_no_zones(each: Desired) -> None:
    assert each.body["spec"]["replicas"] == 1
    assert spread(each) == [("hostname", "DoNotSchedule")]


def test_members_are_told_of_each_other_and_begin_anew_only_once() -> None:
    given = inputs(topology="ha")
    assert list(members(given)) == ["demo-etcd-0", "demo-etcd-1", "demo-etcd-2"]
    assert etcd.membership(given).body["data"]["initial-cluster-state"] == "new"
    formed = replace(given, is_formed=True)
    assert etcd.membership(formed).body["data"]["initial-cluster-state"] == "existing"
    # The Pods must not be replaced for that.
    assert etcd.stateful_set(formed) == etcd.stateful_set(given)


def test_no_member_may_begin_empty_where_there_was_data_but_one_that_is_taken_in() -> None:
    formed = replace(inputs(topology="ha"), is_formed=True)
    assert list(members(formed)) == ["demo-etcd-0", "demo-etcd-1", "demo-etcd-2", "nobody"]
    replacement = MemberReplacementStatus(member="demo-etcd-1", member_id="1", claim_uid="2", started_at=NOW)
    healing = ClusterHealingStatus(replacement=replacement)
    status = replace(formed.cluster.status, healing=healing)
    taking_in = replace(formed, cluster=replace(formed.cluster, status=status))
    assert list(members(taking_in)) == ["demo-etcd-0", "demo-etcd-1", "demo-etcd-2"]


def test_a_package_cannot_tell_a_member_who_the_others_are() -> None:
    spec = package().spec
    first, *others = spec.components
    hostile = replace(first, env={"ETCD_INITIAL_CLUSTER": "x", "MEMBER": "y", "GOGC": "50"})
    env = container(etcd.stateful_set(inputs(spec=replace(spec, components=(hostile, *others)))))["env"]
    assert [each["name"] for each in env] == ["GOGC", "MEMBER", "ETCD_INITIAL_CLUSTER", "ETCD_INITIAL_CLUSTER_STATE"]
    assert [each["name"] for each in env if "value" in each] == ["GOGC"]


def test_one_replica_may_be_taken_away_at_a_time() -> None:
    given = inputs(topology="ha")
    for budget, workload in (
        (etcd.budget(given), etcd.stateful_set(given)),
        (apiserver.budget(given), apiserver.deployment(given)),
    ):
        assert budget.body["spec"]["maxUnavailable"] == 1
        assert budget.body["spec"]["selector"] == workload.body["spec"]["selector"]


def test_api_servers_prefer_the_etcd_of_their_zone() -> None:
    given = inputs(topology="ha")
    service = etcd.client_service(given).body["spec"]
    assert service["trafficDistribution"] == "PreferClose"
    assert "publishNotReadyAddresses" not in service
