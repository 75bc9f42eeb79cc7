"""A worker of a business cluster as its masters see it: a Node, which is written here and not by a kubelet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.masters import Masters


class Worker:
    """Of one cluster, by the name of its Node."""

    def __init__(self, masters: Masters, name: str) -> None:
        self._masters, self._name = masters, name

    def join(self) -> None:
        """There is such a Node."""
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self._name}}
        self._business("create", "-f", "-", stdin=json.dumps(node))

    def become(self, version: str) -> None:
        """Its kubelet is of this version from now on."""
        told = json.dumps({"status": {"nodeInfo": {"kubeletVersion": version}}})
        self._business("patch", "node", self._name, "--subresource=status", "-p", told)

    def leave(self) -> None:
        """The Node is gone."""
        self._business("delete", "node", self._name, "--ignore-not-found")

    def _business(self, *words: str, stdin: str = "") -> None:
        self._masters.centre.business(self._masters.name, *words, namespace=self._masters.namespace, stdin=stdin)


@contextmanager
def joined(masters: Masters, version: str, name: str = "worker-1") -> Iterator[Worker]:
    """A worker with a kubelet of a version, as long as the block lasts."""
    worker = Worker(masters, name)
    worker.join()
    try:
        worker.become(version)
        yield worker
    finally:
        worker.leave()
