"""The probe of endpoints and of single API servers, with a watch in its hand."""

from __future__ import annotations

from homeostat.kit.clock import Clock
from homeostat.operators.cluster import metrics as told
from homeostat.operators.cluster.ports import Direct, Probe, Served, Unreachable
from homeostat.telemetry.metrics import Metrics


class MeasuredProbe:
    """A probe that also tells how long it took, and how it ended."""

    def __init__(self, probe: Probe, metrics: Metrics, *, clock: Clock) -> None:
        self._probe = probe
        self._clock = clock
        self._took = metrics.histogram(told.PROBES)

    async def probe(self, kubeconfig: bytes, direct: Direct | None = None) -> Served:
        """What the server told. Raises Unreachable."""
        began = self._clock.monotonic()
        target = "endpoint" if direct is None else "server"
        try:
            served = await self._probe.probe(kubeconfig, direct)
        except Unreachable:
            self._took.labels(target, "failed").observe(self._clock.monotonic() - began)
            raise
        self._took.labels(target, "answered").observe(self._clock.monotonic() - began)
        return served

    async def kubelets(self, kubeconfig: bytes) -> frozenset[str]:
        """The versions of all Nodes' kubelets. Raises Unreachable."""
        return await self._probe.kubelets(kubeconfig)

    async def rewrite_secrets(self, kubeconfig: bytes, after: str) -> str:
        """Where to go on with the next page. Raises Unreachable."""
        return await self._probe.rewrite_secrets(kubeconfig, after)

    def forget(self, kubeconfig: bytes) -> None:
        """Keep nothing of it."""
        self._probe.forget(kubeconfig)
