"""One command's conversation with an API server: which kubeconfig, which namespace, and a client while it lasts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

from homeostat.cli.exits import CliError, Exit
from homeostat.cli.options import Connection
from homeostat.kit.clock import Clock, SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.config import Config, resolve
from homeostat.kube.connect import connect

T = TypeVar("T")

FIELD_MANAGER = "homeostat-cli"
DEFAULT_NAME = "homeostat"


class Session:
    """What a command needs to talk: the client, the namespace to use, the clock."""

    def __init__(self, client: Client, config: Config, namespace: str, clock: Clock) -> None:
        self.client = client
        self.config = config
        self.namespace = namespace
        self.clock = clock


def converse(connection: Connection, command: Callable[[Session], Awaitable[T]]) -> T:
    """Run a command's coroutine with a client that is closed in the end."""
    return asyncio.run(_converse(connection, command))


async def _converse(connection: Connection, command: Callable[[Session], Awaitable[T]]) -> T:
    clock = SystemClock()
    path = kubeconfig_path(connection, os.environ)
    config = resolve(path, connection.context or None)
    async with connect(config, clock=clock, random=system_random(), field_manager=FIELD_MANAGER) as client:
        return await command(Session(client, config, connection.namespace or config.namespace or "default", clock))


def kubeconfig_path(connection: Connection, environment: Mapping[str, str]) -> Path | None:
    """The file to use: --kubeconfig, else what $KUBECONFIG tells (None), else a local data centre's, else None."""
    if connection.kubeconfig:
        path = Path(connection.kubeconfig)
        if not path.is_file():
            raise CliError(f"--kubeconfig {path}: expected a kubeconfig file, found none", Exit.USAGE)
        return path
    if environment.get("KUBECONFIG") or connection.context:
        return None
    return local_kubeconfig(environment)


def local_kubeconfig(environment: Mapping[str, str]) -> Path | None:
    """The kubeconfig of this machine's data centre, if one is up. Raises CliError when it is not clear which."""
    home = environment.get("HOME") or str(Path.home())
    state = Path(environment.get("XDG_STATE_HOME") or Path(home) / ".local" / "state") / "homeostat"
    found = {path.parent.name: path for path in sorted(state.glob("*/kubeconfig"))}
    if DEFAULT_NAME in found or not found:
        return found.get(DEFAULT_NAME)
    if len(found) == 1:
        return next(iter(found.values()))
    raise CliError(
        f"{state}: expected one data centre, found {', '.join(found)}",
        Exit.USAGE,
        remedy=f"choose one, for example with --kubeconfig {next(iter(found.values()))}",
    )
