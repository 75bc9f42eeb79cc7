"""Hosts of a real cell that are taken out of service as a person does it, through evictions."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.datacentre import Centre

DRAINED_S = 90


@contextmanager
def drained(centre: Centre, host: str, cluster: str) -> Iterator[None]:
    """A host takes no Pods and has none of a cluster's masters, as long as the block lasts."""
    try:
        chosen = ("--pod-selector", f"cluster.homeostat.dev/name={cluster}", "--delete-emptydir-data")
        centre.kubectl("drain", host, *chosen, f"--timeout={DRAINED_S}s")
        yield
    finally:
        centre.kubectl("uncordon", host)


@contextmanager
def cordoned(centre: Centre, host: str) -> Iterator[None]:
    """A host takes no new Pods as long as the block lasts."""
    centre.kubectl("cordon", host)
    try:
        yield
    finally:
        centre.kubectl("uncordon", host)


def evict(centre: Centre, namespace: str, pod: str) -> str:
    """Ask for one eviction; why it was refused, nothing when it was granted."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
    command = [str(centre.inner.kubectl), "--kubeconfig", str(centre.inner.kubeconfig), "create", "-f", "-"]
    raw = ("--raw", f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction")
    done = subprocess.run(
        [*command, *raw], input=json.dumps(body), capture_output=True, text=True, timeout=60, check=False
    )
    return done.stderr if done.returncode else ""
