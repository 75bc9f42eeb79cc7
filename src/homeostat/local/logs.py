"""Logs of every part of a data centre, by name: where each comes from, and how it is followed.

Hosts keep their journals and Pods' logs; the machine keeps consoles and what `up` did; the cell's API serves the logs
of Pods. A part is a value, so that the list of parts and the reading of one cannot disagree.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from homeostat.api.core import POD, Pod
from homeostat.kube.client import Client
from homeostat.kube.errors import KubeError
from homeostat.local.datacentre import DataCentre
from homeostat.local.plan import NetworkPlan

FOLLOW_S = 1.0
DEFAULT_TAIL = 200
MASTERS = ("apiserver", "controller-manager", "scheduler", "etcd")


class Source(StrEnum):
    """Who keeps a log."""

    FILE = "file"
    JOURNAL = "journal"
    PODS = "pods"


class Part(Struct, frozen=True):
    """One part: its name on the command line, and where its log is."""

    name: str
    meaning: str
    source: Source
    host: str = ""
    target: str = ""  # file, unit (empty: the whole journal), or namespace/label selector
    on_host: bool = False  # the file lies on the host, not on this machine


class UnknownPart(LookupError):
    """No part of that name; the message lists those there are."""


def parts(plan: NetworkPlan, directory: Path) -> tuple[Part, ...]:
    """All parts that are known without asking anybody."""
    control = plan.control.name
    found = [Part("up", "what `homeostat up` did", Source.FILE, target=str(directory / "logs" / "up.log"))]
    for place in plan.places:
        name = place.name
        console = str(directory / "hosts" / name / "console.log")
        found += [
            Part(f"console/{name}", "what the host wrote to its console", Source.FILE, name, console),
            Part(f"host/{name}", "the host's journal", Source.JOURNAL, name),
            *(
                Part(f"{unit}@{name}", f"the journal of {unit}", Source.JOURNAL, name, unit)
                for unit in ("kubelet", "containerd", "kube-proxy")
            ),
            Part(f"kubeadm@{name}", "how the host joined", Source.FILE, name, "/var/log/kubeadm.log", on_host=True),
        ]
    found.append(Part("haproxy", "the load balancer itself", Source.JOURNAL, control, "haproxy"))
    found += [
        Part(
            master, "a master component of the cell", Source.PODS, target=f"kube-system/component={_component(master)}"
        )
        for master in MASTERS
    ]
    found += [
        Part("dns", "cluster DNS", Source.PODS, target="kube-system/k8s-app=kube-dns"),
        Part("volumes", "the maker of volumes", Source.PODS, target="local-path-storage/app=local-path-provisioner"),
        Part(
            "balancer",
            "the controller of load balancers",
            Source.PODS,
            target="homeostat-system/app.kubernetes.io/name=homeostat-balancer",
        ),
        Part(
            "operator", "homeostat's operator", Source.PODS, target="homeostat-system/app.kubernetes.io/name=homeostat"
        ),
    ]
    return tuple(found)


def find(name: str, known: Iterable[Part]) -> Part:
    """The part of a name; `cluster/NAME/COMPONENT` is one too. Raises UnknownPart."""
    known = tuple(known)
    for part in known:
        if part.name == name:
            return part
    words = name.split("/")
    if words[0] == "cluster" and len(words) in (3, 4):
        *namespace, one, component = words[1:]
        return Part(
            name, "a master component", Source.PODS, target=f"{''.join(namespace) or 'default'}/name={one}-{component}"
        )
    names = ", ".join(part.name for part in known)
    raise UnknownPart(f"part {name!r}: expected one of {names}, or cluster/[NAMESPACE/]NAME/COMPONENT")


def _component(master: str) -> str:
    return master if master == "etcd" else f"kube-{master}"


class HostShell(Protocol):
    """Streams commands on hosts."""

    def stream(self, host: str, command: str) -> AsyncIterator[bytes]:
        """The command's output as it comes."""
        ...


async def read(
    centre: DataCentre, shells: HostShell, part: Part, *, tail: int | None, follow: bool
) -> AsyncIterator[bytes]:
    """The log of a part, in chunks; with `follow` it does not end by itself."""
    if part.source is Source.JOURNAL or part.on_host:
        async for chunk in shells.stream(part.host, host_command(part, tail=tail, follow=follow)):
            yield chunk
    elif part.source is Source.FILE:
        async for chunk in _file(centre, Path(part.target), tail=tail, follow=follow):
            yield chunk
    else:
        async with centre.client() as client:
            async for chunk in _pods(client, part.target, tail=tail, follow=follow):
                yield chunk


def host_command(part: Part, *, tail: int | None, follow: bool) -> str:
    """The command that prints a host's log."""
    count = str(DEFAULT_TAIL if tail is None else tail)
    if part.on_host:
        return f"tail -n {count} {'-F ' if follow else ''}{part.target}"
    unit = f" --unit {part.target}" if part.target else ""
    return f"journalctl --no-pager --lines {count}{unit}{' --follow' if follow else ''}"


async def _file(centre: DataCentre, file: Path, *, tail: int | None, follow: bool) -> AsyncIterator[bytes]:
    past, offset = _end_of(file, DEFAULT_TAIL if tail is None else tail)
    yield past
    while follow:
        await centre.clock.sleep(FOLLOW_S)
        with file.open("rb") as stream:
            stream.seek(offset)
            if more := stream.read():
                offset += len(more)
                yield more


def _end_of(file: Path, lines: int) -> tuple[bytes, int]:
    """The last lines of a file, and its size."""
    if not file.is_file():
        raise UnknownPart(f"{file}: nothing was written yet")
    content = file.read_bytes()
    kept = content.splitlines(keepends=True)[-lines:] if lines else []
    return b"".join(kept), len(content)


async def _pods(client: Client, target: str, *, tail: int | None, follow: bool) -> AsyncIterator[bytes]:
    namespace, _, selector = target.partition("/")
    if selector.startswith("name="):
        prefix = selector.removeprefix("name=")
        every = (await client.list(POD, namespace)).items
        pods: list[Pod] = [pod for pod in every if _is_of(pod.metadata.name, prefix)]
    else:
        pods = (await client.list(POD, namespace, labels=selector)).items
    if not pods:
        raise UnknownPart(f"{target}: no Pod there; `homeostat status` tells what runs")
    for pod in pods[-1:] if follow else pods:
        if len(pods) > 1 and not follow:
            yield f"--- {pod.metadata.name}\n".encode()
        try:
            async for chunk in client.logs(
                pod.metadata.name, namespace, follow=follow, tail=DEFAULT_TAIL if tail is None else tail
            ):
                yield chunk
        except KubeError as error:
            yield f"(no log: {error})\n".encode()


def _is_of(pod: str, workload: str) -> bool:
    """Whether a Pod's name is a workload's with an ordinal or hashes behind it."""
    rest = pod.removeprefix(workload)
    return rest != pod and (rest == "" or (rest.startswith("-") and rest.count("-") <= 2))
