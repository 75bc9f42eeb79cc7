"""The power supply of a host: one small shell that runs it, starts it again when it reboots, and ends with it.

No Python process has to stay for a host to run. A monitor is known by its process id and start time, both kept beside
the host, so that a recycled process id is never taken for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
from pathlib import Path

from homeostat.kit.clock import Clock
from homeostat.local.command import run
from homeostat.local.hosts.ports import HostError

# runc passes on how the first process ended: by SIGHUP (129) when the host asked for a reboot.
_REBOOT = 129
# `script` is the host's serial console: it gives it a terminal and keeps what it says.
_LOOP = """
while :; do
  {runc} delete --force {name} >/dev/null 2>&1
  script --quiet --return --flush --append --command {command} {console} </dev/null >/dev/null 2>&1
  code=$?
  [ "$code" = {reboot} ] || break
done
{runc} delete --force {name} >/dev/null 2>&1
"""


class Monitor:
    """Runs the container of one host."""

    def __init__(self, name: str, directory: Path, runtime: Path, *, clock: Clock) -> None:
        self._name = name
        self._directory = directory
        self._runtime = runtime
        self._clock = clock

    def is_running(self) -> bool:
        """Whether the host has power."""
        return self._pid() is not None

    async def start(self) -> None:
        """Begin to boot."""
        runc = f"runc --root {shlex.quote(str(self._runtime))}"
        bundle = shlex.quote(str(self._directory / "bundle"))
        script = _LOOP.format(
            runc=runc,
            name=self._name,
            command=shlex.quote(f"{runc} run --bundle {bundle} {self._name}"),
            console=shlex.quote(str(self._directory / "console.log")),
            reboot=_REBOOT,
        )
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            script,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        file = self._directory / "monitor"
        file.write_text(f"{process.pid} {_start_time(process.pid)}")

    async def stop(self) -> None:
        """Pull the plug: the supply first, so that nothing comes back, then everything that the host runs."""
        pid = self._pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):  # it may end by itself in this very moment
                os.kill(pid, signal.SIGKILL)
        await run(
            ("runc", "--root", self._runtime, "kill", "--all", self._name, "KILL"), clock=self._clock, check=False
        )
        await self._delete()
        (self._directory / "monitor").unlink(missing_ok=True)

    async def _delete(self) -> None:
        for _ in range(50):
            done = await run(
                ("runc", "--root", self._runtime, "delete", "--force", self._name), clock=self._clock, check=False
            )
            if not done.code or "does not exist" in done.stderr:
                return
            await self._clock.sleep(0.1)
        raise HostError(
            f"host {self._name}: its processes did not end within 5 s of being killed: {done.stderr.strip()}"
        )

    def _pid(self) -> int | None:
        try:
            pid, started = (self._directory / "monitor").read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return int(pid) if _start_time(int(pid)) == started else None


def _start_time(pid: int) -> str:
    """When a process started, in the kernel's clock ticks; empty when there is none, or it is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] == "Z" else fields[19]
