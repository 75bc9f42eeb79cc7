"""`homeostat up --engine sim` as a person uses it who may do nothing in particular, with kubectl of the real build."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.real import require
from tests.support.tree import ROOT

# Root keeps its files, and none of the rights that make it root.
POWERLESS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()


class Person:
    """Somebody with a home of his own and no rights."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.kubeconfig = home / "state/homeostat/trial/kubeconfig"

    def run(self, *words: str, code: int = 0) -> str:
        """What a command printed, which must end with this code."""
        environment = {"HOME": str(self.home), "XDG_STATE_HOME": str(self.home / "state"), "PATH": os.defpath}
        done = subprocess.run(
            (*POWERLESS, *words),
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def homeostat(self, *words: str, code: int = 0) -> str:
        return self.run(sys.executable, "-c", "from homeostat.cli.main import main; main()", *words, code=code)

    def kubectl(self, kubeconfig: Path, *words: str, code: int = 0) -> str:
        cache = f"--cache-dir={self.home / 'cache'}"
        return self.run(str(require("kubectl", "1.35")), f"--kubeconfig={kubeconfig}", cache, *words, code=code)


@pytest.fixture
def person() -> Iterator[Person]:
    home = Path(tempfile.mkdtemp(prefix="homeostat-person-"))
    made = Person(home)
    try:
        yield made
    finally:
        for name in ("trial", "other"):
            made.homeostat("down", "--name", name)
        shutil.rmtree(home)


def test_a_fleet_is_there_in_seconds_and_gone_without_a_trace(person: Person) -> None:
    assert "1. a process that simulates data centre trial: 6 hosts" in person.homeostat(
        "up", "--engine", "sim", "--name", "trial", "--dry-run"
    )
    told = person.homeostat("up", "--engine", "sim", "--name", "trial")
    assert "data centre trial is up, simulated" in told
    assert person.homeostat("up", "--engine", "sim", "--name", "trial") == told  # it runs on
    assert json.loads(person.homeostat("status", "--name", "trial", "-o", "json"))["is_ready"] is True
    assert "made with 6, found 3" in person.homeostat(
        "up", "--engine", "sim", "--name", "trial", "--hosts", "3", code=2
    )
    assert "is a simulated one" in person.homeostat("up", "--engine", "kubernetes", "--name", "trial", code=2)

    nodes = person.kubectl(person.kubeconfig, "wait", "--for=condition=Ready", "nodes", "--all", "--timeout=30s")
    assert nodes.count("condition met") == 6
    person.homeostat("apply", "-f", "examples/cluster.yaml")
    person.homeostat("wait", "cluster", "demo", "--for", "condition=Ready", "--timeout", "110s")
    inside = person.home / "demo.kubeconfig"
    person.homeostat("kubeconfig", "demo", "--admin", "--output", str(inside))
    lent = person.home / "lent.kubeconfig"
    person.homeostat("kubeconfig", "demo", "--user", "ann", "--ttl", "10m", "--output", str(lent))
    assert "homeostat:admins" in person.kubectl(lent, "auth", "whoami")
    assert "kube-system" in person.kubectl(lent, "get", "namespaces")
    assert "kube-system" in person.kubectl(inside, "get", "namespaces")
    person.kubectl(inside, "label", "namespace", "default", "earlier=yes")
    injured_and_healed(person)
    snapshot = backed_up(person)
    person.kubectl(inside, "label", "namespace", "default", "mine=yes")
    assert "default" in person.kubectl(inside, "get", "namespaces", "-l", "mine=yes")
    kept_from_harm(person)
    restored_into_another(person, snapshot)

    assert "is gone" in person.homeostat("down", "--name", "trial")
    assert not person.kubeconfig.parent.exists()
    assert "there is none" in person.homeostat("down", "--name", "trial")


def test_two_stand_side_by_side_and_what_a_kill_leaves_is_told(person: Person) -> None:
    """Each has its own addresses, one name has one, and a killed one begins anew with its size and nothing else."""
    up = ("up", "--engine", "sim", "--hosts", "3", "--name")
    for name in ("trial", "other"):
        assert "load balancers 127." in person.homeostat(*up, name)
    first, other = (told(person, name) for name in ("trial", "other"))
    assert first["addresses"] != other["addresses"]
    assert first["url"] != other["url"]
    assert "another process runs this data centre" in person.homeostat("run", "simulation", "--name", "trial", code=1)
    assert told(person, "trial") == first

    person.kubectl(person.kubeconfig, "create", "namespace", "mine")
    lock = person.kubeconfig.with_name("simulation.lock")
    runner = int(lock.read_text())
    os.kill(runner, signal.SIGKILL)
    assert "its process has ended" in person.homeostat("status", "--name", "trial", code=1)
    assert "its process has ended" in person.homeostat("sim", "faults", "--active", "--name", "trial", code=3)
    assert told(person, "other") == other
    again = person.homeostat("up", "--engine", "sim", "--name", "trial")
    assert "all that was in it is lost: it begins anew" in again
    assert len(told(person, "trial")["hosts"]) == 3
    assert "mine" not in person.kubectl(person.kubeconfig, "get", "namespaces")

    runners = [int(lock.read_text()), int((lock.parent.parent / "other" / lock.name).read_text())]
    for name in ("trial", "other"):
        assert "is gone" in person.homeostat("down", "--name", name)
    assert list(lock.parent.parent.iterdir()) == []
    assert [each for each in (runner, *runners) if runs(each)] == []


def told(person: Person, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(person.homeostat("status", "--name", name, "-o", "json"))
    return found


def runs(process: int) -> bool:
    """Whether it does: one that has ended, and that nobody has asked about, is still known by its number."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def injured_and_healed(person: Person) -> None:
    """Faults on command: seen in Nodes and Pods, told while they last, and gone when they are healed."""
    told = person.homeostat("sim", "inject", "runtime-down", "--on", "zone=b", "--name", "trial")
    assert "runtime-down on zone=b (host-b1, host-b2)" in told
    wait = ("wait", "node/host-b1", "node/host-b2", "--timeout=20s")
    assert person.kubectl(person.kubeconfig, *wait, "--for=condition=Ready=false").count("condition met") == 2
    assert "runtime-down-1 on zone=b" in person.homeostat("status", "--name", "trial")
    (active,) = json.loads(person.homeostat("sim", "faults", "--active", "--name", "trial", "-o", "json"))
    assert (active["id"], active["targets"]) == ("runtime-down-1", ["host-b1", "host-b2"])
    assert "did you mean runtime-down-1?" in person.homeostat("sim", "heal", "runtime-dwn-1", "--name", "trial", code=3)
    assert "is healed" in person.homeostat("sim", "heal", "runtime-down-1", "--name", "trial")
    assert person.kubectl(person.kubeconfig, *wait, "--for=condition=Ready").count("condition met") == 2
    missing = person.homeostat("sim", "inject", "host-down", "--on", "host-z1", "--name", "trial", code=3)
    assert "expected a host (host-a1, host-a2" in missing
    assert "`homeostat status` names the hosts" in missing
    assert "none under way" in person.homeostat("status", "--name", "trial")


def kept_from_harm(person: Person) -> None:
    """The operator is asked before the cell's API server keeps what people write, from the first moment on."""
    used = person.kubectl(person.kubeconfig, "delete", "clusterpackageversion", "v1.35.4", code=1)
    assert "denied the request: ClusterPackageVersion v1.35.4 is used by 1 Cluster: default/demo" in used
    patch = '{"spec":{"packageVersion":"v0.0.1"}}'
    asked = ("patch", "cluster", "demo", "--type=merge", "--dry-run=server", "-p", patch)
    assert "Warning: spec.packageVersion: there is no ClusterPackageVersion v0.0.1 yet" in person.kubectl(
        person.kubeconfig, *asked
    )


def backed_up(person: Person) -> str:
    """A snapshot of the cluster as it is now; its id."""
    assert "is stored" in person.homeostat("backup", "cluster", "demo", "--wait", "--timeout", "60s")
    last = "jsonpath={.status.backup.last.id}"  # beside it there may be the first one of the schedule
    snapshot = person.kubectl(person.kubeconfig, "get", "cluster", "demo", "-o", last)
    assert snapshot in person.homeostat("snapshots", "cluster", "demo", "-o", "name").split()
    return snapshot


def restored_into_another(person: Person, snapshot: str) -> None:
    """A cluster that begins with the snapshot has what was there when it was taken, and nothing that came later."""
    asked = ("restore", "cluster", "demo", "--snapshot", snapshot)
    assert "nothing to restore" in person.homeostat(*asked, code=4)
    told = person.homeostat(*asked, "--into", "again", "--wait", "--timeout", "110s")
    assert f"serves the data of {snapshot}" in told
    inside = person.home / "again.kubeconfig"
    person.homeostat("kubeconfig", "again", "--admin", "--output", str(inside))
    assert "default" in person.kubectl(inside, "get", "namespaces", "-l", "earlier=yes")
    assert "default" not in person.kubectl(inside, "get", "namespaces", "-l", "mine=yes")
