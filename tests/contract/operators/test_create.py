"""A Cluster that is declared comes to be, tells how far it is, and then is left in peace."""

from __future__ import annotations

from base64 import b64decode
from itertools import pairwise

import pytest
from cryptography import x509
from tests.support.cells import PACKAGE, Cell
from tests.support.kinds import example
from tests.support.kubelet import KINDS, Behaviour, Whole
from tests.support.operating import SERVED

from homeostat.kube.config import from_kubeconfig_bytes

PRIORITY = 100_000_000  # deploy/operator/priority.yaml
CONDITIONS = {
    "Accepted": "AsDeclared",
    "PKIReady": "AsDeclared",
    "EndpointAssigned": "Assigned",
    "EtcdReady": "Ready",
    "APIServerReady": "Ready",
    "ControllersReady": "Ready",
    "Scaled": "AsDeclared",
    "UpToDate": "AsDeclared",
    "Available": "Serving",
    "Ready": "Serving",
}


async def test_a_declared_cluster_becomes_ready_and_says_so(cell: Cell) -> None:
    async with cell.operator():
        made = await cell.declare()
        status = await cell.until_ready()
    assert status["phase"] == "Ready"
    assert status["observedGeneration"] == made["metadata"]["generation"]
    assert status["packageVersion"] == status["kubernetesVersion"] == SERVED
    assert status["endpoint"] == {"host": "10.250.0.10", "port": 6443}
    assert status["startedAt"] <= status["readyAt"]
    assert "attempts" not in status
    assert {each["type"]: each["reason"] for each in status["conditions"]} == CONDITIONS
    assert {each["status"] for each in status["conditions"]} == {"True"}
    assert {each["observedGeneration"] for each in status["conditions"]} == {1}
    assert [(each["name"], each["desired"], each["ready"], each["state"]) for each in status["components"]] == [
        (name, 1, 1, "Ready") for name in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
    ]
    assert cell.get("Cluster", "demo")["metadata"]["finalizers"] == ["cluster.homeostat.dev/masters"]


