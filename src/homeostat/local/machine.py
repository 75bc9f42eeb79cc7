"""The real ground: this machine's cache, bridge and runc hosts, joined to what the steps of a data centre need.

Hosts begin with all images in containerd's store, cloned from one template. A host that exists already gets images that
are new since then by import from the cache, which it sees read-only.
"""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import AsyncIterator, Mapping
from importlib import metadata
from pathlib import Path

from homeostat.kit.clock import Clock
from homeostat.local import doctor
from homeostat.local.base import ensure_base
from homeostat.local.binaries import BinarySet, ensure
from homeostat.local.binaries.components import ETCD_VERSIONS, OFFERED_VERSIONS
from homeostat.local.command import run
from homeostat.local.datacentre import COREDNS_VERSION, LOCAL_PATH_VERSION, DataCentre
from homeostat.local.hosts.nodes import node_files
from homeostat.local.hosts.ports import Bind, File, HostSpec
from homeostat.local.hosts.runc_hosts import RuncHosts
from homeostat.local.hosts.shell import Shell
from homeostat.local.hosts.templates import containerd_template
from homeostat.local.hosts.weight import weigh_hosts
from homeostat.local.images.building import ensure_binary_image, ensure_debian, ensure_homeostat_image
from homeostat.local.images.catalogue import binary_images
from homeostat.local.images.pruning import prune
from homeostat.local.meta import snapshots
from homeostat.local.meta.units import BINARIES
from homeostat.local.network import Network
from homeostat.local.plan import Place
from homeostat.local.steps import Report

_PACKAGE = Path(__file__).resolve().parent.parent
_IMAGES = "/opt/homeostat/images"
_KNOWN_IMAGES = "/etc/homeostat/images"


class Unfit(Exception):
    """This machine cannot carry real hosts; the message says what is missing and what to do."""


def version() -> str:
    """The version of homeostat that runs, which is also the tag of its image."""
    return metadata.version("homeostat")


