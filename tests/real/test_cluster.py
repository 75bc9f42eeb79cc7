"""Business clusters on real hosts: declared, used, broken, deleted; the operator as a Deployment and as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest
from tests.support.business import EXAMPLE, READY_S, content, create, declare, declared, homeostat, pod, wait_ready
from tests.support.datacentre import Centre, eventually, lose_power, on_host, power

pytestmark = pytest.mark.real


@pytest.fixture
def namespace(centre: Centre) -> Iterator[str]:
    """A namespace of the test's own."""
    name = "real-cluster"
    centre.kubectl("create", "namespace", name)
    yield name
    left = [one["metadata"]["name"] for one in centre.get("clusters", "-n", name)["items"]]
    for cluster in left:
        patch = '{"spec": {"deletionProtection": false, "paused": false}}'
        centre.kubectl("patch", "cluster", cluster, "-n", name, "--type=merge", "-p", patch)
    # One after the other: an API server whose etcd goes first waits for it until it is killed.
    centre.kubectl("delete", "clusters", "--all", "-n", name, "--timeout=120s")
    centre.kubectl("delete", "namespace", name, "--timeout=60s")


def test_the_example_serves_and_goes_without_a_trace(centre: Centre) -> None:
    before = content(centre, "default")
    homeostat(centre, "apply", "-f", str(EXAMPLE))
    wait_ready(centre, "default", "demo")
    centre.business("demo", "create", "namespace", "shop")
    assert "namespace/shop" in centre.business("demo", "get", "namespaces", "-o", "name")
    assert "v1.35.4" in centre.business("demo", "get", "--raw", "/version")
    # What runs there are real controllers: they make the account of a namespace.
    eventually(lambda: centre.business("demo", "get", "serviceaccount", "default", "-n", "shop"), within_s=20)

    # A person's own kubeconfig, for a while; the audit log tells who it was.
    myself = handed_out(centre, "demo")
    me = myself("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
    assert me.startswith("cell:")
    myself("create", "configmap", "mine", "-n", "shop")

    # One for a group may do what the group may, and all may be taken back from those who may do everything.
    alice = handed_out(centre, "demo", "--user", "alice", "--group", "shop-developers")
    whoami = alice("auth", "whoami", "-o", "jsonpath={.status.userInfo}")
    assert '"username":"alice"' in whoami
    assert "shop-developers" in whoami
    assert alice("auth", "can-i", "get", "configmaps", "-n", "shop") == "no\n"
    rights = ("create", "rolebinding", "developers", "--clusterrole=edit", "--group=shop-developers", "-n", "shop")
    centre.business("demo", *rights)
    eventually(lambda: alice("get", "configmap", "mine", "-n", "shop", "-o", "name") == "configmap/mine\n", within_s=20)
    assert [alice("auth", "can-i", *what) for what in (("get", "nodes"), ("get", "secrets", "-n", "kube-system"))] == [
        "no\n",
        "no\n",
    ]
    centre.business("demo", "delete", "clusterrolebinding", "homeostat:admins")
    eventually(lambda: myself("auth", "can-i", "get", "configmaps", "-n", "shop") == "no\n", within_s=20)
    master = pod(centre, "default", "kube-apiserver")["metadata"]["name"]
    eventually(lambda: (me, "create", "mine") in audited(centre, "default", master), within_s=60)

    table = homeostat(centre, "get", "clusters").stdout
    assert table.split()[table.split().index("demo") :][:4] == ["demo", "True", "Ready", "v1.35.4"]
    told = homeostat(centre, "describe", "cluster", "demo").stdout
    for word in ("kube-apiserver", "EtcdReady", "Created", "serves Kubernetes v1.35.4"):
        assert word in told, told

    homeostat(centre, "delete", "cluster", "demo", "--wait")
    assert content(centre, "default") == before
    eventually(lambda: volumes_of(centre, "default") == [], within_s=30)


def handed_out(centre: Centre, cluster: str, *holder: str) -> Callable[..., str]:
    """kubectl with a kubeconfig of a person's own; what it prints."""
    file = centre.inner.directory / f"{cluster}-{len(holder)}.kubeconfig"
    homeostat(centre, "kubeconfig", cluster, "--ttl", "10m", *holder, "-o", str(file))

    def ask(*words: str) -> str:
        command = [str(centre.inner.kubectl), "--kubeconfig", str(file), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout

    return ask


def test_an_api_server_is_a_pod_on_a_host_that_systemd_booted(centre: Centre, namespace: str) -> None:
    create(centre, namespace, "plain")
    host = pod(centre, namespace, "kube-apiserver")["spec"]["nodeName"]
    command = "cat /proc/1/comm; systemctl is-active kubelet containerd; pgrep -a -x kube-apiserver"
    said = on_host(centre, host, command).splitlines()
    assert said[:3] == ["systemd", "active", "active"]
    assert "--service-cluster-ip-range=10.201.0.0/20" in said[3]


def test_both_kubernetes_versions_run_side_by_side(centre: Centre, namespace: str) -> None:
    for name, version in (("older", "v1.34.4"), ("newer", "v1.35.4")):
        declare(centre, namespace, name, packageVersion=version)
    for name, version in (("older", "v1.34.4"), ("newer", "v1.35.4")):
        wait_ready(centre, namespace, name)
        assert version in centre.business(name, "get", "--raw", "/version", namespace=namespace)
    hosts = {one["status"]["endpoint"]["host"] for one in centre.get("clusters", "-n", namespace)["items"]}
    assert len(hosts) == 2


def test_protection_refuses_deletion_with_the_way_out(centre: Centre, namespace: str) -> None:
    declare(centre, namespace, "kept", deletionProtection=True)
    refused = homeostat(centre, "delete", "cluster", "kept", "-n", namespace, check=False)
    assert refused.returncode != 0
    assert "set spec.deletionProtection to false first" in refused.stderr


def test_what_is_deleted_by_hand_comes_back_and_data_stays(centre: Centre, namespace: str) -> None:
    create(centre, namespace, "hurt")
    centre.business("hurt", "create", "namespace", "memory", namespace=namespace)
    endpoint = centre.get("cluster", "hurt", "-n", namespace)["status"]["endpoint"]
    centre.kubectl("delete", "statefulset/hurt-etcd", "deployment/hurt-apiserver", "-n", namespace)
    centre.kubectl("delete", "secret/hurt-apiserver", "secret/hurt-admin-kubeconfig", "-n", namespace)

    def back() -> bool:
        return "memory" in centre.business("hurt", "get", "namespaces", "-o", "name", namespace=namespace)

    eventually(back, within_s=READY_S)
    wait_ready(centre, namespace, "hurt")
    assert centre.get("cluster", "hurt", "-n", namespace)["status"]["endpoint"] == endpoint


def test_the_endpoint_survives_the_death_of_the_host_of_its_api_server(centre: Centre, namespace: str) -> None:
    create(centre, namespace, "alive")
    centre.business("alive", "create", "namespace", "memory", namespace=namespace)
    endpoint = centre.get("cluster", "alive", "-n", namespace)["status"]["endpoint"]
    keeper = pod(centre, namespace, "etcd")["spec"]["nodeName"]
    if pod(centre, namespace, "kube-apiserver")["spec"]["nodeName"] == keeper:
        centre.kubectl("cordon", keeper)
        centre.kubectl("delete", "pod", pod(centre, namespace, "kube-apiserver")["metadata"]["name"], "-n", namespace)
        eventually(lambda: pod(centre, namespace, "kube-apiserver")["spec"]["nodeName"] != keeper, within_s=30)
        centre.kubectl("uncordon", keeper)
        wait_ready(centre, namespace, "alive")
    victim = pod(centre, namespace, "kube-apiserver")["spec"]["nodeName"]

    power(centre, victim, on=False)
    try:
        eventually(
            lambda: "memory" in centre.business("alive", "get", "namespaces", "-o", "name", namespace=namespace),
            within_s=READY_S,
        )
        assert centre.get("cluster", "alive", "-n", namespace)["status"]["endpoint"] == endpoint
    finally:
        power(centre, victim, on=True)
    wait_ready(centre, namespace, "alive")


def test_after_a_reboot_of_the_machine_up_brings_everything_back(centre: Centre, namespace: str) -> None:
    centre.kubectl("create", "configmap", "memory", "-n", namespace, "--from-literal=of=before")
    create(centre, namespace, "again")
    centre.business("again", "create", "namespace", "memory", namespace=namespace)
    endpoint = centre.get("cluster", "again", "-n", namespace)["status"]["endpoint"]
    lose_power(centre)
    assert centre.status()["is_ready"] is False
    centre.homeostat("up")
    # The webhooks answer at once: this is what people do first.
    wrong = declared("wrong", overrides=[{"name": "kube-apiserver", "args": {"etcd-servers": "https://elsewhere"}}])
    done = homeostat(centre, "apply", "-f", "-", "--dry-run=server", stdin=wrong, check=False)
    assert "spec.overrides[kube-apiserver].args[etcd-servers]" in done.stderr, done.stderr
    assert centre.get("configmap", "memory", "-n", namespace)["data"] == {"of": "before"}
    assert centre.status()["is_ready"] is True

    def back() -> bool:
        return "memory" in centre.business("again", "get", "namespaces", "-o", "name", namespace=namespace)

    eventually(back, within_s=READY_S)
    wait_ready(centre, namespace, "again")
    assert centre.get("cluster", "again", "-n", namespace)["status"]["endpoint"] == endpoint


def test_the_operator_may_die_while_it_makes_and_while_it_removes(centre: Centre, namespace: str) -> None:
    def kill_operators() -> None:
        selector = "app.kubernetes.io/name=homeostat"
        centre.kubectl("delete", "pods", "-n", "homeostat-system", "-l", selector, "--grace-period=0", "--force")

    declare(centre, namespace, "tossed")
    eventually(lambda: "StatefulSet/tossed-etcd" in content(centre, namespace), within_s=30, every_s=0.1)
    kill_operators()
    wait_ready(centre, namespace, "tossed")
    centre.kubectl("delete", "cluster", "tossed", "-n", namespace, "--wait=false")
    kill_operators()
    centre.kubectl("wait", "cluster/tossed", "-n", namespace, "--for=delete", "--timeout=120s")
    left = {one for one in content(centre, namespace) if "tossed" in one}
    assert left == set()


def test_the_operator_runs_as_a_process_and_ends_in_peace(centre: Centre, namespace: str) -> None:
    deployment = ("deployment/homeostat", "-n", "homeostat-system")
    centre.kubectl("scale", *deployment, "--replicas=0")
    pods = ("pods", "-n", "homeostat-system", "-l", "app.kubernetes.io/name=homeostat")
    centre.kubectl("wait", *pods, "--for=delete", "--timeout=60s")
    # A process out here serves no webhooks, and nobody else is left to.
    centre.kubectl("delete", "validatingwebhookconfiguration", "homeostat-cell", "--ignore-not-found")
    environment = {**os.environ, "KUBECONFIG": str(centre.inner.kubeconfig)}
    command = [*centre.command("run", "cell", "--health-port", "0")[:-2], "--namespaces", namespace]
    try:
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            try:
                create(centre, namespace, "outside")
                process.send_signal(signal.SIGTERM)
                assert process.wait(30) == 0
            finally:
                process.kill()
    finally:
        centre.kubectl("scale", *deployment, "--replicas=2")
        centre.kubectl("rollout", "status", *deployment, "--timeout=60s")


def volumes_of(centre: Centre, namespace: str) -> list[str]:
    items = centre.get("pv")["items"]
    return [one["metadata"]["name"] for one in items if one["spec"]["claimRef"]["namespace"] == namespace]


def audited(centre: Centre, namespace: str, master: str) -> set[tuple[str, str, str]]:
    """Who did what to which object, as an API server's audit log in its Pod tells."""
    lines = centre.kubectl("logs", master, "-n", namespace).splitlines()
    events = [json.loads(line) for line in lines if line.startswith('{"kind":"Event"')]
    return {(one["user"]["username"], one["verb"], one.get("objectRef", {}).get("name", "")) for one in events}
