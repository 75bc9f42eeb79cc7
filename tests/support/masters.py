"""The masters of one business cluster of a real data centre, looked at and hurt behind Kubernetes' back."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.business import create
from tests.support.client import Life
from tests.support.datacentre import Centre, eventually, on_host

Whole = dict[str, Any]
_COMMAND = 15  # characters of a program's name that the kernel keeps
_MNT_DETACH = 2  # umount2(2): what has it open keeps it


class Masters:
    """Of one cluster, by its namespace and name."""

    def __init__(self, centre: Centre, namespace: str, name: str) -> None:
        self.centre, self.namespace, self.name = centre, namespace, name

    def pods(self, component: str) -> list[Whole]:
        """Those that are not on their way out."""
        wanted = f"app.kubernetes.io/component={component},cluster.homeostat.dev/name={self.name}"
        items = self.centre.get("pods", "-n", self.namespace, "-l", wanted)["items"]
        return [item for item in items if "deletionTimestamp" not in item["metadata"]]

    def ready(self, component: str) -> list[str]:
        """The uids of those that their kubelets find ready."""
        return [pod["metadata"]["uid"] for pod in self.pods(component) if is_ready(pod)]

    def lives(self) -> dict[str, tuple[str, list[int]]]:
        """All of its Pods, by uid and by how often their containers were started again: what is touched has another."""
        pods = self.centre.get("pods", "-n", self.namespace, "-l", f"cluster.homeostat.dev/name={self.name}")["items"]
        return {
            one["metadata"]["name"]: (
                one["metadata"]["uid"],
                [each["restartCount"] for each in one["status"].get("containerStatuses", ())],
            )
            for one in pods
        }

    def status(self) -> Whole:
        """The Cluster's."""
        return dict(self.centre.get("cluster", self.name, "-n", self.namespace)["status"])

    def condition(self, type_: str) -> Whole:
        """One condition of the Cluster."""
        return next(each for each in self.status()["conditions"] if each["type"] == type_)

    def patch(self, spec: str) -> None:
        """Change the Cluster's spec by a piece of JSON."""
        wish = f'{{"spec": {spec}}}'
        self.centre.kubectl("patch", "cluster", self.name, "-n", self.namespace, "--type=merge", "-p", wish)

    def restarts(self, component: str) -> list[Whole]:
        """What is told of restarts of a component: one, or none."""
        told = self.status().get("healing", {}).get("restarts", [])
        return [each for each in told if each["component"] == component]

    def rewrite_restarts(self, change: Callable[[Whole], Whole]) -> None:
        """Have the status tell another story of what was restarted."""
        told = self.status().get("healing", {}).get("restarts", [])
        if told:
            wish = json.dumps({"status": {"healing": {"restarts": [change(each) for each in told]}}})
            where = ("cluster", self.name, "-n", self.namespace)
            self.centre.kubectl("patch", *where, "--subresource=status", "--type=merge", "-p", wish)

    def forget_replacements(self) -> None:
        """Have the status know of no member that was replaced: the next one waits for no back-off, and is the first."""
        if "healing" in self.status():
            wish = json.dumps({"status": {"healing": {"lastStartedAt": None, "attempts": None}}})
            where = ("cluster", self.name, "-n", self.namespace)
            self.centre.kubectl("patch", *where, "--subresource=status", "--type=merge", "-p", wish)

    def attempts(self) -> int:
        """How many replacements of members were begun, none of which is under way; 0 while one is."""
        told = self.status().get("healing", {})
        return 0 if "replacement" in told else int(told.get("attempts", 0))

    def endpoint(self) -> set[str]:
        """The addresses that clients are sent to."""
        wanted = f"kubernetes.io/service-name={self.name}-apiserver"
        slices = self.centre.get("endpointslices", "-n", self.namespace, "-l", wanted)["items"]
        found = [each for one in slices for each in one.get("endpoints") or ()]
        return {each["addresses"][0] for each in found if each["conditions"].get("ready")}

    def hosts(self, component: str) -> list[str]:
        """Where its Pods are; empty for one that has no host yet."""
        return [pod["spec"].get("nodeName", "") for pod in self.pods(component)]

    def secret(self, name: str) -> dict[str, bytes]:
        """The entries of one of the cluster's Secrets, by what follows the cluster's name."""
        data = self.centre.get("secret", f"{self.name}-{name}", "-n", self.namespace)["data"]
        return {entry: base64.b64decode(value) for entry, value in data.items()}

    def kubeconfig(self) -> bytes:
        """The administrator's."""
        return self.secret("admin-kubeconfig")["kubeconfig"]

    def life(self, attempts: int = 1) -> Life:
        """A client that reads and writes all the time, and tries a request so often."""
        return Life(self.kubeconfig(), attempts=attempts)

    def signal(self, pod: Whole, number: str) -> None:
        """Send a signal to the process of a Pod, on its host."""
        signal(self.centre, pod, number)

    def swallow(self, pod: Whole, port: int, from_bytes: int) -> None:
        """Lose what a Pod sends to a port in large packets, as a path does that carries less than it says."""
        rule = f"-p tcp --dport {port} -m length --length {from_bytes}:65535 -j DROP"
        in_network(self.centre, pod, f"iptables -A OUTPUT {rule}")

    def directory(self, pod: Whole) -> str:
        """Where the volume of a member of etcd lies on its host."""
        claim = self.centre.get("pvc", f"data-{pod['metadata']['name']}", "-n", self.namespace)
        source = self.centre.get("pv", claim["spec"]["volumeName"])["spec"]
        return str((source.get("local") or source["hostPath"])["path"])