class MachineGround:
    """See `ground.Ground` for what each operation promises."""

    def __init__(self, centre: DataCentre, environment: Mapping[str, str], *, clock: Clock) -> None:
        self._centre, self._environment, self._clock = centre, environment, clock
        self._network = Network(centre.plan, clock=clock)
        self._shells: dict[str, Shell] = {}
        self._making_key = asyncio.Lock()
        self._binaries: BinarySet | None = None
        self._base = Path()
        self._template = Path()
        self._archives: tuple[Path, ...] = ()

    async def check(self, _report: Report) -> None:
        """The doctor's failed checks."""
        paths = self._centre.paths
        failed = doctor.failed(doctor.diagnose(doctor.gather(paths.cache, paths.state, self._environment)))
        if failed:
            lines = [f"{check.name}: {check.found}; {check.remedy}" for check in failed]
            raise Unfit("this machine cannot carry real hosts: " + "; ".join(lines))

    async def binaries(self, report: Report) -> None:
        """From a directory, a download, or built here."""
        self._binaries = await ensure(
            self._centre.paths, self._environment, versions=OFFERED_VERSIONS, clock=self._clock, progress=report
        )
        _point(self._centre.kubectl, self._binaries.path("kubectl", self._centre.state.kubernetes_version))

    async def base(self, report: Report) -> None:
        """The Debian root of all hosts, and the one that homeostat's own image stands on."""
        paths = self._centre.paths
        paths.images.mkdir(parents=True, exist_ok=True)
        self._base, _ = await asyncio.gather(
            ensure_base(paths.bases, clock=self._clock), ensure_debian(paths.images, self._clock, report)
        )

    async def images(self, report: Report) -> None:
        """All archives, and, where hosts are still to be installed, the template that they begin with."""
        cache = self._centre.paths.images
        images = binary_images(
            self._found().path,
            kubernetes=OFFERED_VERSIONS,
            etcd=ETCD_VERSIONS,
            coredns=COREDNS_VERSION,
            local_path=LOCAL_PATH_VERSION,
            pause=self._base / "usr/bin/catatonit",
        )
        built = []
        for image in images:
            report.update(image.label)
            built.append(await ensure_binary_image(image, cache, clock=self._clock))
        built.append(await ensure_homeostat_image(_PACKAGE, version(), cache, clock=self._clock, report=report))
        self._archives = tuple(one.archive for one in built)
        installed = {state.name for state in await (await self._hosts()).list()}
        if any(place.name not in installed for place in self._centre.plan.places):
            report.update("unpacking for hosts")
            self._template = await containerd_template(self._base, self._archives, cache, clock=self._clock)
        await asyncio.to_thread(prune, cache, self._centre.paths.state)

    @property
    def image_key(self) -> str:
        """Changes when the content of homeostat's own image does."""
        return self._archives[-1].stem.rpartition("-")[2] if self._archives else ""

    @property
    def processors(self) -> int:
        """Those that this process may use, for hosts inherit that."""
        return len(os.sched_getaffinity(0))

    async def network(self, _report: Report) -> None:
        """Bridge, routes and rules."""
        await self._network.up()

    async def host(self, place: Place, report: Report) -> Shell:
        """Installed, on, reachable, with all images."""
        hosts = await self._hosts()
        if place.name not in {state.name for state in await hosts.list()}:
            report.update("installing")
            snapshots.ensure_directory(self._centre.snapshots)
            await hosts.create(self._spec(place))
        report.update("booting")
        await hosts.power_on(place.name)
        state = await hosts.state(place.name)
        shell = Shell(place.name, place.address, state.host_key, self._key, clock=self._clock)
        await shell.wait_until_up(timeout_s=90)
        weigh_hosts()
        await self._import_images(shell, report)
        self._shells[place.name] = shell
        return shell

    def shell(self, name: str) -> Shell:
        """The connection of a host that `host` has seen."""
        return self._shells[name]

    async def stream(self, host: str, command: str) -> AsyncIterator[bytes]:
        """A command's output as it comes, over the machine's own ssh client: it is for people who watch."""
        place = next(place for place in self._centre.plan.places if place.name == host)
        state = await (await self._hosts()).state(place.name)
        known = self._key.with_name("known_hosts")
        known.write_text(f"{place.address} {state.host_key}\n")
        process = await asyncio.create_subprocess_exec(
            "ssh",
            *("-i", str(self._key), "-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes"),
            *("-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=5", "-F", "none"),
            f"root@{place.address}",
            command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            if process.stdout:
                while chunk := await process.stdout.read(65536):
                    yield chunk
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()

    async def existing_shell(self, place: Place) -> Shell:
        """Commands on a host that was made before; nothing is switched on."""
        state = await (await self._hosts()).state(place.name)
        return Shell(place.name, place.address, state.host_key, self._key, clock=self._clock)

    async def hosts(self) -> RuncHosts:
        """The rack itself."""
        return await self._hosts()

    async def remove(self, report: Report) -> None:
        """Hosts, then network."""
        report.update("switching hosts off")
        await RuncHosts(self._directory, self._base, "", clock=self._clock).destroy_all()
        await self._network.down()

    async def leftovers(self) -> tuple[str, ...]:
        """What is still there of hosts, network and state."""
        rack = RuncHosts(self._directory, self._base, "", clock=self._clock)
        left = (*await rack.leftovers(), *await self._network.leftovers())
        names = [place.name for place in self._centre.plan.places]
        present = await asyncio.to_thread(_network_namespaces)
        namespaces = [f"namespace {name}" for name in names if name in present]
        state = [f"file {self._centre.directory}"] if self._centre.directory.exists() else []
        return (*left, *namespaces, *state)

    async def close(self) -> None:
        """End all connections."""
        await asyncio.gather(*(shell.close() for shell in self._shells.values()))

    @property
    def _directory(self) -> Path:
        return self._centre.directory / "hosts"

    @property
    def _key(self) -> Path:
        return self._centre.directory / "ssh" / "id_ed25519"

    async def _hosts(self) -> RuncHosts:
        async with self._making_key:
            await self._ensure_key()
        return RuncHosts(self._directory, self._base, self._key.with_suffix(".pub").read_text(), clock=self._clock)

    async def _ensure_key(self) -> None:
        if not self._key.with_suffix(".pub").is_file():
            self._key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._key.unlink(missing_ok=True)
            words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "homeostat", "-f", self._key)
            await run(words, clock=self._clock)

    def _spec(self, place: Place) -> HostSpec:
        plan = self._centre.plan
        known = "".join(f"{archive.name}\n" for archive in self._archives)
        return HostSpec(
            name=place.name,
            address=place.address,
            prefix=plan.prefix,
            gateway=plan.gateway,
            bridge=plan.bridge,
            veth=place.veth,
            zone=place.zone,
            role=place.role,
            routes=plan.routes_of(place),
            names={peer.name: peer.address for peer in plan.places if peer != place},
            files=(*node_files(place), File(_KNOWN_IMAGES, known)),
            units=("containerd.service",),
            binds=(
                Bind(str(self._found().path("kubelet", self._centre.state.kubernetes_version).parent), BINARIES),
                Bind(str(self._centre.paths.images), _IMAGES),
                Bind(str(self._centre.snapshots), snapshots.ON_HOSTS, writable=True),
            ),
            images=str(self._template),
        )

    def _found(self) -> BinarySet:
        if self._binaries is None:
            raise RuntimeError("binaries: asked for before the step that provides them")
        return self._binaries

    async def _import_images(self, shell: Shell, report: Report) -> None:
        known = (await shell.run(f"cat {_KNOWN_IMAGES} 2>/dev/null || true")).stdout.split()
        for archive in self._archives:
            if archive.name not in known:
                report.update(f"importing {archive.stem}")
                name = shlex.quote(archive.name)
                command = f"ctr -n k8s.io images import {_IMAGES}/{name} >/dev/null && echo {name} >> {_KNOWN_IMAGES}"
                await shell.run(command, timeout_s=180)


def _network_namespaces() -> set[str]:
    directory = Path("/run/netns")
    return {entry.name for entry in directory.iterdir()} if directory.is_dir() else set()


def _point(link: Path, target: Path) -> None:
    """Make a symbolic link, in place of an older one."""
    link.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)


def environment_of_process() -> Mapping[str, str]:
    """What the process was started with."""
    return os.environ
