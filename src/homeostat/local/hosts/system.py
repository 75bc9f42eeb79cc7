"""A host's operating system over its shell: Debian's own tools, asked in forms that are made for programs.

Nothing is kept here: each answer is what the host said just now. What tools print is read by functions that only look.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from homeostat.local.hosts.shell import CommandFailed, Result, Shell, ShellError
from homeostat.operators.machine.ports import (
    FileSeen,
    LogLine,
    PackageSeen,
    ProcessSeen,
    Refused,
    UnitSeen,
    UnitState,
    Unreachable,
)

INSTALL_S = 300.0
_PACKAGES = "dpkg-query -W -f '${db:Status-Abbrev}\\t${Package}\\t${Version}\\n'"
_APT = "DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=60"
_UNIT = "systemctl show --property=LoadState,ActiveState,UnitFileState"
_PROCESSES = "ps -e -o pid=,ppid=,user:32=,unit:256=,comm:64= --sort=pid"
_KERNEL = "kthreadd"  # whose children are threads of the kernel
_STATES = {"active": UnitState.ACTIVE, "inactive": UnitState.INACTIVE, "failed": UnitState.FAILED}


class ShellSystem:
    """Satisfies `operators.machine.ports.System`."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def boot_id(self) -> str:
        """The kernel's; where that is shared by several hosts, the one that was drawn at boot."""
        place = "/run/homeostat-boot-id"
        return (await self._run(f"cat {place} 2>/dev/null || cat /proc/sys/kernel/random/boot_id")).stdout.strip()

    async def look(self, path: str) -> FileSeen | None:
        """A file as it is; None where there is none."""
        done = await self._run(f"LC_ALL=C stat -L -c '%a %U %G %s' {shlex.quote(path)}", check=False)
        if done.code and "No such file" not in done.stderr:
            raise Refused(f"host {self._shell.name}: looking at {path}: {done.stderr.strip()}")
        if done.code:
            return None
        mode, owner, group, size = done.stdout.split()
        return FileSeen(int(mode, 8), owner, group, int(size))

    async def read(self, path: str) -> bytes:
        """What is in a file."""
        try:
            return await self._shell.get(path)
        except CommandFailed as error:
            raise Refused(str(error)) from error
        except ShellError as error:
            raise Unreachable(str(error)) from error

    async def write(
        self, path: str, content: bytes, *, mode: int = 0o644, owner: str = "root", group: str = "root"
    ) -> None:
        """Beside the old one, then in its place."""
        new, target = shlex.quote(f"{path}.homeostat-new"), shlex.quote(path)
        script = (
            f'mkdir -p "$(dirname {target})" && umask 077 && cat > {new} && [ "$(stat -c %s {new})" = {len(content)} ]'
            f" && chown {shlex.quote(f'{owner}:{group}')} {new} && chmod {mode:o} {new} && mv -f {new} {target}"
            f" || {{ rm -f {new}; exit 1; }}"
        )
        await self._run(script, given=content)

    async def remove(self, path: str) -> None:
        """Let a file be gone."""
        await self._run(f"rm -f {shlex.quote(path)}")

    async def packages(self) -> Mapping[str, PackageSeen]:
        """All that are installed."""
        return packages_in((await self._run(_PACKAGES)).stdout)

    async def install(self, name: str, version: str) -> None:
        """By apt, from whatever the host's sources offer."""
        found = (await self.packages()).get(name)
        if found is None or found.version != version:
            wanted = shlex.quote(f"{name}={version}")
            await self._run(f"{_APT} install --allow-downgrades {wanted}", timeout_s=INSTALL_S)

    async def uninstall(self, name: str) -> None:
        """Purge it; what was installed with it stays."""
        if name in await self.packages():
            await self._run(f"{_APT} purge {shlex.quote(name)}", timeout_s=INSTALL_S)

    async def hold(self, name: str, *, held: bool) -> None:
        """Keep a package at its version, or let it change again."""
        await self._run(f"apt-mark {'hold' if held else 'unhold'} {shlex.quote(name)}")

    async def unit(self, name: str) -> UnitSeen | None:
        """A unit as it is; None where there is none."""
        return unit_in((await self._run(f"{_UNIT} {shlex.quote(name)}")).stdout)

    async def start(self, unit: str) -> None:
        """Have it active."""
        await self._run(f"systemctl start {shlex.quote(unit)}")

    async def stop(self, unit: str) -> None:
        """Have it inactive."""
        await self._run(f"systemctl stop {shlex.quote(unit)}")

    async def enable(self, unit: str, *, enabled: bool) -> None:
        """Have it start at boot, or not."""
        await self._run(f"systemctl {'enable' if enabled else 'disable'} {shlex.quote(unit)}")

    async def mask(self, unit: str, *, masked: bool) -> None:
        """Let nobody start it, or let it be started again."""
        await self._run(f"systemctl {'mask' if masked else 'unmask'} {shlex.quote(unit)}")

    async def processes(self) -> tuple[ProcessSeen, ...]:
        """All that run, but for threads of the kernel."""
        return processes_in((await self._run(_PROCESSES)).stdout)

    async def kill(self, pid: int) -> None:
        """End a process at once."""
        await self._run(f"kill -KILL {pid}")

    async def journal(self, unit: str = "", last: int = 100) -> tuple[LogLine, ...]:
        """The latest lines of this boot."""
        named = f" --unit {shlex.quote(unit)}" if unit else ""
        return lines_in((await self._run(f"journalctl -q -b --no-pager -o json -n {last}{named}")).stdout)

    async def _run(
        self, command: str, *, given: bytes | None = None, check: bool = True, timeout_s: float = 60.0
    ) -> Result:
        try:
            return await self._shell.run(command, input=given, check=check, timeout_s=timeout_s)
        except CommandFailed as error:
            raise Refused(str(error)) from error
        except ShellError as error:
            raise Unreachable(str(error)) from error


