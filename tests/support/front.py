"""A simulated API server on a port of loopback, and kubectl of the real build before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from tests.support.apiserver import free_port
from tests.support.certificates import Authority
from tests.support.real import require
from tests.support.simulated import simulated_server

from homeostat.kit.clock import SystemClock
from homeostat.sim.apiserver.access.attributes import User
from homeostat.sim.apiserver.server import ApiServer
from homeostat.sim.https import context, serve

TOKEN = "a-token-of-ann"


class Kubectl:
    """kubectl as an administrator by certificate, or as somebody by token."""

    def __init__(self, directory: Path, url: str, authority: Authority) -> None:
        self._directory = directory
        self.program = require("kubectl", "1.35")
        certificate, key = authority.user("admin", "system:masters")
        files = {"ca.crt": authority.certificate, "admin.crt": certificate, "admin.key": key}
        files["kubeconfig"] = msgspec.json.encode(_kubeconfig(directory, url))
        for name, content in files.items():
            (directory / name).write_bytes(content)

    async def run(self, *words: str, stdin: str = "", user: str = "admin") -> tuple[int, str]:
        """The exit code, and all that it printed."""
        options = (f"--kubeconfig={self._directory / 'kubeconfig'}", f"--cache-dir={self._directory / 'cache'}")
        process = await asyncio.create_subprocess_exec(
            str(self.program),
            *options,
            f"--user={user}",
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with SystemClock().timeout(60):
            printed, _ = await process.communicate(stdin.encode())
        return process.returncode or 0, printed.decode()

    async def __call__(self, *words: str, stdin: str = "") -> str:
        """What it printed. Raises AssertionError when it failed."""
        code, printed = await self.run(*words, stdin=stdin)
        assert code == 0, f"kubectl {' '.join(words)}: {printed}"
        return printed


@asynccontextmanager
async def fronted(directory: Path, server: ApiServer | None = None) -> AsyncIterator[Kubectl]:
    """kubectl, while a simulated server serves it: that one, or one of its own."""
    authority, port, listening = Authority(), free_port(), asyncio.Event()
    certificate, key = authority.server("127.0.0.1")
    clock = SystemClock()
    serving = asyncio.ensure_future(
        serve(
            server or simulated_server(clock),
            "127.0.0.1",
            port,
            context(authority.certificate, certificate, key),
            tokens={TOKEN: User("ann")},
            listening=listening,
        )
    )
    try:
        async with clock.timeout(20):
            await listening.wait()
        yield Kubectl(directory, f"https://127.0.0.1:{port}", authority)
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


def _kubeconfig(directory: Path, url: str) -> dict[str, Any]:
    admin = {"client-certificate": str(directory / "admin.crt"), "client-key": str(directory / "admin.key")}
    users = {"admin": admin, "ann": {"token": TOKEN}, "stranger": {"token": "no"}}
    cluster = {"server": url, "certificate-authority": str(directory / "ca.crt")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "sim",
        "clusters": [{"name": "sim", "cluster": cluster}],
        "users": [{"name": name, "user": each} for name, each in users.items()],
        "contexts": [{"name": "sim", "context": {"cluster": "sim", "user": "admin"}}],
    }
