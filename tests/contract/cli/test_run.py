"""`homeostat run cell` and `run cluster` as processes: they serve, end when asked, and do not hide that they failed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.apiserver import ApiServer, free_port
from tests.support.clusters import package
from tests.support.datacentre import eventually

from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.operators.cluster.hosting.rights import rights, user_of
from homeostat.operators.cluster.pki.kubeconfig import write_kubeconfig
from homeostat.providers.endpoint.granting import BusinessRights

pytestmark = pytest.mark.real

LEASE = ("homeostat-cluster", "kube-system")
NODE = '{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "counted"}}'


@contextmanager
def running(
    server: ApiServer, *words: str, process: str = "cell", kubeconfig: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the test."""
    command = [sys.executable, "-c", "from homeostat.cli.main import main; main()", "run", process, *words]
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig or server.kubeconfig)}
    home = ("--leader-election-namespace", "cli") if process == "cell" else ()
    with subprocess.Popen(
        [*command, "--health-host", "127.0.0.1", *home],
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def fetch(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_it_becomes_ready_shows_metrics_and_ends_in_peace_when_asked(server: ApiServer) -> None:
    port = free_port()
    with running(server, "--health-port", str(port)) as process:
        eventually(lambda: fetch(port, "/readyz")[0] == 200, within_s=30)
        code, metrics = fetch(port, "/metrics")
        assert code == 200
        assert "homeostat_" in metrics
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_second_process_stands_by_and_takes_over_when_the_first_ends(server: ApiServer) -> None:
    ports = free_port(), free_port()
    with running(server, "--health-port", str(ports[0])) as first:
        eventually(lambda: holder(server).endswith(f"-{first.pid}"), within_s=30)
        with running(server, "--health-port", str(ports[1])) as second:
            eventually(lambda: fetch(ports[1], "/readyz")[0] == 200, within_s=30)
            assert holder(server).endswith(f"-{first.pid}")
            first.send_signal(signal.SIGTERM)
            assert first.wait(20) == 0
            eventually(lambda: holder(server).endswith(f"-{second.pid}"), within_s=10)
            second.send_signal(signal.SIGTERM)
            assert second.wait(20) == 0


def test_a_port_in_use_ends_it_with_an_error_and_not_with_code_0(server: ApiServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with running(server, "--health-port", str(taken.getsockname()[1])) as process:
            _, said = process.communicate(timeout=30)
        assert process.returncode == 1
        assert str(taken.getsockname()[1]) in said


def test_with_a_service_for_webhooks_it_keeps_certificates_and_configuration(server: ApiServer) -> None:
    health, port = free_port(), free_port()
    found = ("get", "validatingwebhookconfiguration", "homeostat-cell", "--ignore-not-found", "-o")
    name = "jsonpath={.webhooks[0].clientConfig.service.name}"
    webhooks = ("--webhook-service", "cli/hooks", "--webhook-host", "127.0.0.1", "--webhook-port", str(port))
    try:
        with running(server, "--health-port", str(health), *webhooks) as process:
            eventually(lambda: fetch(health, "/readyz")[0] == 200, within_s=30)
            eventually(lambda: server.kubectl(*found, name) == "hooks", within_s=30)
            assert "hooks" in server.kubectl("get", "secret", "hooks", "-n", "cli", "-o", "name")
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
    finally:
        server.kubectl("delete", "validatingwebhookconfiguration", "homeostat-cell", "--ignore-not-found")


async def test_the_operator_of_a_cluster_needs_no_more_than_its_package_version_grants(
    server: ApiServer, tmp_path: Path
) -> None:
    shipped = package("v1.35.4-hosted").spec.component("homeostat")
    assert shipped is not None
    granting = BusinessRights(clock=SystemClock(), random=system_random())
    assert shipped.hosted is not None
    wanted = {shipped.name: rights(shipped.name, shipped.hosted.grants)}
    assert await granting.grant(kubeconfig_of(server, "admin", "system:masters"), wanted) == {}
    mine, port = tmp_path / "kubeconfig", free_port()
    mine.write_bytes(kubeconfig_of(server, user_of(shipped.name)))
    with running(server, "--health-port", str(port), process="cluster", kubeconfig=mine) as process:
        eventually(lambda: fetch(port, "/readyz")[0] == 200, within_s=30)
        eventually(lambda: holder(server, *LEASE).endswith(f"-{process.pid}"), within_s=30)
        server.kubectl("create", "-f", "-", stdin=NODE)
        eventually(lambda: 'homeostat_nodes{ready="Unknown"' in fetch(port, "/metrics")[1], within_s=10)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert holder(server, *LEASE) == "", "it gave the lease back"
    server.kubectl("delete", "node", "counted")


def kubeconfig_of(server: ApiServer, user: str, group: str = "nobodies") -> bytes:
    certificate, key = server.authority.user(user, group)
    return write_kubeconfig(server.url, user, ca=server.authority.certificate, certificate=certificate, key=key)


def holder(server: ApiServer, lease: str = "homeostat-cell", namespace: str = "cli") -> str:
    words = ("get", "lease", lease, "-n", namespace, "--ignore-not-found", "-o")
    return server.kubectl(*words, "jsonpath={.spec.holderIdentity}")
