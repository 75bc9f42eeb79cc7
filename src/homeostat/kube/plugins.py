"""Exec credential plugins: a command that prints who we are (client.authentication.k8s.io)."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.kube.errors import BadCredentials
from homeostat.kube.target import Config, ExecPlugin

# Plugins may open a browser and wait for a person.
PLUGIN_TIMEOUT_S = 120.0


class PluginAnswer(Struct, rename="camel"):
    """`status` of an ExecCredential."""

    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: datetime | None = None

    def __repr__(self) -> str:
        return f"PluginAnswer(<hidden>, expires {self.expiration_timestamp})"


class _ExecCredential(Struct, rename="camel"):
    status: PluginAnswer | None = None
    api_version: str = ""


async def run_plugin(plugin: ExecPlugin, config: Config, clock: Clock) -> PluginAnswer:
    """Run the command and read its answer. Raises BadCredentials; what it printed is never part of the message."""
    output = await _output(plugin, config, clock)
    try:
        answer = msgspec.json.decode(output, type=_ExecCredential)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadCredentials(f"exec plugin {plugin.command}: expected an ExecCredential as JSON on stdout") from None
    if answer.api_version != plugin.api_version:
        found = answer.api_version
        raise BadCredentials(f"exec plugin {plugin.command}: expected {plugin.api_version}, found {found!r}")
    status = answer.status
    if status is None or not (status.token or status.client_certificate_data):
        raise BadCredentials(f"exec plugin {plugin.command}: expected a token or a client certificate, found neither")
    if bool(status.client_certificate_data) != bool(status.client_key_data):
        raise BadCredentials(f"exec plugin {plugin.command}: expected certificate and key together, found one of them")
    return status


async def _output(plugin: ExecPlugin, config: Config, clock: Clock) -> bytes:
    person = sys.stdin is not None and sys.stdin.isatty()
    if plugin.interactive and not person:
        raise BadCredentials(f"exec plugin {plugin.command}: interactiveMode is Always, and there is no terminal")
    try:
        process = await asyncio.create_subprocess_exec(
            plugin.command,
            *plugin.args,
            stdin=None if person else DEVNULL,
            stdout=PIPE,
            stderr=None if person else PIPE,
            env=_environment(plugin, config, interactive=person),
        )
    except OSError as error:
        hint = f"; {plugin.install_hint.strip()}" if plugin.install_hint else ""
        raise BadCredentials(f"exec plugin {plugin.command}: cannot be run: {error.strerror}{hint}") from error
    try:
        async with clock.timeout(PLUGIN_TIMEOUT_S):
            stdout, stderr = await process.communicate()
    except TimeoutError as error:
        raise BadCredentials(f"exec plugin {plugin.command}: no answer within {PLUGIN_TIMEOUT_S:g} s") from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):  # it ended between the two lines
                process.kill()
            await process.wait()
    if process.returncode:
        said = (stderr or b"").decode("utf-8", "replace").strip().splitlines()
        last = f": {said[-1][:300]}" if said else ""
        raise BadCredentials(f"exec plugin {plugin.command}: exit code {process.returncode}{last}")
    return stdout


def _environment(plugin: ExecPlugin, config: Config, *, interactive: bool) -> dict[str, str]:
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.provide_cluster_info:
        spec["cluster"] = _cluster(config)
    info = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    variables = {name: value.text for name, value in plugin.env}
    return {**os.environ, **variables, "KUBERNETES_EXEC_INFO": msgspec.json.encode(info).decode()}


def _cluster(config: Config) -> dict[str, Any]:
    fields = {
        "server": config.server,
        "certificate-authority-data": base64.b64encode(config.ca).decode(),
        "insecure-skip-tls-verify": config.insecure,
        "tls-server-name": config.tls_server_name,
        "proxy-url": config.proxy.text,
    }
    return {key: value for key, value in fields.items() if value}
