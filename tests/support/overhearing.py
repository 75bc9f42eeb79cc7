"""What anybody may read of one cluster of a real data centre, searched for its private keys and tokens."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.datacentre import Centre
from tests.support.secrecy import ENOUGH, private

OPEN = "clusters,pods,deployments,statefulsets,replicasets,services,endpointslices,configmaps,poddisruptionbudgets,pvc"
OPERATOR = ("-n", "homeostat-system", "-l", "app.kubernetes.io/name=homeostat")
WHOLE = ("--all-containers", "--prefix", "--tail=-1", "--max-log-requests=40")


class Overheard:
    """All keys that were ever seen in Secrets, and where pieces of them were told outside of those."""

    def __init__(self, centre: Centre, namespace: str, cluster: str) -> None:
        self.keys: set[str] = set()
        self.leaks: list[tuple[str, str]] = []  # where, and which
        self.heard: dict[str, int] = {}  # characters, by where
        self._centre, self._namespace, self._cluster = centre, namespace, cluster

    def note(self) -> None:
        """Remember the keys that there are now."""
        for secret in self._centre.get("secrets", "-n", self._namespace)["items"]:
            self.keys.update(private(secret))

    def note_token(self, token: str) -> None:
        """Remember a token, by its signature."""
        self.keys.add(token[-ENOUGH:])

    def listen(self) -> None:
        """Search all that is told now."""
        for where, text in self._told():
            self.heard[where] = self.heard.get(where, 0) + len(text)
            self.leaks += [(where, key) for key in sorted(self.keys) if key in text]

    def _told(self) -> Iterator[tuple[str, str]]:
        mine = ("-n", self._namespace, "-l", f"cluster.homeostat.dev/name={self._cluster}")
        kubectl = self._centre.kubectl
        yield "logs of masters", kubectl("logs", *mine, *WHOLE)
        yield "logs of the operator", kubectl("logs", *OPERATOR, *WHOLE)
        yield "events", kubectl("get", "events", "--all-namespaces", "-o", "json")
        yield "objects", kubectl("get", OPEN, "-n", self._namespace, "-o", "json", "--show-managed-fields")