async def test_its_story_is_told_in_events(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare()
        await cell.until_told("Created", f"serves Kubernetes {SERVED}")
    events = sorted(cell.all("Event"), key=lambda each: str(each["eventTime"]))
    reasons = [each["reason"] for each in events]
    assert reasons[:2] == ["Creating", "Issuing"]
    assert reasons[-1] == "Created"
    assert set(reasons) == {"Creating", "Issuing", *CONDITIONS, "Created"} - {
        "Accepted",
        "Scaled",
        "UpToDate",
        "Available",
        "Ready",
    }
    assert len(reasons) == len(set(reasons)), "each is told once"
    assert {each["type"] for each in events} == {"Normal"}
    assert {each["regarding"]["kind"] for each in events} == {"Cluster"}


async def test_its_secrets_hold_what_masters_and_people_need_and_nothing_more(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
    entries = {secret["metadata"]["name"]: set(secret["data"]) for secret in cell.all("Secret")}
    pair = ("ca", "etcd-ca", "front-proxy-ca")
    assert entries == {
        "demo-pki": {"sa.key", "encryption.key", *(f"{name}.{half}" for name in pair for half in ("crt", "key"))},
        "demo-etcd": {"etcd-ca.crt", "server.crt", "server.key", "peer.crt", "peer.key"},
        "demo-apiserver": {
            *("ca.crt", "etcd-ca.crt", "front-proxy-ca.crt", "sa.key", "sa.pub", "encryption.yaml"),
            *("serving.crt", "serving.key", "etcd-client.crt", "etcd-client.key"),
            *("kubelet-client.crt", "kubelet-client.key", "front-proxy-client.crt", "front-proxy-client.key"),
        },
        "demo-controller-manager": {
            *("ca.crt", "ca-signer.crt", "ca.key", "front-proxy-ca.crt"),
            *("sa.key", "kubeconfig"),
        },
        "demo-scheduler": {"kubeconfig"},
        "demo-admin-kubeconfig": {"kubeconfig"},
    }
    authority = x509.load_pem_x509_certificate(content(cell, "demo-pki", "ca.crt"))
    serving = x509.load_pem_x509_certificate(content(cell, "demo-apiserver", "serving.crt"))
    serving.verify_directly_issued_by(authority)
    names = serving.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"10.250.0.10", "10.201.0.1"} <= {str(name) for name in names.get_values_for_type(x509.IPAddress)}
    assert "kubernetes.default.svc" in names.get_values_for_type(x509.DNSName)
    admin = from_kubeconfig_bytes(content(cell, "demo-admin-kubeconfig", "kubeconfig"))
    assert admin.server == "https://10.250.0.10:6443"
    assert admin.ca.strip() == content(cell, "demo-pki", "ca.crt").strip()
    client = x509.load_pem_x509_certificate(admin.client_certificate)
    client.verify_directly_issued_by(authority)
    assert "system:masters" in client.subject.rfc4514_string()
    assert cell.endpoint.kubeconfigs[0] == content(cell, "demo-admin-kubeconfig", "kubeconfig")


def content(cell: Cell, secret: str, entry: str) -> bytes:
    return b64decode(cell.get("Secret", secret)["data"][entry])


async def test_everything_derived_is_marked_and_owned(cell: Cell) -> None:
    async with cell.operator():
        made = await cell.declare()
        await cell.until_ready()
    uid = made["metadata"]["uid"]
    others = ("ConfigMap", "PodDisruptionBudget")
    derived = [obj for kind in ("Secret", "Service", "StatefulSet", "Deployment", *others) for obj in cell.all(kind)]
    assert len(derived) == 6 + 3 + 1 + 3 + 2 + 2
    for obj in derived:
        assert obj["metadata"]["labels"]["cluster.homeostat.dev/uid"] == uid
        assert [(owner["uid"], owner["controller"]) for owner in obj["metadata"]["ownerReferences"]] == [(uid, True)]
    for other in (*cell.all("Pod"), *cell.all("PersistentVolumeClaim")):
        assert other["metadata"]["labels"]["cluster.homeostat.dev/uid"] == uid


async def test_every_master_has_its_priority_and_asks_for_what_its_package_version_says(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
    wanted = {
        each["name"]: each["resources"] for each in example(f"packageversions/{PACKAGE}.yaml")["spec"]["components"]
    }
    pods = {pod["metadata"]["labels"]["app.kubernetes.io/component"]: pod["spec"] for pod in cell.all("Pod")}
    assert {name: pod["containers"][0]["resources"] for name, pod in pods.items()} == wanted
    # The API server's own admission has looked the class up.
    assert {pod["priorityClassName"] for pod in pods.values()} == {"homeostat-masters"}
    assert {pod["priority"] for pod in pods.values()} == {PRIORITY}


async def test_masters_start_in_the_order_of_what_they_need(cell: Cell) -> None:
    cell.kubelet.behave("hold", "etcd")
    cell.kubelet.behave("start", "kube-apiserver")
    async with cell.operator():
        await cell.declare()
        await cell.until_condition("EtcdReady", "Progressing")
        assert cell.condition("APIServerReady")["reason"] == "NotCreated"
        assert not cell.all("Deployment")
        cell.kubelet.behave("run", "etcd")
        await cell.until_condition("APIServerReady", "Progressing")
        assert [each["metadata"]["name"] for each in cell.all("Deployment")] == ["demo-apiserver"]
        cell.kubelet.behave("run", "kube-apiserver")
        await cell.until_ready()


async def test_without_an_address_it_waits_and_says_for_what(cell: Cell) -> None:
    cell.kubelet.gives_addresses = False
    async with cell.operator():
        await cell.declare(endpoint__address="10.9.8.7")
        told = await cell.until_condition("EndpointAssigned", "WaitingForAddress")
        assert told["message"] == "Service demo-apiserver of type LoadBalancer has no address 10.9.8.7 yet"
        cell.kubelet.gives_addresses = True
        cell.kubelet.look_again()
        assert (await cell.until_ready())["endpoint"]["host"] == "10.9.8.7"


@pytest.mark.parametrize(
    ("component", "condition", "behaviour", "reason", "message"),
    [
        ("etcd", "EtcdReady", "image", "ImageUnavailable", "image homeostat.local/etcd:3.6.16 cannot be had on host"),
        ("kube-apiserver", "APIServerReady", "crash", "Crashing", "ended 4 times (exit code 2): bad flag"),
        ("kube-scheduler", "ControllersReady", "unschedulable", "Unschedulable", "3 Insufficient memory"),
    ],
)
async def test_a_component_that_cannot_start_says_why_and_goes_on_when_it_can(
    cell: Cell, component: str, condition: str, behaviour: Behaviour, reason: str, message: str
) -> None:
    cell.kubelet.behave(behaviour, component)
    async with cell.operator():
        await cell.declare()
        told = await cell.until_condition(condition, reason)
        assert told["status"] == "False"
        assert message in told["message"]
        assert cell.condition("Ready")["reason"] == reason
        assert component in cell.condition("Ready")["message"]
        cell.kubelet.behave("run", component)
        await cell.until_ready()


async def test_a_ready_cluster_that_loses_a_master_is_degraded_until_it_is_back(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare()
        ready_at = (await cell.until_ready())["readyAt"]
        cell.kubelet.behave("crash", "kube-scheduler")
        await cell.until_condition("Ready", "Crashing")
        assert cell.status()["phase"] == "Degraded"
        cell.kubelet.behave("run", "kube-scheduler")
        assert (await cell.until_ready())["readyAt"] == ready_at


async def test_an_endpoint_that_does_not_answer_is_told_and_asked_about_once_a_second(cell: Cell) -> None:
    cell.endpoint.failure = "nobody listens"
    async with cell.operator(haste=20):
        await cell.declare()
        told = await cell.until_condition("Ready", "EndpointUnreachable")
        assert told["message"] == "Available: nobody listens"
        await cell.endpoint.until_asked(4)
        assert all(later - sooner > 0.999 / 20 for sooner, later in pairwise(cell.endpoint.asked_at))
        cell.endpoint.failure = ""
        await cell.until_ready()


async def test_once_ready_and_idle_nothing_is_written_and_probes_ask_nothing_of_the_cell(cell: Cell) -> None:
    async with cell.operator(haste=100) as operator:
        await cell.declare()
        await cell.until_ready()
        await cell.kubelet.until(lambda: "etcd" in cell.status(), "the first look at the stores of etcd is told")
        await cell.endpoint.until_asked(2)
        before = len(operator.faults.sent)
        await cell.endpoint.until_asked(4)
        idle = [sent for sent in operator.faults.sent[before:] if not is_watch(sent.path, cell)]
        assert [(sent.method, sent.path) for sent in idle] == []


def is_watch(path: str, cell: Cell) -> bool:
    """Whether a path is that of a whole collection."""
    return path.rpartition("/")[2] in (
        *("clusters", "clusterpackageversions", "nodes"),
        *("secrets", "services", "statefulsets", "deployments", "pods", "persistentvolumeclaims"),
        *("configmaps", "poddisruptionbudgets"),
    )


async def test_another_operator_finds_nothing_to_change(cell: Cell) -> None:
    async with cell.operator() as first:
        await cell.declare()
        await cell.until_ready()
        await cell.kubelet.until(lambda: is_formed(cell), "etcd is said to be formed")
        assert await first.end() == 0
    before = everything(cell)
    async with cell.operator():
        await cell.endpoint.until_asked(1)
    assert everything(cell) == before


def is_formed(cell: Cell) -> bool:
    return bool(cell.get("ConfigMap", "demo-etcd")["data"]["initial-cluster-state"] == "existing")


def everything(cell: Cell) -> list[Whole]:
    return [obj for kind in KINDS if kind != "Event" for obj in cell.all(kind)]


async def test_clusters_side_by_side_do_not_mix(cell: Cell) -> None:
    async with cell.operator():
        for name in ("a", "a-etcd", "b"):
            await cell.declare(name)
        hosts = {(await cell.until_ready(name))["endpoint"]["host"] for name in ("a", "a-etcd", "b")}
    assert len(hosts) == 3
    assert len({content(cell, f"{name}-pki", "ca.crt") for name in ("a", "a-etcd", "b")}) == 3


async def test_a_paused_cluster_is_not_touched_until_it_goes_on(cell: Cell) -> None:
    async with cell.operator() as operator:
        await cell.declare(paused=True)
        await cell.until_condition("Accepted", "Paused")
        assert cell.status()["phase"] == "Paused"
        assert {sent.path.rpartition("/")[2] for sent in operator.faults.writes} == {"status"}
        await cell.set_spec(paused=False)
        await cell.until_ready()
