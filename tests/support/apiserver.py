"""A real kube-apiserver with a real etcd, as bare processes on loopback: the ground of the contract tests.

Started once per test session, when the first test asks for the `api_server` fixture, and stopped by process id at the
end; the processes also die with the test run itself. TLS and RBAC are on. There is no controller manager: nothing
collects garbage, and namespaces do not finish deleting.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from ssl import create_default_context
from typing import Literal

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.support.certificates import Authority
from tests.support.real import require

from homeostat.kube.target import Config, Secret

START_ATTEMPTS = 600  # of a tenth of a second each
STOP_TIMEOUT_S = 20.0


class ApiServer:
    """A running API server and the ways to reach it."""

    def __init__(
        self, directory: Path, port: int, authority: Authority, version: str, flags: Sequence[str] = ()
    ) -> None:
        self.directory = directory
        self.etcd_url = ""
        self._flags = flags
        # Nobody makes the default service accounts, without which Pods would be refused.
        self.gives_accounts = False
        self.url = f"https://127.0.0.1:{port}"
        self.authority = authority
        self.version = version
        self.kubeconfig = directory / "admin.kubeconfig"
        self.config = self.config_for("admin", "system:masters")
        self._processes: list[subprocess.Popen[bytes]] = []

    def config_for(self, user: str, *groups: str) -> Config:
        """The configuration of any user, by a client certificate of its own."""
        certificate, key = self.authority.user(user, *groups)
        return Config(
            server=self.url,
            ca=self.authority.certificate,
            client_certificate=certificate,
            client_key=Secret(key),
            context=user,
        )

    def kubectl_command(self, *arguments: str) -> list[str]:
        """The command line of kubectl as admin."""
        binary = require("kubectl", self.version)
        place = (f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.directory / 'cache'}")
        return [str(binary), *place, *arguments]

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as admin and return what it prints. Raises CalledProcessError."""
        command = self.kubectl_command(*arguments)
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True, timeout=60).stdout

    def start(self) -> None:
        """Start etcd and the API server, and wait until it is ready."""
        self.etcd_url = f"http://127.0.0.1:{free_port()}"
        etcd = self._launch("etcd", [str(require("etcd")), *_etcd_flags(self.directory, self.etcd_url)])
        self._await(etcd, f"{self.etcd_url}/health", "etcd")
        self._start_api_server()

    def restart(self) -> None:
        """End the API server and start it again on the same data; files that its flags name are read again."""
        _end(self._processes.pop())
        self._start_api_server()

    def stop(self) -> None:
        """End both processes, the API server first."""
        while self._processes:
            _end(self._processes.pop())

    def _start_api_server(self) -> None:
        binary = require("kube-apiserver", self.version)
        flags = (*_api_server_flags(self.directory, self.etcd_url, self.url), *self._flags)
        if not self.gives_accounts:
            flags += ("--disable-admission-plugins=ServiceAccount",)
        self._await(self._launch("kube-apiserver", [str(binary), *flags]), f"{self.url}/readyz", "kube-apiserver")

    @contextmanager
    def held(self, name: Literal["etcd", "kube-apiserver"]) -> Iterator[None]:
        """One process gets no time until the block ends: its port stays open, and nothing answers."""
        process = self._processes[("etcd", "kube-apiserver").index(name)]
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    def log(self, name: str) -> str:
        """The end of what a process wrote."""
        return (self.directory / f"{name}.log").read_text(errors="replace")[-3000:]

    def _launch(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.directory / f"{name}.log").open("wb") as log:
            # The kernel ends them should this test run be killed before it can.
            guarded = ["setpriv", "--pdeathsig", "KILL", *command]
            process = subprocess.Popen(guarded, stdout=log, stderr=subprocess.STDOUT, cwd=self.directory)
        self._processes.append(process)
        return process

    def _await(self, process: subprocess.Popen[bytes], url: str, name: str) -> None:
        context = create_default_context(cadata=self.authority.certificate.decode())
        if url.startswith("https"):
            context.load_cert_chain(self.directory / "admin.crt", self.directory / "admin.key")
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        for _ in range(START_ATTEMPTS):
            try:
                with opener.open(url, timeout=5) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                # Not yet: give it a moment, unless it gave up.
                if _exits_within(process, 0.1):
                    break
        raise AssertionError(f"{name} did not become ready:\n{self.log(name)}")


def launch(
    version: str = "",
    directory: Path | None = None,
    flags: Sequence[str] = (),
    *,
    accounts: bool = False,
    of: type[ApiServer] = ApiServer,
) -> ApiServer:
    """A fresh API server of a version (a prefix such as "1.34"; empty takes the newest). The caller stops it."""
    directory = directory or Path(tempfile.mkdtemp(prefix="homeostat-apiserver-"))
    server = of(directory, free_port(), Authority(), version, flags)
    server.gives_accounts = accounts
    _write_files(server)
    try:
        server.start()
    except BaseException:
        server.stop()
        raise
    return server


@functools.cache
def shared() -> ApiServer:
    """The one of this test session, however many conftests import the fixture."""
    server = launch()

    def end() -> None:
        server.stop()
        shutil.rmtree(server.directory, ignore_errors=True)

    atexit.register(end)
    return server


@pytest.fixture(scope="session")
def api_server() -> ApiServer:
    """A real API server, shared by the session: use a namespace, and names, of your own."""
    return shared()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _exits_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _write_files(server: ApiServer) -> None:
    place, config = server.directory, server.config
    certificate, key = server.authority.server("127.0.0.1", "localhost", "kubernetes", "kubernetes.default.svc")
    account_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    files = {
        "ca.crt": server.authority.certificate,
        "server.crt": certificate,
        "server.key": key,
        "admin.crt": config.client_certificate,
        "admin.key": config.client_key.data,
        "accounts.key": account_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        "admin.kubeconfig": msgspec.json.encode(_kubeconfig(server)),
    }
    for name, content in files.items():
        (place / name).write_bytes(content)
        (place / name).chmod(0o600)


def _kubeconfig(server: ApiServer) -> dict[str, object]:
    place = server.directory
    cluster = {"server": server.url, "certificate-authority": str(place / "ca.crt")}
    user = {"client-certificate": str(place / "admin.crt"), "client-key": str(place / "admin.key")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "admin",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "admin", "user": user}],
        "contexts": [{"name": "admin", "context": {"cluster": "test", "user": "admin"}}],
    }


def _etcd_flags(place: Path, url: str) -> list[str]:
    peer = f"http://127.0.0.1:{free_port()}"
    return [
        f"--data-dir={place / 'etcd'}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _api_server_flags(place: Path, etcd_url: str, url: str) -> list[str]:
    return [
        f"--etcd-servers={etcd_url}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={url.rpartition(':')[2]}",
        "--endpoint-reconciler-type=none",
        f"--client-ca-file={place / 'ca.crt'}",
        f"--tls-cert-file={place / 'server.crt'}",
        f"--tls-private-key-file={place / 'server.key'}",
        f"--service-account-key-file={place / 'accounts.key'}",
        f"--service-account-signing-key-file={place / 'accounts.key'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--authorization-mode=Node,RBAC",
        "--service-cluster-ip-range=10.0.0.0/16",
        "--shutdown-delay-duration=0s",
    ]
