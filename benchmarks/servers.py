"""What contenders talk to, on the core that this process is kept to: a real API server, or a stub that serves Pods.

The API server is the one of the contract tests (tests/support/apiserver.py): bare processes, TLS, etcd without fsync.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from tests.support.apiserver import ApiServer, launch
from tests.support.certificates import Authority

STOP_TIMEOUT_S = 30


@dataclass(frozen=True)
class Server:
    """Where an API server answers and how to be its admin."""

    url: str
    kubeconfig: Path
    trust: ssl.SSLContext

    def session(self) -> aiohttp.ClientSession:
        """A plain HTTP session as admin."""
        return aiohttp.ClientSession(self.url, connector=aiohttp.TCPConnector(ssl=self.trust, limit=16))


def _describe(api: ApiServer) -> Server:
    trust = ssl.create_default_context(cadata=api.authority.certificate.decode())
    trust.load_cert_chain(api.directory / "admin.crt", api.directory / "admin.key")
    return Server(api.url, api.kubeconfig, trust)


@contextlib.asynccontextmanager
async def api_server() -> AsyncIterator[Server]:
    """A fresh, empty API server; nothing stays of it."""
    api = await asyncio.to_thread(launch)
    try:
        yield _describe(api)
    finally:
        api.stop()
        shutil.rmtree(api.directory, ignore_errors=True)


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def pod_stub(program: Path, pods: int) -> AsyncIterator[tuple[str, bytes]]:
    """A server of Pods over TLS; yields the kubeconfig that reaches it, and what the stub said of itself."""
    with tempfile.TemporaryDirectory(prefix="homeostat-bench-") as name:
        place, port = Path(name), free_port()
        authority = Authority()
        certificate, key = authority.server("127.0.0.1")
        for file, content in (("ca.crt", authority.certificate), ("tls.crt", certificate), ("tls.key", key)):
            (place / file).write_bytes(content)
        # The kernel ends it should this process be killed before it can.
        command = ["setpriv", "--pdeathsig", "KILL", str(program), "-pods", str(pods), "-listen", f"127.0.0.1:{port}"]
        command += ["-cert", str(place / "tls.crt"), "-key", str(place / "tls.key")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: ASYNC220  (returns at once)
        try:
            assert process.stdout is not None
            greeting = await asyncio.to_thread(process.stdout.readline)
            kubeconfig = place / "kubeconfig"
            kubeconfig.write_text(json.dumps(_kubeconfig(f"https://127.0.0.1:{port}", place / "ca.crt")))
            yield str(kubeconfig), greeting
        finally:
            process.terminate()
            process.wait(STOP_TIMEOUT_S)


def _kubeconfig(url: str, authority: Path) -> dict[str, object]:
    """Enough for every client library; the stub lets anybody in."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bench",
        "clusters": [{"name": "bench", "cluster": {"server": url, "certificate-authority": str(authority)}}],
        "users": [{"name": "anybody", "user": {"token": "anything"}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "anybody"}}],
    }
