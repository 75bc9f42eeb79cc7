"""Metrics, declared once with unit and help, and made in a registry that belongs to one process part.

A `Declaration` is data: reference pages are generated from `declared()`. `Metrics` makes collectors from declarations
on its own prometheus registry, so that two managers in one process (tests, the simulator) do not share counts.
Hot paths bind labels once and keep the child; labels are bounded sets of words, never names of objects.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

MetricKind = Literal["counter", "gauge", "histogram"]
DURATIONS_S = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0)


class Declaration(Struct, frozen=True):
    """One metric as its reference describes it. Counters get the suffix `_total` when they are shown."""

    name: str
    kind: MetricKind
    unit: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


class Measure(Struct, frozen=True):
    """Something to record, as data: said where it is decided, recorded by `Metrics.record` once it is true."""

    of: Declaration
    labels: tuple[str, ...] = ()
    value: float = 1.0  # what a counter grows by, a histogram observes, a gauge is set to


_declared: dict[str, Declaration] = {}


def declare(
    name: str,
    kind: MetricKind,
    unit: str,
    text: str,
    *,
    labels: tuple[str, ...] = (),
    buckets: tuple[float, ...] = DURATIONS_S,
) -> Declaration:
    """Declare a metric at import time. Raises ValueError when the name is taken by a different declaration."""
    made = Declaration(name, kind, unit, text, labels, buckets if kind == "histogram" else ())
    if _declared.setdefault(name, made) != made:
        raise ValueError(f"metric {name}: expected one declaration, found a second, different one; rename one of them")
    return made


def declared() -> tuple[Declaration, ...]:
    """All declarations of the modules imported so far, by name."""
    return tuple(_declared[name] for name in sorted(_declared))


class Metrics:
    """The collectors of one process part, made on demand on its own registry."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}

    def counter(self, of: Declaration) -> Counter:
        """The counter of a declaration."""
        if of.name not in self._counters:
            self._counters[of.name] = Counter(of.name, of.help, of.labels, registry=self.registry)
        return self._counters[of.name]

    def gauge(self, of: Declaration) -> Gauge:
        """The gauge of a declaration."""
        if of.name not in self._gauges:
            self._gauges[of.name] = Gauge(of.name, of.help, of.labels, registry=self.registry)
        return self._gauges[of.name]

    def histogram(self, of: Declaration) -> Histogram:
        """The histogram of a declaration."""
        if of.name not in self._histograms:
            self._histograms[of.name] = Histogram(
                of.name, of.help, of.labels, buckets=of.buckets, registry=self.registry
            )
        return self._histograms[of.name]

    def record(self, measure: Measure) -> None:
        """Count, observe or set one measure."""
        of, labels = measure.of, measure.labels
        match of.kind:
            case "counter":
                counter = self.counter(of)
                (counter.labels(*labels) if labels else counter).inc(measure.value)
            case "histogram":
                histogram = self.histogram(of)
                (histogram.labels(*labels) if labels else histogram).observe(measure.value)
            case "gauge":
                gauge = self.gauge(of)
                (gauge.labels(*labels) if labels else gauge).set(measure.value)

    def expose(self) -> bytes:
        """All metrics in the Prometheus text format."""
        return generate_latest(self.registry)
