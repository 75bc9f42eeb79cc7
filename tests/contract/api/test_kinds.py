"""What API servers make of the generated CRDs: defaults, refusals, columns, explanations."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.apiserver import ApiServer
from tests.support.kinds import bent, cluster, example
from tests.support.tree import ROOT

from homeostat.api.cluster.v1alpha1 import CLUSTER, CLUSTER_PACKAGE_VERSION
from homeostat.api.kind import Kind, unstructured
from homeostat.kube.client import Client
from homeostat.kube.errors import Invalid

pytestmark = pytest.mark.real

EXAMPLES = sorted((ROOT / "examples").rglob("*.yaml"))
CLUSTERS, PACKAGES = unstructured(CLUSTER.resource), unstructured(CLUSTER_PACKAGE_VERSION.resource)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_accepted(server: ApiServer, path: Path) -> None:
    # cluster.yaml, cluster-ha.yaml, cluster-restored.yaml, cluster-tuned.yaml,
    # packageversions/v1.34.3.yaml, packageversions/v1.34.4.yaml, packageversions/v1.35.4.yaml,
    # packageversions/v1.35.4-small.yaml, packageversions/v1.34.4-etcd3.5.yaml, packageversions/v1.35.4-hosted.yaml
    kind, name = (yaml.safe_load(path.read_text())[key] for key in ("kind", "metadata"))
    told = server.kubectl("apply", "--server-side", "--dry-run=server", "--force-conflicts", "-f", str(path))
    assert f"{kind.lower()}.cluster.homeostat.dev/{name['name']} serverside-applied" in told


async def test_defaults_are_filled_in(client: Client) -> None:
    made = await client.apply(CLUSTERS, cluster("defaults"), dry_run=True)
    assert made["spec"] == {
        "packageVersion": "v1.35.4",
        "topology": "single",
        "network": {"podCIDR": "10.200.0.0/16", "serviceCIDR": "10.201.0.0/20", "dnsDomain": "cluster.local"},
        "endpoint": {},
        "storage": {"size": "2Gi"},
        "upgradePolicy": {
            "onFailure": "Pause",
            "stepTimeoutSeconds": 300,
            "finishEmulation": "Immediately",
            "emulationDelaySeconds": 86400,
            "snapshot": "Auto",
            "attempt": 0,
        },
        "backup": {
            "everySeconds": 21600,
            "keep": {"daily": 7, "hourly": 0, "last": 5, "weekly": 4},
            "paused": False,
        },
        "audit": {"level": "Metadata"},
        "keys": {
            "released": {"authorities": 0, "encryptionKey": 0, "tokenKey": 0},
            "rotations": {"authorities": 0, "encryptionKey": 0, "tokenKey": 0},
        },
        "healing": {"paused": False, "replaceMemberAfterSeconds": 300},
        "deletionProtection": False,
        "paused": False,
    }


async def test_the_typed_reader_and_the_schema_agree(client: Client) -> None:
    made = await client.apply(CLUSTER, cluster("typed", endpoint__address="10.100.1.9"), dry_run=True)
    assert (made.spec.endpoint.address, made.spec.storage.size) == ("10.100.1.9", "2Gi")
    package = await client.apply(
        CLUSTER_PACKAGE_VERSION, bent(example("packageversions/v1.35.4.yaml"), {"metadata.name": "typed"}), dry_run=True
    )
    etcd = package.spec.component("etcd")
    assert etcd is not None
    assert (etcd.version, etcd.resources.requests["memory"]) == ("3.6.16", "64Mi")


BAD_CLUSTERS: list[tuple[dict[str, Any], str, str]] = [
    ({"metadata.name": "a" * 41}, "metadata.name", "at most 40 characters"),
    ({"metadata.name": "1st"}, "metadata.name", "should match"),
    ({"metadata.name": "a.b"}, "metadata.name", "should match"),
    ({"spec.packageVersion": None}, "spec.packageVersion", "Required"),
    ({"spec.packageVersion": "No!"}, "spec.packageVersion", "should match"),
    ({"spec.network": None}, "spec.network", "Required"),
    ({"spec.network.podCIDR": "10.200.0.0"}, "spec.network.podCIDR", 'found "10.200.0.0"'),
    ({"spec.network.podCIDR": "10.300.0.0/16"}, "spec.network.podCIDR", "expected an IPv4 range such as"),
    ({"spec.network.podCIDR": "fd00::/48"}, "spec.network.podCIDR", "expected an IPv4 range"),
    ({"spec.network.podCIDR": "10.200.1.0/16"}, "spec.network.podCIDR", "first address of the range"),
    ({"spec.network.podCIDR": "10.200.0.0/26"}, "spec.network.podCIDR", "from /8 to /24"),
    ({"spec.network.serviceCIDR": "11.0.0.0/8"}, "spec.network.serviceCIDR", "from /12 to /28"),
    ({"spec.network.serviceCIDR": "10.201.0.0/30"}, "spec.network.serviceCIDR", "from /12 to /28"),
    ({"spec.network.serviceCIDR": "10.200.16.0/20"}, "spec.network.serviceCIDR", "overlaps podCIDR 10.200.0.0/16"),
    ({"spec.network.podCIDR": "10.201.1.0/24"}, "spec.network.serviceCIDR", "overlaps podCIDR 10.201.1.0/24"),
    ({"spec.network.dnsDomain": "_x"}, "spec.network.dnsDomain", "should match"),
    ({"spec.topology": "many"}, "spec.topology", 'supported values: "single", "ha"'),
    ({"spec.endpoint.address": "10.100.1"}, "spec.endpoint.address", "expected an IPv4 address"),
    ({"spec.storage.size": "big"}, "spec.storage.size", "expected a quantity"),
    ({"spec.storage.size": "1Mi"}, "spec.storage.size", "at least 256Mi"),
    ({"spec.restoreFrom": {"snapshot": "latest"}}, "spec.restoreFrom.snapshot", "should match"),
    ({"spec.restoreFrom": {"snapshot": "20260304T050607Z-r42"}}, "spec.restoreFrom.cluster", "Required"),
    ({"spec.healing": {"approveRestore": "the newest"}}, "spec.healing.approveRestore", "should match"),
    ({"spec.paused": "yes"}, "spec.paused", "must be of type boolean"),
    ({"spec.overrides": [{"args": {"v": "1"}}]}, "spec.overrides[0].name", "Required"),
    ({"spec.overrides": [{"name": "a b"}]}, "spec.overrides[0].name", "should match"),
    ({"spec.overrides": [{"name": "etcd"}, {"name": "etcd"}]}, "spec.overrides[1]", "Duplicate value"),
    ({"spec.overrides": [{"name": "etcd", "args": {"--v": "1"}}]}, "spec.overrides[0].args", "without leading dashes"),
    ({"spec.overrides": [{"name": "etcd", "args": {"data_dir": "/"}}]}, "spec.overrides[0].args", "'_'"),
    ({"spec.overrides": [{"name": "etcd", "args": {"v=1": ""}}]}, "spec.overrides[0].args", "'='"),
    ({"spec.overrides": [{"name": "etcd", "args": {"v": "x" * 1025}}]}, "spec.overrides[0].args.v", "1024"),
    ({"spec.overrides": [{"name": "etcd", "env": {"A=B": ""}}]}, "spec.overrides[0].env", "without '='"),
    ({"spec.overrides": [{"name": "etcd", "removeArgs": ["--v"]}]}, "spec.overrides[0].removeArgs[0]", "should match"),
    ({"spec.overrides": [{"name": "etcd", "removeArgs": ["v", "v"]}]}, "spec.overrides[0].removeArgs[1]", "Duplicate"),
    (
        {"spec.overrides": [{"name": "etcd", "args": {"v": "1"}, "removeArgs": ["v"]}]},
        "spec.overrides[0].removeArgs",
        "not in both",
    ),
    (
        {"spec.overrides": [{"name": "etcd", "resources": {"limits": {"memroy": "1Gi"}}}]},
        "spec.overrides[0].resources.limits",
        "expected the resources cpu, memory",
    ),
    (
        {"spec.overrides": [{"name": "etcd", "resources": {"limits": {"cpu": "much"}}}]},
        "spec.overrides[0].resources.limits[cpu]",
        "a quantity",
    ),
]


async def refusal(client: Client, kind: Kind[dict[str, Any]], content: dict[str, Any], *, new: bool = True) -> Invalid:
    """Why an object is refused. Server-side apply answers 500 to what has the wrong type, so new ones are created."""
    with pytest.raises(Invalid) as caught:
        await (client.create if new else client.apply)(kind, content, dry_run=True)
    return caught.value


@pytest.mark.parametrize(("changes", "field", "message"), BAD_CLUSTERS)
async def test_a_bad_cluster_is_refused_with_its_field(
    client: Client, changes: dict[str, Any], field: str, message: str
) -> None:
    error = await refusal(client, CLUSTERS, bent(cluster("bad"), changes))
    assert [message in cause.message for cause in error.causes if cause.field == field] == [True]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("network.podCIDR", "10.210.0.0/16"),
        ("network.serviceCIDR", "10.211.0.0/20"),
        ("network.dnsDomain", "other.local"),
        ("storage.size", "3Gi"),
        ("storage.className", "fast"),
        ("endpoint.address", "10.100.1.5"),
    ],
)
async def test_what_is_immutable_cannot_be_changed_later(client: Client, path: str, value: str) -> None:
    await client.apply(CLUSTERS, cluster("fixed"), force=True)
    error = await refusal(client, CLUSTERS, bent(cluster("fixed"), {f"spec.{path}": value}), new=False)
    told = [(cause.field, "cannot be changed after creation" in cause.message) for cause in error.causes]
    assert told == [(f"spec.{path}", True)]


async def test_a_set_endpoint_address_can_be_neither_changed_nor_dropped(client: Client) -> None:
    await client.apply(CLUSTERS, cluster("pinned", endpoint__address="10.100.1.5"), force=True)
    for changes in ({"spec.endpoint.address": "10.100.1.6"}, {}):
        error = await refusal(client, CLUSTERS, bent(cluster("pinned"), changes), new=False)
        assert [cause.field for cause in error.causes] == ["spec.endpoint.address"]


async def test_a_cluster_begins_with_one_snapshot_or_with_none_for_ever(client: Client) -> None:
    former = {"namespace": "default", "name": "fixed", "uid": "0c7f6ad2"}
    snapshot = {"snapshot": "20260304T050607Z-r42", "cluster": former}
    await client.apply(CLUSTERS, cluster("restored", restoreFrom=snapshot), force=True)
    await client.apply(CLUSTERS, cluster("fresh"), force=True)
    other = {**snapshot, "snapshot": "20260304T060607Z-r43"}
    changed = (cluster("restored", restoreFrom=other), cluster("restored"), cluster("fresh", restoreFrom=snapshot))
    for content in changed:
        error = await refusal(client, CLUSTERS, content, new=False)
        assert [cause.field for cause in error.causes] == ["spec.restoreFrom"]
        assert "a cluster begins with a snapshot or without one" in str(error)


async def test_package_version_topology_pause_and_protection_can_be_changed(client: Client) -> None:
    await client.apply(CLUSTERS, cluster("moved"), force=True)
    changed = cluster("moved", packageVersion="v1.34.4", topology="ha", paused=True, deletionProtection=True)
    made = await client.apply(CLUSTERS, changed, dry_run=True)
    assert (made["spec"]["packageVersion"], made["spec"]["paused"]) == ("v1.34.4", True)


async def test_overrides_may_be_added_changed_and_taken_away(client: Client) -> None:
    one: dict[str, Any] = {"name": "etcd", "env": {"GOGC": "50"}, "removeArgs": ["v"]}
    two = {**one, "args": {"snapshot-count": "5000"}}
    for overrides in ([two], [one, {"name": "kube-apiserver", "removeEnv": ["TZ"]}], []):
        made = await client.apply(CLUSTERS, cluster("tuned", overrides=overrides), force=True)
        found = made["spec"].get("overrides", [])
        assert found == [{**each, "resources": {}} for each in overrides]


BAD_PACKAGES: list[tuple[dict[str, Any], str, str]] = [
    ({"spec.kubernetesVersion": "1.35"}, "spec.kubernetesVersion", "should match"),
    ({"spec.kubernetesVersion": "v1.35.5"}, "spec.kubernetesVersion", "version of the component kube-apiserver"),
    ({"spec.components.0": None}, "spec.components", "expected the component etcd"),
    ({"spec.components.1.name": "etcd"}, "spec.components[1]", "Duplicate value"),
    ({"spec.components.0.name": "redis"}, "spec.components[0].name", "any other component is a hosted operator"),
    ({"spec.components.0.hosted": {}}, "spec.components[0].hosted", "is homeostat's"),
    ({"spec.components.0.image": "two words"}, "spec.components[0].image", "should match"),
    ({"spec.components.0.args": {"--v": "2"}}, "spec.components[0].args", "without leading dashes"),
    ({"spec.components.0.args": {"v=2": ""}}, "spec.components[0].args", "without leading dashes"),
    ({"spec.components.0.resources.requests.cpu": "much"}, "spec.components[0].resources.requests", "a quantity"),
    ({"spec.components.0.dependsOn": ["redis"]}, "spec.components", "names of components of this package version"),
    ({"spec.components.0.dependsOn": ["etcd"]}, "spec.components[0].dependsOn", "other components than the one"),
    ({"spec.components.0.probes": {"liveness": {"periodSeconds": 0}}}, "spec.components[0].probes", "greater than"),
    ({"spec.components.0.checks": {"after": ["Luck"]}}, "spec.components[0].checks.after", "supported values"),
    ({"spec.components.0.resources.limits": {"cpu": -1}}, "spec.components[0].resources.limits", "a quantity"),
]


BAD_HOSTED: list[tuple[dict[str, Any], str, str]] = [
    ({"name": "an-operator-of-a-name-too-long"}, "name", "at most 19 characters"),
    ({"name": "Sweeper"}, "name", "should match"),
    ({"hosted.health": None, "probes": {"liveness": {"periodSeconds": 5}}}, "probes", "expected hosted.health"),
    ({"hosted.health.port": 0}, "hosted.health.port", "greater than or equal to 1"),
    ({"hosted.grants.0.verbs": []}, "hosted.grants[0].verbs", "at least 1"),
    ({"hosted.grants.0.resources": []}, "hosted.grants[0]", "either resources or nonResourceURLs"),
    ({"hosted.grants.0.nonResourceURLs": ["/metrics"]}, "hosted.grants[0]", "either resources or nonResourceURLs"),
    ({"hosted.grants.0.apiGroups": None}, "hosted.grants[0].apiGroups", "the API groups of the resources"),
    ({"hosted.grants.1.namespace": "Kube"}, "hosted.grants[1].namespace", "should match"),
]
LOOKS = {"verbs": ["get"], "nonResourceURLs": ["/metrics"]}


@pytest.mark.parametrize(("changes", "field", "message"), BAD_HOSTED)
async def test_a_bad_hosted_operator_is_refused_with_its_field(
    client: Client, changes: dict[str, Any], field: str, message: str
) -> None:
    content = example("packageversions/v1.35.4-hosted.yaml")
    content["spec"]["components"][4] = bent(content["spec"]["components"][4], changes)
    error = await refusal(client, PACKAGES, bent(content, {"metadata.name": "bad"}))
    path = f"spec.components[4].{field}"
    assert [cause.field for cause in error.causes if message in cause.message and cause.field.startswith(path)] != []


async def test_a_hosted_operator_may_look_at_paths_that_are_in_no_namespace(client: Client) -> None:
    content = bent(
        example("packageversions/v1.35.4-hosted.yaml"),
        {"metadata.name": "looks", "spec.components.4.hosted.grants": [LOOKS]},
    )
    assert await client.apply(PACKAGES, content, dry_run=True)
    there = bent(content, {"spec.components.4.hosted.grants.0.namespace": "kube-system"})
    error = await refusal(client, PACKAGES, there)
    assert [cause.field for cause in error.causes if "which are in none" in cause.message] != []


@pytest.mark.parametrize(("changes", "field", "message"), BAD_PACKAGES)
async def test_a_bad_package_version_is_refused_with_its_field(
    client: Client, changes: dict[str, Any], field: str, message: str
) -> None:
    content = bent(example("packageversions/v1.35.4.yaml"), {"metadata.name": "bad", **changes})
    error = await refusal(client, PACKAGES, content)
    assert [cause.field for cause in error.causes if message in cause.message and cause.field.startswith(field)] != []


async def test_a_package_version_is_immutable(client: Client) -> None:
    content = bent(example("packageversions/v1.35.4.yaml"), {"metadata.name": "immutable"})
    await client.apply(PACKAGES, content, force=True)
    error = await refusal(client, PACKAGES, bent(content, {"spec.components.0.args": {"v": "4"}}), new=False)
    assert [(cause.field, "create one with another name" in cause.message) for cause in error.causes] == [
        ("spec", True)
    ]


@pytest.mark.parametrize("path", ["spec.kubernetesVersion", "spec.components.1.image"])
async def test_no_way_of_writing_changes_a_package_version_where_no_webhook_is_asked(client: Client, path: str) -> None:
    content = bent(example("packageversions/v1.35.4.yaml"), {"metadata.name": "fixed"})
    kept = await client.apply(PACKAGES, content, force=True)
    other = bent(content, {path: "v1.35.5" if path.endswith("Version") else "homeostat.local/other:v1.35.4"})
    whole = {**other, "metadata": {"name": "fixed", "resourceVersion": kept["metadata"]["resourceVersion"]}}
    for write in (
        client.apply(PACKAGES, other, force=True, field_manager="someone"),
        client.merge_patch(PACKAGES, "fixed", {"spec": other["spec"]}),
        client.replace(PACKAGES, whole),
    ):
        with pytest.raises(Invalid, match="create one with another name"):
            await write
    assert (await client.get(PACKAGES, "fixed"))["spec"] == kept["spec"]


async def test_a_protected_cluster_cannot_be_deleted_until_the_protection_is_taken_off(client: Client) -> None:
    await client.apply(CLUSTERS, cluster("protected", deletionProtection=True), force=True)
    message = ""
    for _ in range(500):  # a new admission policy is in force after a moment; each try is a request, not a sleep
        try:
            await client.delete(CLUSTERS, "protected", "default", dry_run=True)
        except Invalid as error:
            message = error.message
            break
    assert "cluster protected is protected from deletion; set spec.deletionProtection to false first" in message
    await client.apply(CLUSTERS, cluster("protected", deletionProtection=False), force=True)
    await client.delete(CLUSTERS, "protected", "default")


@pytest.mark.not_imitated("tables, which kubectl prints")
async def test_columns_tell_how_a_cluster_fares(client: Client, server: ApiServer) -> None:
    await client.apply(CLUSTERS, cluster("columns"), force=True)
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "AllComponentsReady",
        "message": "all well",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    status = {
        "phase": "Ready",
        "kubernetesVersion": "v1.35.4",
        "endpoint": {"host": "10.100.1.5", "port": 6443},
        "conditions": [condition],
    }
    await client.merge_patch(CLUSTERS, "columns", {"status": status}, "default", subresource="status")
    wide = server.kubectl("get", "hc", "columns", "-o", "wide").splitlines()
    assert wide[0].split() == [
        "NAME",
        "READY",
        "PHASE",
        "VERSION",
        "PACKAGE",
        "ENDPOINT",
        "AGE",
        "BACKUP",
        "TOPOLOGY",
        "REASON",
        "MESSAGE",
    ]
    assert re.sub(r" +", " ", wide[1]).startswith("columns True Ready v1.35.4 v1.35.4 10.100.1.5 ")
    assert wide[1].endswith("all well")
    assert "REASON" not in server.kubectl("get", "clusters", "columns")


def test_the_category_lists_all_kinds(server: ApiServer) -> None:
    server.kubectl("apply", "-f", "-", stdin=json.dumps(cluster("listed")))
    server.kubectl("apply", "-f", "-", stdin=json.dumps(example("packageversions/v1.35.4.yaml")))
    told = server.kubectl("get", "homeostat", "-A", "-o", "name").split()
    assert {"cluster.cluster.homeostat.dev/listed", "clusterpackageversion.cluster.homeostat.dev/v1.35.4"} <= set(told)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("cluster", "One business cluster, whose masters run as Pods"),
        ("cluster.spec.network.podCIDR", "from /8 to /24"),
        ("cluster.status.components.ready", "How many replicas are ready."),
        ("clusterpackageversion.spec.components.args", "without the leading dashes"),
    ],
)
def test_explain_tells_what_a_field_means(server: ApiServer, path: str, text: str) -> None:
    assert text in " ".join(server.kubectl("explain", path).split())


def test_unknown_fields_are_named_by_kubectl(server: ApiServer) -> None:
    content = json.dumps(cluster("unknown", network__podCidr="10.0.0.0/8"))
    with pytest.raises(subprocess.CalledProcessError) as caught:
        server.kubectl("create", "--dry-run=server", "-f", "-", stdin=content)
    assert 'unknown field "spec.network.podCidr"' in caught.value.stderr
