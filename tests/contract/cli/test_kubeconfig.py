"""Short-lived kubeconfigs, signed by a real controller manager for a key that nobody else has."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from tests.contract.cli.conftest import Homeostat
from tests.support.apiserver import ApiServer
from tests.support.kinds import cluster
from tests.support.real import require

from homeostat.cli.exits import Exit
from homeostat.kube.config import from_kubeconfig_bytes
from homeostat.operators.cluster.pki.kubeconfig import write_kubeconfig

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def signing(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """The API server as the business cluster `shop` in the cell that it is too, with a controller that signs."""
    place = tmp_path_factory.mktemp("signing")
    (place / "ca.key").write_bytes(server.authority.key)
    certificate, key = server.authority.user("homeostat:admin", "system:masters")
    trusted = server.authority.certificate
    admin = write_kubeconfig(server.url, "homeostat:admin", ca=trusted, certificate=certificate, key=key)
    server.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(cluster("shop", "cli")))
    content = {"kubeconfig": base64.b64encode(admin).decode()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shop-admin-kubeconfig", "namespace": "cli"}}
    server.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps({**secret, "data": content}))
    flags = {
        "kubeconfig": str(server.kubeconfig),
        "controllers": "csrsigning",
        "cluster-signing-cert-file": str(server.directory / "ca.crt"),
        "cluster-signing-key-file": str(place / "ca.key"),
        "leader-elect": "false",
        "secure-port": "0",
    }
    command = [str(require("kube-controller-manager")), *(f"--{name}={value}" for name, value in flags.items())]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdout=log, stderr=log)
    try:
        yield server
    finally:
        process.terminate()
        process.wait(20)


def holder(kubeconfig: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(from_kubeconfig_bytes(kubeconfig.encode()).client_certificate)


def test_it_lasts_an_hour_and_names_who_asked(signing: ApiServer, homeostat: Homeostat, tmp_path: Path) -> None:
    file = tmp_path / "shop.kubeconfig"
    outcome = homeostat("kubeconfig", "shop", "-n", "cli", "-o", str(file))
    assert outcome.code == Exit.OK, outcome.err
    made = holder(file.read_text())
    assert made.subject.rfc4514_string() == "CN=cell:admin,O=homeostat:admins"
    left = made.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(minutes=50) < left <= timedelta(hours=1)
    assert file.stat().st_mode & 0o777 == 0o600
    kubectl = [str(require("kubectl")), f"--kubeconfig={file}", "auth", "can-i", "delete", "nodes"]
    assert subprocess.run(kubectl, capture_output=True, text=True, timeout=30, check=False).stdout.strip() == "yes"
    assert signing.kubectl("get", "certificatesigningrequests", "-o", "name") == ""


def test_a_holder_of_another_group_may_do_what_its_group_may(
    signing: ApiServer, homeostat: Homeostat, tmp_path: Path
) -> None:
    words = ("--user", "eve", "--group", "guests", "--ttl", "10m")
    text = homeostat("kubeconfig", "shop", "-n", "cli", *words).out
    made = holder(text)
    assert made.subject.rfc4514_string() == "CN=eve,O=guests"
    assert made.not_valid_after_utc - datetime.now(UTC) <= timedelta(minutes=10)
    file = tmp_path / "eve.kubeconfig"
    file.write_text(text)
    kubectl = [str(require("kubectl")), f"--kubeconfig={file}", "auth", "can-i", "get", "secrets"]
    assert subprocess.run(kubectl, capture_output=True, text=True, timeout=30, check=False).stdout.strip() == "no"


@pytest.mark.usefixtures("signing")
def test_kubernetes_signs_nothing_that_cannot_be_taken_away(homeostat: Homeostat) -> None:
    refused = homeostat("kubeconfig", "shop", "-n", "cli", "--group", "system:masters")
    assert refused.code != Exit.OK
    assert "system:masters" in refused.err


def test_less_than_kubernetes_signs_for_is_refused_with_the_least(homeostat: Homeostat) -> None:
    refused = homeostat("kubeconfig", "shop", "-n", "cli", "--ttl", "5m")
    assert refused.code == Exit.USAGE
    assert "--ttl: expected 10m or more, found 300s" in refused.err
