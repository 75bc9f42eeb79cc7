"""Masters of one business cluster as bare programs on a network, without a cell: a test holds every string."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from tests.support.clock import ManualClock, settle

from homeostat.kit.pki.authority import Request, issue, new_authority, read_signer
from homeostat.operators.cluster.pki.kubeconfig import write_kubeconfig
from homeostat.operators.cluster.ports import EtcdAccess, MemberSeen
from homeostat.providers.endpoint.probing import EndpointProbe
from homeostat.sim.world.hosts.containers import Container, Disk, Program
from homeostat.sim.world.network.dialling import reach_from
from homeostat.sim.world.network.network import Found, Network, Target, UnknownName
from homeostat.sim.world.ports.etcd import Reaching, WorldEtcd
from homeostat.sim.world.programs.etcd.copies import Copies
from homeostat.sim.world.programs.masters import masters
from homeostat.sim.world.programs.starting import LOG, Surroundings

ENDPOINT = "10.0.0.1"
ETCD = "demo-etcd-client.default.svc"
_SECRETS = "/pki"


class FixedNames:
    """Names of three members, of the Service before them, and of the endpoint."""

    def __init__(self) -> None:
        self.members = {f"demo-etcd-{number}": f"10.1.0.{number}" for number in range(3)}
        self.apiservers = ["10.1.0.10", "10.1.0.11"]

    def find(self, host: str, port: int) -> Found | None:
        if host == ENDPOINT:
            return Found(tuple(Target(each, port) for each in self.apiservers), "/readyz")
        if host == ETCD:
            return Found(tuple(Target(each, port) for each in self.members.values()))
        name, _, rest = host.partition(".")
        if rest == "demo-etcd.default.svc" and name in self.members:
            return Found((Target(self.members[name], port),))
        if not host[0].isdigit():
            raise UnknownName(host)
        return None


class Masters:
    """Programs by name, that start and are killed one by one; each on a host of its own name."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.names = FixedNames()
        self.dead: set[str] = set()  # hosts
        self.network = Network(names=self.names, is_heard=lambda host: host not in self.dead)
        self.around = Surroundings(self.network, clock, random.Random(0))
        self.programs: dict[str, Program] = {}
        self.disks: dict[str, Disk] = {}
        self.codes: dict[str, int] = {}
        self.words: dict[str, Disk] = {}
        self.listed = list(self.names.members)
        self.state = "new"
        self.etcd_version = "3.6.16"
        self._tasks: dict[str, asyncio.Task[int]] = {}
        self._started = masters(self.around, Copies())
        now = clock.now()
        made = {name: new_authority(name, now) for name in ("ca", "etcd-ca", "front")}
        self.entries = {f"{name}.crt": pair[0] for name, pair in made.items()}
        self._keys = {f"{name}.key": pair[1] for name, pair in made.items()}
        members = tuple(f"{each}.demo-etcd.default.svc" for each in self.names.members)
        self.sign("server", Request("etcd-ca", "etcd-server", dns_names=(*members, ETCD)))
        self.sign("etcd-client", Request("etcd-ca", "kube-apiserver"))
        self.sign("serving", Request("ca", "kube-apiserver", addresses=(ENDPOINT,)))
        for name in ("sa.key", "encryption.yaml"):
            self.entries[name] = b"kind: EncryptionConfiguration"
        for name in ("controller-manager", "scheduler"):
            user = f"system:kube-{name}"
            self.entries[f"{name}.kubeconfig"] = self.kubeconfig(user, "")

    def sign(self, name: str, request: Request, life: timedelta = timedelta(days=365)) -> None:
        """A pair of files."""
        signer = read_signer({**self.entries, **self._keys}, request.authority)
        pair = issue(signer, request, self.clock.now(), life)
        self.entries[f"{name}.crt"], self.entries[f"{name}.key"] = pair

    def kubeconfig(self, user: str = "homeostat:admin", group: str = "system:masters", life_days: int = 365) -> bytes:
        """Of a user of the cluster."""
        signer = read_signer({**self.entries, **self._keys}, "ca")
        life = timedelta(days=life_days)
        certificate, key = issue(signer, Request("ca", user, organization=group), self.clock.now(), life)
        server = f"https://{ENDPOINT}:6443"
        return write_kubeconfig(server, user, ca=self.entries["ca.crt"], certificate=certificate, key=key)

    def access(self) -> EtcdAccess:
        hosts = {each: f"{each}.demo-etcd.default.svc" for each in self.names.members}
        certificate, key = self.entries["etcd-client.crt"], self.entries["etcd-client.key"]
        return EtcdAccess(hosts, self.entries["etcd-ca.crt"], certificate, key)

    @property
    def etcd(self) -> WorldEtcd:
        return WorldEtcd(Reaching(self.network, self.clock))

    def probe(self) -> EndpointProbe:
        """The probe that runs everywhere else, over this network."""
        return EndpointProbe(clock=self.clock, random=random.Random(0), reach=reach_from(self.network, self.clock))

    async def member(self, number: int) -> None:
        name = f"demo-etcd-{number}"
        url = f"https://{name}.demo-etcd.default.svc:2380"
        listed = ",".join(f"{each}=https://{each}.demo-etcd.default.svc:2380" for each in self.listed)
        flags = {"name": name, "data-dir": "/data/etcd", "initial-advertise-peer-urls": url, "cert-file": "server.crt"}
        flags |= {"trusted-ca-file": "etcd-ca.crt", "peer-trusted-ca-file": "etcd-ca.crt", "key-file": "server.key"}
        flags |= {"peer-cert-file": "server.crt", "peer-key-file": "server.key", "initial-cluster-token": "token"}
        variables = {"ETCD_INITIAL_CLUSTER": listed, "ETCD_INITIAL_CLUSTER_STATE": self.state}
        image = f"etcd:{self.etcd_version}"
        await self.start("etcd", name, self.names.members[name], flags, image=image, environment=variables)

    async def apiserver(self, number: int = 0, version: str = "v1.35.4", **more: str) -> None:
        flags = {"etcd-servers": f"https://{ETCD}:2379", "etcd-cafile": "etcd-ca.crt", "client-ca-file": "ca.crt"}
        pairs = {"etcd-certfile": "etcd-client", "tls-cert-file": "serving", "kubelet-client-certificate": "serving"}
        pairs |= {"proxy-client-cert-file": "serving"}
        keys = {"etcd-certfile": "etcd-keyfile", "tls-cert-file": "tls-private-key-file"}
        keys |= {"kubelet-client-certificate": "kubelet-client-key", "proxy-client-cert-file": "proxy-client-key-file"}
        for flag, pair in pairs.items():
            flags |= {flag: f"{pair}.crt", keys[flag]: f"{pair}.key"}
        flags |= {"requestheader-client-ca-file": "front.crt", "encryption-provider-config": "encryption.yaml"}
        flags |= {each.replace("_", "-"): value for each, value in more.items()}
        name, address = f"apiserver-{number}", self.names.apiservers[number]
        await self.start("kube-apiserver", name, address, flags, image=f"kube-apiserver:{version}")

    async def controllers(self, number: int = 0) -> None:
        self.entries["signer.crt"], self.entries["signer.key"] = self.entries["ca.crt"], self._keys["ca.key"]
        flags = {"kubeconfig": "controller-manager.kubeconfig", "client-ca-file": "ca.crt", "root-ca-file": "ca.crt"}
        flags |= {"requestheader-client-ca-file": "front.crt", "service-account-private-key-file": "sa.key"}
        flags |= {"cluster-signing-cert-file": "signer.crt", "cluster-signing-key-file": "signer.key"}
        kind = "kube-controller-manager"
        await self.start(kind, f"manager-{number}", f"10.1.0.2{number}", flags, image=f"{kind}:v1.35.4")

    async def start(
        self,
        command: str,
        name: str,
        address: str,
        flags: dict[str, str],
        *,
        image: str,
        environment: dict[str, str] | None = None,
    ) -> None:
        """One container, for some seconds."""
        self.words[name] = Disk()
        container = Container(
            namespace="default",
            pod=name,
            uid=f"uid-{name}",
            name=command,
            host=name,
            zone="a",
            address=address,
            image=image,
            command=(command, *(f"--{flag}={value}" for flag, value in flags.items())),
            environment=environment or {},
            files=self._file,
            disks={"/data": self.disks.setdefault(name, Disk()), LOG: self.words[name]},
        )
        program = self.programs[name] = self._started[command](container, lambda: None)
        self._tasks[name] = asyncio.ensure_future(program.run())
        self._tasks[name].add_done_callback(lambda task: self._ended(name, task))
        await self.after(0)

    def _file(self, path: str) -> bytes:
        if path not in self.entries:
            raise FileNotFoundError(path)
        return self.entries[path]

    def _ended(self, name: str, task: asyncio.Task[int]) -> None:
        if not task.cancelled():
            self.codes[name] = task.result()

    async def kill(self, *names: str) -> None:
        """Twice: without any grace."""
        for name in names:
            self._tasks[name].cancel()
            await settle()
            self._tasks[name].cancel()
            await settle()

    async def after(self, seconds: float) -> None:
        await settle()
        for _ in range(int(seconds)):
            await self.clock.advance(1.0)
            await settle()

    async def all(self, members: int = 3) -> None:
        """Members and an API server, that answer."""
        for number in range(members):
            await self.member(number)
        await self.after(5)
        await self.apiserver()
        await self.after(5)

    async def timed(self, what: asyncio.Future[Any], seconds: int = 30) -> Any:
        """What comes of something, as time goes on."""
        for _ in range(seconds):
            if what.done():
                break
            await self.after(1)
        return await what

    async def timed_members(self) -> tuple[MemberSeen, ...]:
        found = await self.timed(asyncio.ensure_future(self.etcd.members(self.access())))
        assert isinstance(found, tuple)
        return found

    async def end(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await settle()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


@asynccontextmanager
async def programs() -> AsyncIterator[Masters]:
    """None started."""
    made = Masters(ManualClock())
    try:
        yield made
    finally:
        await made.end()
