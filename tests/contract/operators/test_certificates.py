"""Certificates that will run out are renewed under their masters, one Secret at a time."""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime, timedelta
from subprocess import CalledProcessError

import yaml
from cryptography import x509
from tests.support.apiserver import ApiServer
from tests.support.cells import Cell
from tests.support.operating import FakeEndpoint
from tests.support.silence import NAME, forbidding

from homeostat.kit.clock import SystemClock
from homeostat.kit.pki.authority import LEAF_LIFE
from homeostat.kit.random import system_random
from homeostat.operators.cluster.pki.kubeconfig import write_kubeconfig
from homeostat.providers.endpoint.probing import EndpointProbe

RENEWED = {"demo-etcd", "demo-apiserver", "demo-controller-manager", "demo-scheduler", "demo-admin-kubeconfig"}


def runs_out(cell: Cell, secret: str, entry: str) -> datetime:
    """When a certificate in a Secret does."""
    content = b64decode(cell.get("Secret", secret)["data"][entry])
    return x509.load_pem_x509_certificate(content).not_valid_after_utc


def pods(cell: Cell, *components: str) -> set[str]:
    """The uids of Pods of some components."""
    marks = "app.kubernetes.io/component"
    return {each["metadata"]["uid"] for each in cell.all("Pod") if each["metadata"]["labels"][marks] in components}


def told(cell: Cell) -> list[str]:
    """Which Secrets were renewed, in their order."""
    events = [event for event in cell.all("Event") if event["reason"] == "Renewed"]
    return [str(each["note"]).split()[2].rstrip(":") for each in sorted(events, key=lambda one: str(one["eventTime"]))]