@contextmanager
def raised(
    centre: Centre, namespace: str, name: str, example: str = "cluster-ha.yaml", **spec: Any
) -> Iterator[Masters]:
    """A Ready cluster in a namespace of its own, as long as the block lasts."""
    centre.kubectl("create", "namespace", namespace)
    create(centre, namespace, name, example, **spec)
    # What clients read here is written by the controller manager some time after the cluster is Ready.
    wanted = ("get", "configmap", "kube-root-ca.crt", "--ignore-not-found", "-o", "name")
    eventually(lambda: bool(centre.business(name, *wanted, namespace=namespace)), within_s=60)
    yield Masters(centre, namespace, name)
    centre.kubectl("delete", "clusters", "--all", "-n", namespace, "--timeout=180s")
    centre.kubectl("delete", "namespace", namespace, "--timeout=60s")


def is_ready(pod: Whole) -> bool:
    """Whether its kubelet finds it so."""
    told = pod["status"].get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in told)


def signal(centre: Centre, pod: Whole, number: str) -> None:
    """Send a signal to the process that a Pod's container is named after, on its host."""
    _to_process(centre, pod, f"kill -{number} $pid")


def in_network(centre: Centre, pod: Whole, command: str) -> str:
    """What a command of the host's printed in the network of a Pod."""
    return _to_process(centre, pod, f"nsenter --net=/proc/$pid/ns/net {command}")


def received(centre: Centre, pod: Whole, port: int) -> dict[str, int]:
    """How many bytes a Pod has had at a port by the connections that are open now, by the address of the other end."""
    told = in_network(centre, pod, f"ss -tinHO state established sport = :{port}")
    found: Counter[str] = Counter()
    for line in told.splitlines():
        words, bytes_ = line.split(), re.search(r"bytes_received:(\d+)", line)
        if len(words) > 3:
            found[words[3].rpartition(":")[0].removeprefix("[::ffff:").removesuffix("]")] += (
                int(bytes_[1]) if bytes_ else 0
            )
    return dict(found)


@contextmanager
def deaf_port(centre: Centre, host: str, port: int) -> Iterator[None]:
    """Pods of a host are not reached at a port, by nobody, as long as the block lasts."""
    pods = next(place.pod_cidr for place in centre.inner.plan.meta if place.name == host)
    chains = ("FORWARD", "OUTPUT")

    def rules(act: str) -> str:
        return "; ".join(f"iptables -w {act} {chain} -d {pods} -p tcp --dport {port} -j DROP" for chain in chains)

    on_host(centre, host, rules("-I"))
    try:
        yield
    finally:
        on_host(centre, host, rules("-D"))


@contextmanager
def mounted_over(centre: Centre, pod: Whole, path: str, size: str) -> Iterator[Callable[[], list[str]]]:
    """A directory of a Pod is an empty file system in memory while the block lasts; yields what lists its files."""
    _to_process(centre, pod, f"mount -N $pid -t tmpfs -o size={size},mode=1777 tmpfs {path}")
    try:
        yield lambda: _to_process(centre, pod, f"find /proc/$pid/root{path} -type f").splitlines()
    finally:
        # umount looks into /proc/self, which in a Pod knows nobody from outside; the call itself does not.
        call = f'ctypes.CDLL(None).umount2(b"{path}", {_MNT_DETACH})'
        _to_process(centre, pod, f"nsenter -t $pid --mount --root python3 -c 'import ctypes; exit({call})'")


def _to_process(centre: Centre, pod: Whole, act: str) -> str:
    """What was printed by what was done to the process of a Pod's container."""
    uid, process = pod["metadata"]["uid"], pod["spec"]["containers"][0]["name"][:_COMMAND]
    find = f'grep -l "pod{uid}" /proc/[0-9]*/cgroup | cut -d/ -f3'
    each = f'[ "$(cat /proc/$pid/comm)" = {process} ] && {act} && echo done'
    said = on_host(centre, pod["spec"]["nodeName"], f"for pid in $({find}); do {each}; done; true")
    assert "done" in said, f"{pod['metadata']['name']}: no process {process}, or it was not done: {act}"
    return said.removesuffix("done\n")
