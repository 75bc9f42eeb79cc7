"""The cell's webhooks on a real API server, with the rights of deploy/operator/rights.yaml and nothing more."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.support.apiserver import ApiServer
from tests.support.kinds import cluster, example
from tests.support.webhooks import CLOCK, Process, until

from homeostat.api.admission import VALIDATING_WEBHOOK_CONFIGURATION as CONFIGURATION
from homeostat.api.cluster.v1alpha1 import CLUSTER, CLUSTER_PACKAGE_VERSION
from homeostat.api.core import NAMESPACE, SECRET
from homeostat.api.kind import unstructured
from homeostat.app.cell import WEBHOOKS
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.connect import connect
from homeostat.kube.errors import Forbidden, Invalid, NotFound
from homeostat.operators.cluster.controller import add_cluster_admission

USER = "cell-webhooks"
HOME = "homeostat-system"
SECRET_NAME = "homeostat-webhooks"
PACKAGES = unstructured(CLUSTER_PACKAGE_VERSION.resource)
CLUSTERS = unstructured(CLUSTER.resource)
ROLES = (
    ("ClusterRole", "homeostat:cell-wide"),
    ("ClusterRole", "homeostat:cell-webhooks"),
    ("Role", "homeostat-webhooks"),
)


@pytest.fixture
def rights(server: ApiServer) -> ApiServer:
    """The operator's rights on webhooks, bound to a user; of Clusters it may read those of all namespaces."""
    reader = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "test:clusters"},
        "rules": [{"apiGroups": ["cluster.homeostat.dev"], "resources": ["clusters"], "verbs": ["list", "watch"]}],
    }
    server.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(reader))
    for kind, name in (*ROLES, ("ClusterRole", "test:clusters")):
        binding: dict[str, Any] = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": f"{kind}Binding",
            "metadata": {"name": f"test-webhooks:{name}", **({"namespace": HOME} if kind == "Role" else {})},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USER}],
        }
        server.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(binding))
    return server


@asynccontextmanager
async def judged(server: ApiServer, client: Client) -> AsyncIterator[Process]:
    """Run the cell's webhooks as the operator's user, until the API server asks them; leave nothing behind."""
    config = server.config_for(USER)
    async with connect(config, clock=CLOCK, random=system_random(), field_manager="homeostat-cluster") as own:
        process = Process(own, HOME, configuration=WEBHOOKS, secret=SECRET_NAME, namespaces=())
        add_cluster_admission(process.webhooks, process.manager, own)
        try:
            async with process.running():
                await process.until_in_force()
                await until_refused(client)
                yield process
        finally:
            await client.delete(CONFIGURATION, WEBHOOKS)
            await client.delete(SECRET, SECRET_NAME, HOME)
            await until_passed_over(client)


async def until_refused(client: Client) -> None:
    """Wait until the API server's own cache has the configuration: a package version in use cannot go."""
    await client.apply(CLUSTERS, cluster("judge", "default"), field_manager="test")
    async with CLOCK.timeout(20):
        while True:
            try:
                await client.delete(PACKAGES, "v1.35.4", dry_run=True)
            except Forbidden:
                return
            await CLOCK.sleep(0.02)


async def until_passed_over(client: Client) -> None:
    """Wait until the API server asks nobody any more, so that no later test meets a webhook that is gone."""
    async with CLOCK.timeout(20):
        while True:
            try:
                await client.delete(PACKAGES, "v1.35.4", dry_run=True)
                break
            except Exception:
                await CLOCK.sleep(0.02)
    await client.delete(CLUSTERS, "judge", "default")


@pytest.fixture
async def shop(rights: ApiServer, client: Client) -> str:
    """A namespace without an operator."""
    name = f"judged-{len((await client.list(NAMESPACE)).items)}"
    await client.create(NAMESPACE, {"metadata": {"name": name}})
    return name