async def test_a_day_before_they_run_out_all_certificates_are_renewed_and_servers_run_on(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
    serving, controllers = pods(cell, "etcd", "kube-apiserver"), pods(cell, "kube-controller-manager", "kube-scheduler")
    authority = cell.get("Secret", "demo-pki")
    async with cell.operator(ahead=LEAF_LIFE - timedelta(days=1)):
        await cell.kubelet.until(lambda: set(told(cell)) == RENEWED, "all are renewed", within_s=60)
        await cell.kubelet.until(
            lambda: not controllers & pods(cell, "kube-controller-manager", "kube-scheduler"),
            "controllers have read their kubeconfigs anew",
        )
        status = await cell.until_ready()
    later = cell.clock.now() + LEAF_LIFE + timedelta(days=300)
    assert runs_out(cell, "demo-apiserver", "serving.crt") > later
    assert runs_out(cell, "demo-etcd", "peer.crt") > later
    assert pods(cell, "etcd", "kube-apiserver") == serving
    assert cell.get("Secret", "demo-pki") == authority
    assert {each["authority"] for each in status["certificates"]} == {"ca", "etcd-ca", "front-proxy-ca"}
    assert all(datetime.fromisoformat(each["soonest"]) > later for each in status["certificates"])
    assert not [event for event in cell.all("Event") if event["reason"] == "Repaired"]


async def test_the_second_controller_is_renewed_when_the_first_is_back(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare(topology="single")
        await cell.until_ready()
    cell.kubelet.behave("start", "kube-controller-manager")
    async with cell.operator(ahead=LEAF_LIFE - timedelta(days=100)):
        await cell.until_condition("ControllersReady", "Progressing")
        before = set(told(cell))
        cell.kubelet.behave("run", "kube-controller-manager")
        await cell.kubelet.until(lambda: set(told(cell)) == RENEWED, "all are renewed", within_s=60)
    assert "demo-scheduler" not in before


def entry(cell: Cell, secret: str, name: str) -> bytes:
    return b64decode(cell.get("Secret", secret)["data"][name])


async def rotated(cell: Cell, kind: str, number: int) -> None:
    await cell.kubelet.until(
        lambda: cell.status().get("rotations", {}).get(kind) == number and "rotation" not in cell.status(),
        f"{kind} are rotated",
        within_s=90,
    )


async def test_authorities_are_rotated_and_nothing_of_the_old_ones_is_left(cell: Cell) -> None:
    async with cell.operator(haste=20):
        await cell.declare()
        await cell.until_ready()
        old = entry(cell, "demo-pki", "ca.crt")
        await cell.set_spec(keys={"rotations": {"authorities": 1}})
        told = await cell.until_condition("PKIReady", "RotationHeld")
        assert told["status"] == "True"
        trusted = entry(cell, "demo-apiserver", "ca.crt")
        assert old.strip() in trusted
        assert trusted.count(b"BEGIN CERTIFICATE") == 2
        await cell.set_spec(keys={"released": {"authorities": 1}})
        await rotated(cell, "authorities", 1)
        await cell.until_ready()
    assert entry(cell, "demo-apiserver", "ca.crt") == entry(cell, "demo-pki", "ca.crt") != old
    assert not [name for name in cell.get("Secret", "demo-pki")["data"] if name.startswith("next-")]


async def test_a_new_cluster_encrypts_its_secrets_and_its_key_is_rotated_unattended(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare()
        first = (await cell.until_ready())["encryptionKey"]
        assert first.encode() in entry(cell, "demo-apiserver", "encryption.yaml")
        await cell.set_spec(keys={"rotations": {"encryptionKey": 1}})
        await rotated(cell, "encryptionKey", 1)
        second = (await cell.until_ready())["encryptionKey"]
    config = entry(cell, "demo-apiserver", "encryption.yaml")
    assert second.encode() in config
    assert first.encode() not in config
    assert cell.endpoint.rewritten == ["", "1", "2"]


class RealSecrets(FakeEndpoint):
    """The double, but Secrets that are to be written anew are those of a real API server."""

    def __init__(self, server: ApiServer) -> None:
        super().__init__()
        certificate, key = server.authority.user("admin", "system:masters")
        trusted = server.authority.certificate
        self._config = write_kubeconfig(server.url, "admin", ca=trusted, certificate=certificate, key=key)
        self._probe = EndpointProbe(clock=SystemClock(), random=system_random())

    async def rewrite_secrets(self, kubeconfig: bytes, after: str) -> str:
        return await self._probe.rewrite_secrets(self._config, after)


async def until_denied(server: ApiServer, *words: str) -> None:
    """The API server takes a moment to hear of a policy."""
    clock = SystemClock()
    async with clock.timeout(30):
        while True:
            try:
                server.kubectl(*words)
            except CalledProcessError:
                return
            await clock.sleep(0.1)


async def test_a_secret_that_a_policy_lets_nobody_write_keeps_both_keys_and_holds_a_rotation_until_it_may_be_written(
    cell: Cell, server: ApiServer
) -> None:
    cell.endpoint = RealSecrets(server)
    server.kubectl("create", "secret", "generic", "guarded", "-n", cell.namespace)
    guarded = f"!(object.metadata.name == 'guarded' && object.metadata.namespace == '{cell.namespace}')"
    async with cell.operator(haste=20):
        await cell.declare()
        first = (await cell.until_ready())["encryptionKey"]
        with forbidding(server, "secrets", guarded):
            nothing = ("patch", "secret", "guarded", "-n", cell.namespace, "--type=merge", "-p", "{}")
            await until_denied(server, *nothing)
            await cell.set_spec(keys={"rotations": {"encryptionKey": 1}})
            told = await cell.until_condition("PKIReady", "RotationStuck")
            assert f"secrets {cell.namespace}/guarded" in told["message"]
            assert f"ValidatingAdmissionPolicy '{NAME}'" in told["message"]
            assert told["status"] == "True"
            both = keys_in(cell)
            assert (len(both), first in both) == (2, True)
        await rotated(cell, "encryptionKey", 1)
        await cell.until_ready()
    assert keys_in(cell) == both - {first}


def keys_in(cell: Cell) -> set[str]:
    """The names of the keys that an API server knows for Secrets."""
    (secrets,) = yaml.safe_load(entry(cell, "demo-apiserver", "encryption.yaml"))["resources"]
    return {key["name"] for each in secrets["providers"] for key in each.get("secretbox", {}).get("keys", ())}


async def test_a_rotation_survives_the_death_of_the_operator_at_any_stage(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
    await cell.set_spec(keys={"rotations": {"tokenKey": 1}, "released": {"tokenKey": 1}})
    for stage in ("Preparing", "Trusting", "Using", "Dropping"):
        async with cell.operator():
            await cell.kubelet.until(
                lambda: cell.status().get("rotation", {}).get("stage") == stage,  # noqa: B023
                f"the rotation is {stage}",
            )
    old = entry(cell, "demo-pki", "next-sa.key")
    async with cell.operator():
        await rotated(cell, "tokenKey", 1)
        await cell.until_ready()
    assert entry(cell, "demo-apiserver", "sa.key") == entry(cell, "demo-pki", "sa.key") == old
    assert entry(cell, "demo-apiserver", "sa.pub").count(b"BEGIN PUBLIC KEY") == 1
