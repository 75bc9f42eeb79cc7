"""What is counted of backups: snapshots by result, how long they take, and how old the oldest last one is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.kit.clock import Clock
from homeostat.operators.cluster.snapshots.outcomes import NotTaken, Took
from homeostat.runtime.store import Store
from homeostat.telemetry.metrics import Metrics, declare

SNAPSHOTS = declare(
    "homeostat_snapshots",
    "counter",
    "snapshots",
    "Snapshots of etcd by result: taken, or the reason that the condition BackedUp says",
    labels=("result",),
)
DURATION = declare(
    "homeostat_snapshot_duration_seconds",
    "histogram",
    "seconds",
    "From the first question to etcd until the snapshot is stored and old ones are gone, or it failed",
    labels=("result",),
)
OLDEST = declare(
    "homeostat_cluster_backup_oldest_timestamp_seconds",
    "gauge",
    "seconds",
    "When the last snapshot of that cluster was taken whose last one is the oldest; of a cluster without any, when it "
    "became Ready. Clusters whose backups are paused do not count; 0 without clusters or without a store",
)
_TAKEN, _FAILED = "taken", "failed"


class BackupMetrics:
    """The collectors of one loop."""

    def __init__(self, metrics: Metrics, clock: Clock, stores: Sequence[Store[Cluster]]) -> None:
        self._clock = clock
        self._snapshots, self._duration = metrics.counter(SNAPSHOTS), metrics.histogram(DURATION)
        metrics.gauge(OLDEST).set_function(lambda: oldest(chain.from_iterable(store.values() for store in stores)))

    @contextmanager
    def taking(self) -> Iterator[Callable[[Took | NotTaken], None]]:
        """Measure one snapshot; the block tells how it ended."""
        began = self._clock.monotonic()

        def measured(outcome: Took | NotTaken) -> None:
            reason = outcome.reason if isinstance(outcome, NotTaken) else _TAKEN
            self._snapshots.labels(reason).inc()
            word = _FAILED if isinstance(outcome, NotTaken) else _TAKEN
            self._duration.labels(word).observe(self._clock.monotonic() - began)

        yield measured


def oldest(clusters: Iterable[Cluster]) -> float:
    """The oldest of all clusters' last snapshots, as Unix time."""
    times = [
        (backup.last.taken_at if (backup := cluster.status.backup) is not None and backup.last else status.ready_at)
        for cluster in clusters
        if (status := cluster.status).ready_at is not None and not cluster.spec.backup.paused
    ]
    return min((time.timestamp() for time in times if time is not None), default=0.0)
