"""The power supply of a host: one small shell that runs it, starts it again when it reboots, and ends with it.

No Python process has to stay for a host to run. The shell records itself (process id, start time, boot of the machine)
beside the host, so that neither a recycled process id nor a reboot of the machine is taken for it, and a caller that is
killed right after starting it leaves nothing unknown. It wires the host anew for each boot and unplugs it at the end.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from homeostat.kit.clock import Clock
from homeostat.local.command import run, search_path
from homeostat.local.hosts import processes
from homeostat.local.hosts.ports import HostError

# runc passes on how the first process ended: by SIGHUP (129) when the host asked for a reboot.
_REBOOT = 129
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# `script` is the host's serial console: it gives it a terminal and keeps what it says. The mount namespace of its own
# keeps what is mounted in a host from appearing on a machine whose root is a shared mount, as systemd makes it.
_LOOP = """
echo "$$ $(cut -d' ' -f22 /proc/$$/stat) $(cat {boot_id})" > {record}.new && mv {record}.new {record}
while :; do
  {runc} delete --force {name} >/dev/null 2>&1
  script --quiet --return --flush --append --command {command} {console} </dev/null >/dev/null 2>&1
  code=$?
  sh {cable}.out
  [ "$code" = {reboot} ] || break
  sh {cable}.in >>{console} 2>&1 || break
done
{runc} delete --force {name} >/dev/null 2>&1
rm -f {record}
"""
_PATIENCE = 100  # looks; what is started begins, and what is killed ends, at once unless the machine is very busy


class Monitor:
    """Runs the container of one host."""

    def __init__(self, name: str, directory: Path, runtime: Path, *, clock: Clock) -> None:
        self._name = name
        self._directory = directory
        self._runtime = runtime
        self._clock = clock
        self._record = directory / "monitor"

    def is_alive(self) -> bool:
        """Whether the supply itself is there."""
        return self._pid() is not None

    def is_running(self) -> bool:
        """Whether the host has power. One whose supply was killed goes on running, but will not survive a reboot."""
        return self.is_alive() or (self._record.exists() and bool(self._processes()))

    async def start(self) -> None:
        """Begin to boot. The host's cable must be plugged in, and nothing of it may run."""
        script = _LOOP.format(
            boot_id=_BOOT_ID,
            record=shlex.quote(str(self._record)),
            runc=f"runc --root {shlex.quote(str(self._runtime))}",
            name=self._name,
            command=shlex.quote(self._command()),
            console=shlex.quote(str(self._directory / "console.log")),
            cable=shlex.quote(str(self._directory / "cable")),
            reboot=_REBOOT,
        )
        # It belongs to nobody once it runs: its starter may end, or be killed, and it goes on.
        detach = 'exec setsid --fork /bin/sh -c "$0" </dev/null >/dev/null 2>&1'
        environment = {"PATH": search_path(), "SHELL": "/bin/sh"}
        await run(("/bin/sh", "-c", f"cd / && {detach}", script), clock=self._clock, env=environment)
        for _ in range(_PATIENCE):
            if self.is_alive():
                return
            await self._clock.sleep(0.05)
        raise HostError(f"host {self._name}: its power supply did not start; `homeostat doctor` checks what it needs")

    async def stop(self) -> None:
        """Pull the plug: the supply first, so that nothing comes back, then everything that the host runs."""
        pid = self._pid()
        if pid is not None:
            processes.kill((pid,))
        said = ""
        for _ in range(_PATIENCE):
            processes.kill(self._processes())
            done = await run(
                ("runc", "--root", self._runtime, "delete", "--force", self._name), clock=self._clock, check=False
            )
            said = done.stderr.strip()
            if (not done.code or "does not exist" in said) and not self._processes():
                processes.remove_cgroups(self._name)
                self._record.unlink(missing_ok=True)
                return
            await self._clock.sleep(0.1)
        left = ", ".join(str(pid) for pid in sorted(self._processes()))
        raise HostError(f"host {self._name}: after being killed again and again there is still: {left or said}")

    def _command(self) -> str:
        runc = f"runc --root {shlex.quote(str(self._runtime))} run {self._words()}"
        return f"exec unshare --mount --propagation slave {runc}"

    def _words(self) -> str:
        """What the command lines of the supply, of its terminal and of runc have in common."""
        return f"--bundle {shlex.quote(str(self._directory / 'bundle'))} {self._name}"

    def _processes(self) -> frozenset[int]:
        unquoted = f"--bundle {self._directory / 'bundle'} {self._name}"
        supply = processes.started_with(self._words()) | processes.started_with(unquoted)
        # A supply whose host was killed before it pulls the cable: by then it may be the cable of the next boot.
        cables = processes.started_with(f"{self._directory}/cable.")
        return supply | cables | processes.in_cgroup(self._name)

    def _pid(self) -> int | None:
        try:
            pid, started, boot = self._record.read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        same = boot == _BOOT_ID.read_text().strip() and processes.start_time(int(pid)) == started
        return int(pid) if same else None
