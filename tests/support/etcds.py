"""Three real etcd members on loopback addresses of their own, with TLS between all, to be killed and started again."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.apiserver import free_port
from tests.support.certificates import Authority
from tests.support.real import require

from homeostat.operators.cluster.manifests.etcd import NOBODY
from homeostat.operators.cluster.ports import EtcdAccess

NAMES = ("m-0", "m-1", "m-2")
HOSTS = {name: f"127.9.0.{number + 1}" for number, name in enumerate(NAMES)}


class Etcds:
    """The members, each with a directory of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.client_port, self.peer_port = free_port(), free_port()
        self.authority = Authority("etcd")
        # Peers look whether a caller's address is in its certificate; on loopback all calls come from this one.
        served, key = self.authority.both("127.0.0.1", *HOSTS.values())
        for name, content in (("ca.crt", self.authority.certificate), ("tls.crt", served), ("tls.key", key)):
            (place / name).write_bytes(content)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def access(self, authority: Authority | None = None) -> EtcdAccess:
        """As the operator has it; of another authority, as a stranger has it."""
        certificate, key = self.authority.user("operator")
        return EtcdAccess(dict(HOSTS), (authority or self.authority).certificate, certificate, key)

    @property
    def members(self) -> str:
        """All members, as a member is told of them."""
        return ",".join(f"{each}=https://{at}:{self.peer_port}" for each, at in HOSTS.items())

    @property
    def with_one_too_many(self) -> str:
        """The same, as the operator tells it where no member may begin empty."""
        return f"{self.members},{NOBODY}=https://{NOBODY}.invalid:{self.peer_port}"

    def start(self, name: str, *, state: str = "new", version: str = "", **more: str) -> None:
        """Start a member on what is in its directory; `more` are flags, with `_` for `-`."""
        host = HOSTS[name]
        mine, peer = f"https://{host}:{self.client_port}", f"https://{host}:{self.peer_port}"
        tls = {"cert-file": "tls.crt", "key-file": "tls.key", "trusted-ca-file": "ca.crt"}
        flags = {
            "name": name,
            "data-dir": str(self.place / name),
            "listen-client-urls": mine,
            "advertise-client-urls": mine,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": self.members,
            "initial-cluster-state": state,
            "log-level": "error",
            **{f"{side}{flag}": str(self.place / file) for side in ("", "peer-") for flag, file in tls.items()},
            **{flag.replace("_", "-"): value for flag, value in more.items()},
        }
        command = [str(require("etcd", version)), *(f"--{flag}={value}" for flag, value in flags.items())]
        command += ["--unsafe-no-fsync", "--client-cert-auth", "--peer-client-cert-auth"]
        with (self.place / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self, name: str) -> None:
        """Let a member die at once."""
        process = self._running.pop(name)
        process.kill()
        process.wait(20)

    def stop_one(self, name: str) -> None:
        """Let a member end in peace, as a Pod's does."""
        process = self._running.pop(name)
        process.terminate()
        process.wait(20)

    def last_words(self, name: str) -> str:
        """What a member that ends by itself told at last."""
        self._running.pop(name).wait(20)
        return (self.place / f"{name}.log").read_text()[-4000:]

    def forget_words(self, name: str) -> None:
        """Begin a new log."""
        (self.place / f"{name}.log").unlink()

    def send(self, name: str, number: int) -> None:
        """Send a signal to a member."""
        self._running[name].send_signal(number)

    def wipe(self, name: str) -> None:
        """Lose what a dead member had."""
        shutil.rmtree(self.place / name)

    def stop(self) -> None:
        """End all."""
        for name in tuple(self._running):
            self.kill(name)


def etcdctl(etcds: Etcds, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """etcdctl as an operator of the first member has it."""
    place = etcds.place
    tls = (f"--cacert={place}/ca.crt", f"--cert={place}/tls.crt", f"--key={place}/tls.key")
    where = f"--endpoints=https://{HOSTS['m-0']}:{etcds.client_port}"
    return subprocess.run(
        [str(require("etcdctl")), where, *tls, *words], input=stdin, capture_output=True, text=True, check=False
    )


@contextmanager
def running(place: Path, *, version: str = "", **more: str) -> Iterator[Etcds]:
    """Three members, until the block ends."""
    etcds = Etcds(place)
    try:
        for name in NAMES:
            etcds.start(name, version=version, **more)
        yield etcds
    finally:
        etcds.stop()
