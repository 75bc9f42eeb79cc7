"""Where the endpoint of a cluster sent its clients until a block ended, and which API servers of it were broken."""

from __future__ import annotations

import re
import subprocess
import tempfile
from typing import Self

from tests.support.datacentre import Centre, on_host
from tests.support.masters import Masters

_READY = r'{range .endpoints[*]}{.addresses[0]} {.conditions.ready}{"\n"}{end}'
_STARTED = r'{.status.podIP} {.spec.containers[0].command}{"\n"}'
_ENDED_S = 10


class Routed:
    """Heard by watches of the endpoint's slices and of the API servers' Pods; the balancer's file is looked at."""

    def __init__(self, masters: Masters) -> None:
        self._masters = masters
        self._balanced: set[str] = set()
        chosen = f"kubernetes.io/service-name={masters.name}-apiserver"
        self._slices = _Watch(masters, ("endpointslices", "-l", chosen), _READY)
        kinds = "app.kubernetes.io/component in (kube-apiserver,kube-apiserver-trial)"
        servers = f"{kinds},cluster.homeostat.dev/name={masters.name}"
        self._pods = _Watch(masters, ("pods", "-l", servers), _STARTED)

    def __enter__(self) -> Self:
        self._slices.begin()
        self._pods.begin()
        return self

    def __exit__(self, *error: object) -> None:
        self._slices.end()
        self._pods.end()

    def look(self) -> None:
        """Note whom the balancer of the data centre sends clients to now."""
        centre: Centre = self._masters.centre
        name = f"listen {self._masters.namespace}:{self._masters.name}-apiserver:"
        file = on_host(centre, centre.inner.plan.control.name, "cat /etc/haproxy/haproxy.cfg")
        sections = [each for each in file.split("\n\n") if name in each]
        self._balanced |= {address for each in sections for address in re.findall(r"server \S+ ([0-9.]+):", each)}

    @property
    def balanced(self) -> set[str]:
        """The addresses that were seen behind the balancer."""
        return set(self._balanced)

    @property
    def ready(self) -> set[str]:
        """The addresses that were ready behind the endpoint at any moment."""
        told = (line.split() for line in self._slices.lines())
        return {words[0] for words in told if words[1:] == ["true"]}

    def started_with(self, flag: str) -> set[str]:
        """The addresses of API servers that were started with a flag."""
        told = (line.split(" ", 1) for line in self._pods.lines() if f"--{flag}=" in line)
        return {words[0] for words in told if words[0]}


class _Watch:
    """Lines that a watch of kubectl prints."""

    def __init__(self, masters: Masters, what: tuple[str, ...], line: str) -> None:
        inner = masters.centre.inner
        command = [str(inner.kubectl), "--kubeconfig", str(inner.kubeconfig), "get", *what, "-n", masters.namespace]
        self._command = [*command, "--watch", "-o", f"jsonpath={line}"]
        self._told = tempfile.TemporaryFile("w+")  # noqa: SIM115  (closed by end)

    def begin(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=self._told)

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(_ENDED_S)
        self._told.close()

    def lines(self) -> list[str]:
        self._told.seek(0)
        return self._told.read().splitlines()
