"""etcd brought back from a snapshot by the steps of the restore's Pods: on real members, with etcd's own tool."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.support.clusters import cluster, running
from tests.support.etcds import HOSTS, NAMES, Etcds
from tests.support.etcds import running as running_etcds
from tests.support.real import require
from tests.support.restoring import restore

from homeostat.operators.cluster.components import made_of
from homeostat.operators.cluster.manifests.shape import Inputs
from homeostat.operators.cluster.restore import manifests
from homeostat.operators.cluster.restore.ports import Offer
from homeostat.providers.snapshots.member import place

pytestmark = pytest.mark.real

RESTORE = restore()


def ctl(etcds: Etcds, *words: str, check: bool = True) -> str:
    certificate, key = etcds.authority.user("test")
    for name, content in (("user.crt", certificate), ("user.key", key)):
        (etcds.place / name).write_bytes(content)
    tls = {"cacert": "ca.crt", "cert": "user.crt", "key": "user.key"}
    command = [str(require("etcdctl")), *(f"--{flag}={etcds.place / file}" for flag, file in tls.items())]
    command += [f"--endpoints=https://{HOSTS['m-0']}:{etcds.client_port}", "--command-timeout=30s", *words]
    done = subprocess.run(command, check=check, capture_output=True, text=True)
    return done.stdout + done.stderr


def revision(etcds: Etcds) -> int:
    told = json.loads(ctl(etcds, "get", "kept", "-w", "json"))
    return int(told["header"]["revision"])


def etcdutl(etcds: Etcds, name: str, snapshot: Path, volume: Path) -> list[str]:
    """The very command of the Pod, for a member at another address and with its volume elsewhere."""
    seen = running(cluster(topology="ha"))
    inputs = Inputs(seen.cluster, made_of(seen), seen.names, seen.endpoint, {})
    made = manifests.pod(inputs, "demo-etcd-0", RESTORE, Offer("", b"", "", ""), "homeostat:1")
    command = list(made.body["spec"]["initContainers"][1]["command"])
    peers = {each: f"https://{host}:{etcds.peer_port}" for each, host in HOSTS.items()}
    here = {
        "--name": name,
        "--data-dir": str(volume / "restored"),
        "--initial-cluster": ",".join(f"{each}={url}" for each, url in peers.items()),
        "--initial-advertise-peer-urls": peers[name],
    }
    flags = [
        f"{flag}={here.get(flag, value)}" if value else flag
        for flag, _, value in (f.partition("=") for f in command[4:])
    ]
    return [str(require("etcdutl")), *command[1:3], str(snapshot), *flags]


def test_members_come_back_with_the_data_of_the_snapshot_and_revisions_never_go_back(tmp_path: Path) -> None:
    with running_etcds(tmp_path) as etcds:
        ctl(etcds, "put", "kept", "by the snapshot")
        ctl(etcds, "snapshot", "save", str(tmp_path / "snapshot.db"))
        ctl(etcds, "put", "lost", "after it")
        before = revision(etcds)
        for name in NAMES:
            etcds.kill(name)
            volume = tmp_path / f"volume-{name}"
            volume.mkdir()
            (tmp_path / name).rename(volume / "data")
            subprocess.run(etcdutl(etcds, name, tmp_path / "snapshot.db", volume), check=True, capture_output=True)
            place(volume, "1-restore", may_move_aside=True)
            (tmp_path / name).symlink_to(volume / "data")
        for name in NAMES:
            etcds.start(name, state="existing")
        assert ctl(etcds, "get", "kept", "--print-value-only") == "by the snapshot\n"
        assert ctl(etcds, "get", "lost", "--print-value-only") == ""
        assert revision(etcds) >= before + 900_000_000
        # Whoever watches from an old revision is told to list anew, not left to wait for what will never come.
        assert "compacted" in ctl(etcds, "watch", "kept", f"--rev={before}", check=False)
        (tmp_path / "m-0").unlink()
        assert (tmp_path / "volume-m-0" / "data.before-1-restore").is_dir()