async def test_what_would_hurt_a_cluster_is_refused_and_kubectl_says_why(
    rights: ApiServer, client: Client, shop: str
) -> None:
    def kubectl(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = ["kubectl", *words]
        try:
            return subprocess.CompletedProcess(command, 0, rights.kubectl(*words, stdin=stdin), "")
        except subprocess.CalledProcessError as error:
            return subprocess.CompletedProcess(command, error.returncode, error.stdout, error.stderr)

    address = {"address": "10.100.1.77"}
    spare = example("packageversions/v1.35.4.yaml")
    spare["metadata"] = {"name": f"spare-{shop}"}
    async with judged(rights, client) as process:
        await client.create(CLUSTERS, cluster("first", shop, endpoint=address, packageVersion=f"spare-{shop}"))
        await until(lambda: process.manager.not_ready() == [])
        second = json.dumps(cluster("second", shop, endpoint=address))
        refused = await asyncio.to_thread(kubectl, "apply", "--server-side", "-f", "-", stdin=second)
        assert f"10.100.1.77 is the address of Cluster {shop}/first; choose another one" in refused.stderr
        with pytest.raises(Invalid) as caught:
            await client.create(CLUSTERS, cluster("second", shop, endpoint=address))
        assert [cause.field for cause in caught.value.causes] == ["spec.endpoint.address"]
        # Its package version comes after the Cluster, is in use from then on, and goes when nobody uses it any more.
        worse = json.loads(json.dumps(spare))
        worse["spec"]["components"][1]["args"]["etcd-servers"] = "http://elsewhere"
        with pytest.raises(Invalid) as caught:
            await client.create(PACKAGES, worse)
        assert [cause.field for cause in caught.value.causes] == ["spec.components[kube-apiserver].args[etcd-servers]"]
        await client.create(PACKAGES, spare)
        used = f"ClusterPackageVersion spare-{shop} is used by 1 Cluster: {shop}/first"
        for words in (
            ("delete", "clusterpackageversion", f"spare-{shop}"),
            ("delete", "cpv", "--all", "--dry-run=server"),
        ):
            said = (await asyncio.to_thread(kubectl, *words)).stderr
            assert used in said, said
        await client.delete(CLUSTERS, "first", shop)
        async with CLOCK.timeout(20):
            while True:
                try:
                    await client.delete(PACKAGES, f"spare-{shop}")
                    break
                except Forbidden:
                    await CLOCK.sleep(0.02)
        with pytest.raises(NotFound):
            await client.get(PACKAGES, f"spare-{shop}")


async def test_an_override_of_what_homeostat_owns_is_refused_with_its_field(
    rights: ApiServer, client: Client, shop: str
) -> None:
    owned = [{"name": "kube-apiserver", "args": {"etcd-servers": "https://elsewhere", "v": "4"}}]
    tuned = [{"name": "kube-apiserver", "args": {"v": "4"}}]
    field = "spec.overrides[kube-apiserver].args[etcd-servers]"
    async with judged(rights, client):
        with pytest.raises(Invalid) as caught:
            await client.create(CLUSTERS, cluster("tuned", shop, overrides=owned))
        assert [(cause.field, "remove it from the override" in cause.message) for cause in caught.value.causes] == [
            (field, True)
        ]
        await client.create(CLUSTERS, cluster("tuned", shop, overrides=tuned))
        with pytest.raises(Invalid) as caught:
            await client.merge_patch(CLUSTERS, "tuned", {"spec": {"overrides": owned}}, shop)
        assert field in caught.value.message
        with pytest.raises(Invalid) as caught:
            await client.merge_patch(
                CLUSTERS, "tuned", {"spec": {"overrides": [{"name": "redis", "env": {"A": "b"}}]}}, shop
            )
        assert [cause.field for cause in caught.value.causes] == ["spec.overrides[redis]"]
        await client.delete(CLUSTERS, "tuned", shop)


async def test_a_missing_package_version_is_a_warning_that_kubectl_shows(
    rights: ApiServer, client: Client, shop: str
) -> None:
    manifest = json.dumps(cluster("early", shop, packageVersion="v9.9.9"))
    async with judged(rights, client):
        binary = rights.kubectl_command("create", "-f", "-")
        done = await asyncio.to_thread(
            subprocess.run, binary, input=manifest, capture_output=True, text=True, check=True, timeout=60
        )
        assert "Warning: spec.packageVersion: there is no ClusterPackageVersion v9.9.9 yet" in done.stderr
        await client.delete(CLUSTERS, "early", shop)
