"""Commands and files on a host over SSH: its key is pinned, one connection is kept and reused, output is bounded.

A host that was reinstalled has a new key: that is an error of its own (`HostKeyChanged`), never something to accept.
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from pathlib import Path

import asyncssh
from msgspec import Struct

from homeostat.kit.clock import Clock

MAX_OUTPUT = 4 * 1024 * 1024
_SHOWN = 2000
_CHUNK = 1 << 16
_GRACE_S = 2.0  # the host's own deadline comes after ours
_KILLED = -1  # the code of a command that a signal ended


class Result(Struct, frozen=True):
    """What a command on a host left."""

    code: int
    stdout: str
    stderr: str


class ShellError(Exception):
    """A command or file on a host did not come through; the message names the host and the cause."""


class HostUnreachable(ShellError):
    """Nothing answers at the host's address, or the connection was cut."""


class HostKeyChanged(ShellError):
    """The host that answers is not the one that was pinned."""


class CommandFailed(ShellError):
    """The command ran and failed."""

    def __init__(self, message: str, result: Result) -> None:
        super().__init__(message)
        self.result = result


class TimedOut(ShellError):
    """The command did not end in time."""


class _Raw(Struct, frozen=True):
    code: int
    stdout: bytes
    stderr: bytes


class Shell:
    """Root's shell on one host."""

    def __init__(self, name: str, address: str, host_key: str, key_file: Path, *, clock: Clock) -> None:
        self.name = name
        self._address = address
        self._host_key = host_key
        self._key_file = key_file
        self._clock = clock
        self._connection: asyncssh.SSHClientConnection | None = None
        self._connecting = asyncio.Lock()

    async def run(
        self,
        command: str,
        *,
        timeout_s: float = 60.0,
        input: bytes | None = None,  # noqa: A002  (as subprocess.run names it)
        check: bool = True,
    ) -> Result:
        """Run a command through the host's shell. Secrets go in by `input`, never by `command`. Raises ShellError.

        Of each output stream the first MAX_OUTPUT bytes are kept, the rest is read and dropped. What does not end in
        time is killed on the host too, also when the connection is gone by then.
        """
        raw = await self._execute(command, input or b"", timeout_s, MAX_OUTPUT)
        result = Result(raw.code, raw.stdout.decode(errors="replace"), raw.stderr.decode(errors="replace"))
        if check and result.code:
            said = (result.stderr.strip() or result.stdout.strip())[-_SHOWN:]
            raise CommandFailed(f"host {self.name}: `{_shown(command)}` ended with code {result.code}: {said}", result)
        return result

    async def put(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Write a file; readers see the old one or the new one, whole, also when the connection breaks midway."""
        target = shlex.quote(path)
        new = shlex.quote(f"{path}.homeostat-new")
        script = (
            f'mkdir -p "$(dirname {target})" && umask 077 && cat > {new} && [ "$(stat -c %s {new})" = {len(content)} ]'
            f" && chmod {mode:o} {new} && mv -f {new} {target}"
        )
        await self.run(script, input=content)

    async def get(self, path: str) -> bytes:
        """Read a file of at most MAX_OUTPUT bytes, exactly as it is."""
        command = f"cat {shlex.quote(path)}"
        raw = await self._execute(command, b"", 60.0, MAX_OUTPUT + 1)
        if raw.code:
            said = raw.stderr.decode(errors="replace").strip()
            raise CommandFailed(f"host {self.name}: reading {path}: {said}", Result(raw.code, "", said))
        if len(raw.stdout) > MAX_OUTPUT:
            raise ShellError(f"host {self.name}: reading {path}: expected at most {MAX_OUTPUT} bytes, found more")
        return raw.stdout

    async def wait_until_up(self, *, timeout_s: float = 60.0) -> None:
        """Wait until the host lets us in and systemd has finished booting."""
        deadline = self._clock.monotonic() + timeout_s
        while True:
            try:
                await self.run("systemctl is-system-running --wait >/dev/null 2>&1 || true", timeout_s=timeout_s)
            except HostUnreachable:
                if self._clock.monotonic() > deadline:
                    raise
                await self._clock.sleep(0.1)
            else:
                return

    async def close(self) -> None:
        """End the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()

    async def _execute(self, command: str, given: bytes, timeout_s: float, limit: int) -> _Raw:
        connection = await self._connect()
        try:
            async with self._clock.timeout(timeout_s):
                return await _converse(connection, _bounded(command, timeout_s), given, limit)
        except TimeoutError as error:
            raise TimedOut(f"host {self.name}: `{_shown(command)}` did not end within {timeout_s:g} s") from error
        except (asyncssh.Error, OSError) as error:
            await self.close()
            raise HostUnreachable(
                f"host {self.name}: the connection broke during `{_shown(command)}`: {error}"
            ) from error

    async def _connect(self) -> asyncssh.SSHClientConnection:
        async with self._connecting:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._open()
            return self._connection

    async def _open(self) -> asyncssh.SSHClientConnection:
        try:
            async with self._clock.timeout(10):
                return await asyncssh.connect(
                    self._address,
                    username="root",
                    client_keys=[str(self._key_file)],
                    known_hosts=asyncssh.import_known_hosts(f"{self._address} {self._host_key}\n"),
                    config=None,
                    agent_path=None,
                    keepalive_interval=5,
                    keepalive_count_max=3,
                    compression_algs=None,
                )
        except asyncssh.HostKeyNotVerifiable as error:
            raise HostKeyChanged(
                f"host {self.name}: {self._address} answers with another key than the pinned one; if it was"
                " reinstalled, pin the new key, else somebody stands in its place"
            ) from error
        except (TimeoutError, OSError, asyncssh.Error) as error:
            raise HostUnreachable(f"host {self.name}: no SSH at {self._address}: {error or 'no answer'}") from error


async def _converse(connection: asyncssh.SSHClientConnection, command: str, given: bytes, limit: int) -> _Raw:
    process = await connection.create_process(command, encoding=None)
    try:
        _, out, err = await asyncio.gather(
            _feed(process.stdin, given), _first(process.stdout, limit), _first(process.stderr, limit)
        )
        await process.wait_closed()
    finally:
        process.close()
    code = process.exit_status
    if code is None and process.exit_signal is None:
        raise asyncssh.ConnectionLost("the host gave no exit code")
    return _Raw(_KILLED if code is None else code, out, err)


async def _feed(stdin: asyncssh.SSHWriter[bytes], given: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may end without reading all of its input
        stdin.write(given)
        await stdin.drain()
        stdin.write_eof()


async def _first(stream: asyncssh.SSHReader[bytes], limit: int) -> bytes:
    kept = bytearray()
    while chunk := await stream.read(_CHUNK):
        kept += chunk[: limit - len(kept)]
    return bytes(kept)


def _bounded(command: str, timeout_s: float) -> str:
    """The command, ended by the host itself soon after its time: sshd forwards no signals to what root runs."""
    return f"exec timeout --signal=KILL {timeout_s + _GRACE_S:g} bash -c {shlex.quote(command)}"


def _shown(command: str) -> str:
    return command if len(command) < 100 else f"{command[:100]}..."
