"""The probe of endpoints, with a watch in its hand."""

from __future__ import annotations

from homeostat.kit.clock import Clock
from homeostat.operators.cluster import metrics as told
from homeostat.operators.cluster.ports import Probe, Unreachable
from homeostat.telemetry.metrics import Metrics


class MeasuredProbe:
    """A probe that also tells how long it took, and how it ended."""

    def __init__(self, probe: Probe, metrics: Metrics, *, clock: Clock) -> None:
        self._probe = probe
        self._clock = clock
        self._took = metrics.histogram(told.PROBES)

    async def probe(self, kubeconfig: bytes) -> str:
        """The version that answers. Raises Unreachable."""
        began = self._clock.monotonic()
        try:
            version = await self._probe.probe(kubeconfig)
        except Unreachable:
            self._took.labels("failed").observe(self._clock.monotonic() - began)
            raise
        self._took.labels("answered").observe(self._clock.monotonic() - began)
        return version

    async def kubelets(self, kubeconfig: bytes) -> frozenset[str]:
        """The versions of all Nodes' kubelets. Raises Unreachable."""
        return await self._probe.kubelets(kubeconfig)
