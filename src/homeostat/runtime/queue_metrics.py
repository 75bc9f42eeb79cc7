"""What a queue tells about itself, with labels bound once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from homeostat.telemetry.metrics import Metrics, declare

_LABEL = ("name",)
ADDS = declare(
    "homeostat_queue_adds", "counter", "keys", "Keys added to a queue, repeated ones included", labels=_LABEL
)
RETRIES = declare("homeostat_queue_retries", "counter", "keys", "Keys added again after a failure", labels=_LABEL)
DEPTH = declare("homeostat_queue_depth", "gauge", "keys", "Keys that wait for a worker", labels=_LABEL)
LATENCY = declare(
    "homeostat_queue_latency_seconds", "histogram", "seconds", "How long keys waited for a worker", labels=_LABEL
)
WORK = declare(
    "homeostat_queue_work_duration_seconds", "histogram", "seconds", "How long workers held a key", labels=_LABEL
)
LONGEST = declare(
    "homeostat_queue_longest_running_seconds",
    "gauge",
    "seconds",
    "For how long the oldest key in work has been held",
    labels=_LABEL,
)
UNFINISHED = declare(
    "homeostat_queue_unfinished_work_seconds",
    "gauge",
    "seconds",
    "Seconds of work in progress that no finished key accounts for yet",
    labels=_LABEL,
)


class QueueObserver(Protocol):
    """Takes note of what happens in a queue; must be quick."""

    def added(self) -> None:
        """A key was added."""

    def retried(self) -> None:
        """A key failed and will come again."""

    def taken(self, waited_s: float) -> None:
        """A worker took a key."""

    def worked(self, seconds: float) -> None:
        """A worker gave a key back."""


class _Nothing:
    def added(self) -> None:
        """Keep nothing."""

    def retried(self) -> None:
        """Keep nothing."""

    def taken(self, waited_s: float) -> None:
        """Keep nothing."""

    def worked(self, seconds: float) -> None:
        """Keep nothing."""


NO_METRICS: QueueObserver = _Nothing()


class QueueMetrics:
    """A queue's counts and times in a registry."""

    __slots__ = ("_depth", "_longest", "_unfinished", "added", "retried", "taken", "worked")

    def __init__(self, metrics: Metrics, name: str) -> None:
        self.added: Callable[[], None] = metrics.counter(ADDS).labels(name).inc
        self.retried: Callable[[], None] = metrics.counter(RETRIES).labels(name).inc
        self.taken: Callable[[float], None] = metrics.histogram(LATENCY).labels(name).observe
        self.worked: Callable[[float], None] = metrics.histogram(WORK).labels(name).observe
        self._depth = metrics.gauge(DEPTH).labels(name)
        self._longest = metrics.gauge(LONGEST).labels(name)
        self._unfinished = metrics.gauge(UNFINISHED).labels(name)

    def show(self, depth: Callable[[], float], longest: Callable[[], float], unfinished: Callable[[], float]) -> None:
        """Read these only when somebody asks for the metrics."""
        self._depth.set_function(depth)
        self._longest.set_function(longest)
        self._unfinished.set_function(unfinished)
