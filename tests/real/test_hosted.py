"""An operator hosted beside the masters, on real hosts: it works in the business cluster, and goes without a trace."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.business import content, create, wait_ready
from tests.support.datacentre import Centre, eventually
from tests.support.masters import Masters

pytestmark = pytest.mark.real

NAMESPACE, NAME = "real-hosted", "host"
OPERATOR, LEASE = "homeostat", "homeostat-cluster"
PLAIN, HOSTED = "v1.35.4", "v1.35.4-hosted"
RIGHTS = "clusterroles,clusterrolebindings,roles,rolebindings"
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-1"}}


@pytest.fixture
def namespace(centre: Centre) -> Iterator[str]:
    centre.kubectl("create", "namespace", NAMESPACE)
    yield NAMESPACE
    centre.kubectl("delete", "clusters", "--all", "-n", NAMESPACE, "--timeout=120s")
    centre.kubectl("delete", "namespace", NAMESPACE, "--timeout=60s")


def test_a_hosted_operator_works_in_the_business_cluster_and_goes_with_its_package_version(
    centre: Centre, namespace: str, tmp_path: Path, say: Callable[[str], None]
) -> None:
    (tmp_path / "node.json").write_text(json.dumps(NODE))
    create(centre, namespace, NAME, packageVersion=HOSTED)
    masters = Masters(centre, namespace, NAME)
    (pod,) = masters.pods(OPERATOR)
    name = pod["metadata"]["name"]

    def business(*words: str) -> str:
        return centre.business(NAME, *words, namespace=namespace)

    held = json.loads(business("get", "lease", LEASE, "-n", "kube-system", "-o", "json"))
    assert held["spec"]["holderIdentity"].startswith(name)
    assert business("get", RIGHTS, "-A", "-l", f"cluster.homeostat.dev/hosted={OPERATOR}", "-o", "name").split()

    def metrics() -> str:
        return centre.kubectl("get", "--raw", f"/api/v1/namespaces/{namespace}/pods/{name}:8080/proxy/metrics")

    assert "homeostat_nodes{" not in metrics()
    business("create", "-f", str(tmp_path / "node.json"))
    eventually(lambda: 'homeostat_nodes{ready="Unknown"' in metrics(), within_s=10)

    before = {each["metadata"]["uid"] for part in ("etcd", "kube-apiserver") for each in masters.pods(part)}
    masters.patch(f'{{"packageVersion": "{PLAIN}"}}')
    eventually(lambda: masters.status()["packageVersion"] == PLAIN and not masters.pods(OPERATOR), within_s=90)
    wait_ready(centre, namespace, NAME)
    eventually(lambda: not [each for each in content(centre, namespace) if "-op-" in each], within_s=30)
    assert business("get", RIGHTS, "-A", "-l", f"cluster.homeostat.dev/hosted={OPERATOR}", "-o", "name") == ""
    assert {each["metadata"]["uid"] for part in ("etcd", "kube-apiserver") for each in masters.pods(part)} == before
    say("a hosted operator came with its cluster and went without a trace")
