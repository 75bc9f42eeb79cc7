"""A real API server for the measurements: etcd without fsync in memory, kube-apiserver with TLS and one admin token."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

TOKEN = "benchmark-admin"


@dataclass(frozen=True)
class Server:
    """Where an API server answers and how to be its admin."""

    url: str
    ca_file: Path
    kubeconfig: Path

    def session(self) -> aiohttp.ClientSession:
        """A plain HTTP session as admin."""
        trust = ssl.create_default_context(cafile=str(self.ca_file))
        return aiohttp.ClientSession(
            self.url,
            headers={"Authorization": f"Bearer {TOKEN}"},
            connector=aiohttp.TCPConnector(ssl=trust, limit=16),
        )


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pinned(core: int, command: list[str]) -> list[str]:
    """The command, kept to one core where the machine has more than one."""
    return ["taskset", "-c", str(core), *command] if (os.cpu_count() or 1) > 1 else command


def write_kubeconfig(path: Path, url: str, ca_file: Path) -> None:
    """A kubeconfig (JSON is YAML) that every client library reads."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bench",
        "clusters": [{"name": "bench", "cluster": {"server": url, "certificate-authority": str(ca_file)}}],
        "users": [{"name": "admin", "user": {"token": TOKEN}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "admin", "namespace": "default"}}],
    }
    path.write_text(json.dumps(config))


def new_place() -> Path:
    """A directory in memory where there is one."""
    return Path(tempfile.mkdtemp(prefix="homeostat-bench-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))


def last_words(log: Path) -> str:
    """The end of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])


@contextlib.asynccontextmanager
async def api_server(binaries: Path, etcd: Path) -> AsyncIterator[Server]:
    """Start both, wait until /readyz says ok, and stop both at the end."""
    place = new_place()
    ports = free_port(), free_port(), free_port()
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, place, ignore_errors=True)
        log = stack.enter_context((place / "log").open("wb"))
        for command in (etcd_command(etcd, place, ports), apiserver_command(binaries, place, ports)):
            process = subprocess.Popen(pinned(0, command), stdout=log, stderr=log)  # noqa: ASYNC220  (returns at once)
            stack.callback(stop, process)
        url = f"https://127.0.0.1:{ports[2]}"
        server = Server(url, place / "certs" / "apiserver.crt", place / "kubeconfig")
        write_kubeconfig(server.kubeconfig, url, server.ca_file)
        await wait_ready(server, place / "log")
        yield server


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process of ours and wait for it."""
    process.terminate()
    process.wait(30)


def etcd_command(etcd: Path, place: Path, ports: tuple[int, int, int]) -> list[str]:
    """One member in memory."""
    client, peer = f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}"
    return [
        str(etcd), "--data-dir", str(place / "etcd"), "--unsafe-no-fsync", "--log-level", "error",
        "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
        "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
        "--quota-backend-bytes", "4294967296",
    ]  # fmt: skip


def apiserver_command(binaries: Path, place: Path, ports: tuple[int, int, int]) -> list[str]:
    """An API server that makes its own serving certificate."""
    key = rsa.generate_private_key(65537, 2048)
    (place / "sa.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (place / "tokens").write_text(f"{TOKEN},admin,admin,system:masters\n")
    return [
        str(binaries / "kube-apiserver"), "--etcd-servers", f"http://127.0.0.1:{ports[0]}",
        "--secure-port", str(ports[2]),
        "--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--endpoint-reconciler-type", "none",
        "--cert-dir", str(place / "certs"), "--token-auth-file", str(place / "tokens"), "--authorization-mode", "RBAC",
        "--service-account-issuer", "https://bench.example.com", "--service-account-key-file", str(place / "sa.key"),
        "--service-account-signing-key-file", str(place / "sa.key"), "--service-cluster-ip-range", "10.0.0.0/24",
        "--disable-admission-plugins", "ServiceAccount", "--profiling=false", "-v", "1",
    ]  # fmt: skip


async def wait_ready(server: Server, log: Path, seconds: float = 90) -> None:
    """Return when the API server is ready; show its last words when it is not in time."""
    for _ in range(int(seconds / 0.25)):
        with contextlib.suppress(aiohttp.ClientError, OSError):  # not listening yet is what is waited for
            async with server.session() as session, session.get("/readyz") as answer:
                if answer.status == 200:
                    return
        await asyncio.sleep(0.25)
    raise TimeoutError(f"the API server is not ready after {seconds:.0f} s; its last words:\n{last_words(log)}")
