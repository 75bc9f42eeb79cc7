"""What the cluster operator needs from outside of the cell."""

from __future__ import annotations

from typing import Protocol


class Unreachable(Exception):
    """The endpoint did not answer as it should; the message says how it failed, without secrets."""


class Probe(Protocol):
    """Asks a business cluster as a client would. Called at most once a second per cluster, usually once a minute."""

    async def probe(self, kubeconfig: bytes) -> str:
        """Authenticate, ask for readiness, read something; the version served. Raises Unreachable within 10 s."""
        ...

    async def kubelets(self, kubeconfig: bytes) -> frozenset[str]:
        """Which versions the cluster's kubelets are; asked before masters move to another minor version, once a minute.

        Raises Unreachable within 30 s.
        """
        ...
