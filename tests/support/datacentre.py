"""A real data centre for tests: raised once by the command line itself, used by many tests, removed in the end.

HOMEOSTAT_REAL_NAME=NAME uses a data centre that is up already and leaves it up, for those who develop.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.real import require

from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.local import datacentre
from homeostat.local.machine import MachineGround
from homeostat.local.paths import Paths

UP_S = 600


class Centre:
    """One data centre by name, driven through `homeostat` and `kubectl` as a person would."""

    def __init__(self, name: str) -> None:
        self.name = name

    def command(self, *words: str) -> list[str]:
        """The command line of homeostat for this data centre."""
        return [sys.executable, "-c", "from homeostat.cli.main import main; main()", *words, "--name", self.name]

    def homeostat(self, *words: str, check: bool = True, timeout_s: float = UP_S) -> subprocess.CompletedProcess[str]:
        """Run homeostat to its end."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=timeout_s, check=False)
        assert not check or done.returncode == 0, f"homeostat {' '.join(words)}: {done.stderr[-4000:]}"
        return done

    def status(self) -> dict[str, Any]:
        """What `homeostat status -o json` says."""
        found: dict[str, Any] = json.loads(self.homeostat("status", "-o", "json", check=False).stdout)
        return found

    @property
    def inner(self) -> datacentre.DataCentre:
        """The data centre as an object, to pull plugs behind the command line's back."""
        paths = Paths.from_environment(os.environ)
        found = datacentre.find(paths, self.name, clock=SystemClock(), random=system_random())
        assert found is not None
        return found

    @property
    def ground(self) -> MachineGround:
        """Its hosts and network."""
        return MachineGround(self.inner, os.environ, clock=SystemClock())

    def kubectl(self, *words: str, stdin: str = "", check: bool = True) -> str:
        """Run kubectl as the cell's administrator; its output."""
        binary = str(require("kubectl", "1.35"))
        command = [binary, "--kubeconfig", str(self.inner.kubeconfig), *words]
        done = subprocess.run(command, input=stdin or None, capture_output=True, text=True, timeout=180, check=False)
        assert not check or done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr[-4000:]}"
        return done.stdout

    def business(
        self, cluster: str, *words: str, namespace: str = "default", check: bool = True, stdin: str = ""
    ) -> str:
        """Run kubectl as the administrator of a business cluster; its output."""
        file = self.inner.directory / f"{namespace}-{cluster}.kubeconfig"
        environment = {**os.environ, "KUBECONFIG": str(self.inner.kubeconfig)}
        homeostat = [*self.command("kubeconfig")[:-2], cluster, "--admin", "-n", namespace, "--output", str(file)]
        subprocess.run(homeostat, env=environment, capture_output=True, timeout=60, check=True)
        command = [str(self.inner.kubectl), "--kubeconfig", str(file), "--request-timeout=5s", *words]
        done = subprocess.run(command, input=stdin or None, capture_output=True, text=True, timeout=60, check=False)
        assert not check or done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr[-4000:]}"
        return done.stdout

    def get(self, *words: str) -> dict[str, Any]:
        """What kubectl get prints as JSON."""
        found: dict[str, Any] = json.loads(self.kubectl("get", *words, "-o", "json"))
        return found


def power(centre: Centre, host: str, *, on: bool) -> None:
    """Switch a host on, or pull its plug."""

    async def switch() -> None:
        hosts = await centre.ground.hosts()
        await (hosts.power_on(host) if on else hosts.power_off(host))

    asyncio.run(switch())


def on_host(centre: Centre, host: str, command: str) -> str:
    """What a command printed that ran on a host, as root over SSH."""

    async def look() -> str:
        place = next(place for place in centre.inner.plan.places if place.name == host)
        shell = await centre.ground.existing_shell(place)
        try:
            return (await shell.run(command)).stdout
        finally:
            await shell.close()

    return asyncio.run(look())


def eventually(claim: Callable[[], Any], *, within_s: float, every_s: float = 0.5) -> Any:
    """The first truthy answer of a claim about the real world. Fails with the last answer or error when time is up."""
    until = time.monotonic() + within_s
    while True:
        last: Any = None
        try:
            if last := claim():
                return last
        except (AssertionError, OSError, subprocess.SubprocessError, ValueError) as error:
            last = error
        assert time.monotonic() < until, f"not true within {within_s:g} s; the last answer was {last!r}"
        time.sleep(every_s)


def traces(centre: Centre, prefix: str) -> list[str]:
    """What of a data centre is on this machine, looked for without homeostat's own eyes."""

    def lines(*command: str) -> list[str]:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    name = centre.name
    state = Paths.from_environment(os.environ).state / name
    found = [line for line in lines("ip", "netns") if line.startswith(f"{name}-")]
    found += [line for line in lines("ip", "-o", "addr") if prefix in line]
    found += [line for line in lines("ip", "route", "show", "table", "all") if prefix in line]
    found += [line for line in lines("iptables-save") if prefix in line]
    found += [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f"/{name}/" in line]
    found += [line for line in lines("ps", "-eo", "args") if f"/{name}/hosts" in line]
    found += [f"file {path}" for path in state.parent.glob(f"*{name}*")]
    found += [f"group {path}" for path in Path("/sys/fs/cgroup").glob(f"**/homeostat/{name}-*")]
    return found


def lose_power(centre: Centre) -> None:
    """What a reboot does to a machine: processes, mounts, namespaces, devices and /run are gone, disks are not."""
    directory = centre.inner.directory
    for line in subprocess.run(
        ["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True
    ).stdout.splitlines():
        pid, _, words = line.strip().partition(" ")
        if f"{directory}/" in words and "python" not in words:
            subprocess.run(["kill", "-9", pid], check=False)
    for place in centre.inner.plan.places:
        runtime = str(directory / "runc")
        subprocess.run(["runc", "--root", runtime, "delete", "--force", place.name], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", place.name], check=False, capture_output=True)
    subprocess.run(["ip", "link", "del", centre.inner.plan.bridge], check=False)
    with Path("/proc/self/mountinfo").open() as mounts:
        points = sorted((line.split()[4] for line in mounts if f"{directory}/" in line), reverse=True)
    for point in points:
        subprocess.run(["umount", "--lazy", point], check=False)
    shutil.rmtree(directory / "runc", ignore_errors=True)