def packages_in(told: str) -> dict[str, PackageSeen]:
    """What dpkg-query lists: the first letter is the wish (h: held), the second what is (i: installed)."""
    found = {}
    for line in told.splitlines():
        status, name, version = line.split("\t")
        if status[1:2] == "i":
            found[name] = PackageSeen(version, is_held=status[0] == "h")
    return found


def unit_in(told: str) -> UnitSeen | None:
    """What systemctl shows."""
    said = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    if said["LoadState"] == "not-found":
        return None
    state = _STATES.get(said["ActiveState"], UnitState.CHANGING)
    is_masked = said["LoadState"] == "masked"
    return UnitSeen(state, is_enabled=said["UnitFileState"] in ("enabled", "enabled-runtime"), is_masked=is_masked)


def processes_in(told: str) -> tuple[ProcessSeen, ...]:
    """What ps lists."""
    rows = [line.split(None, 4) for line in told.splitlines()]
    kernel = {pid for pid, _, _, _, command in rows if command.strip() == _KERNEL}
    return tuple(
        ProcessSeen(int(pid), command.strip(), owner, unit if unit.endswith(".service") else "")
        for pid, parent, owner, unit, command in rows
        if not kernel & {pid, parent}
    )


def lines_in(told: str) -> tuple[LogLine, ...]:
    """What journalctl prints, one JSON object a line."""
    return tuple(_line(json.loads(line)) for line in told.splitlines())


def _line(entry: Mapping[str, str | list[int]]) -> LogLine:
    at = datetime.fromtimestamp(int(str(entry["__REALTIME_TIMESTAMP"])) / 1e6, UTC)
    return LogLine(at, str(entry.get("UNIT") or entry.get("_SYSTEMD_UNIT") or ""), _text(entry.get("MESSAGE") or ""))


def _text(message: str | Iterable[int]) -> str:
    """What is no text comes as numbers of its bytes."""
    return message if isinstance(message, str) else bytes(message).decode(errors="replace")
