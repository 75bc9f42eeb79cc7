"""What the client tells about its requests, so that metrics stay outside of it.

The client calls an `Observer` once per attempt. `PrometheusObserver` is the one for production; tests and the
simulator pass a list's `append`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class Observation(Struct, frozen=True):
    """One attempt at a request, as it ended."""

    verb: str  # get, list, watch, create, apply, patch, replace, delete, ...
    resource: str  # plural.group, with the subresource behind a slash; empty for raw requests
    code: str  # the HTTP status, or "timeout", "refused", "untrusted", "cut" when there was none
    seconds: float  # until the answer was complete; for streams until its head had arrived
    retry: bool = False  # not the first attempt of its call


class Observer(Protocol):
    """Anything that takes observations; it must not block and must not raise."""

    def __call__(self, observation: Observation, /) -> None:
        """Take note of one attempt."""
        ...


def ignore(observation: Observation, /) -> None:
    """The observer that keeps nothing."""


class PrometheusObserver:
    """Counts and times requests by cluster, verb, resource and code in a Prometheus registry: one for each registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        from prometheus_client import Counter, Histogram  # here, so that command lines do not pay for the import

        self._requests = Counter(
            "homeostat_kube_requests",
            "Requests to Kubernetes API servers, by cluster, verb, resource and status code",
            ("cluster", "verb", "resource", "code"),
            registry=registry,
        )
        self._retries = Counter(
            "homeostat_kube_request_retries",
            "Attempts that repeated an earlier one, by cluster, verb and status code",
            ("cluster", "verb", "code"),
            registry=registry,
        )
        self._seconds = Histogram(
            "homeostat_kube_request_duration_seconds",
            "Time until the answer was complete, or until a stream began, by cluster and verb",
            ("cluster", "verb"),
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
            registry=registry,
        )

    def of(self, cluster: str) -> Observer:
        """What a client of this cluster is given."""

        def observe(observation: Observation, /) -> None:
            verb, code = observation.verb, observation.code
            self._requests.labels(cluster, verb, observation.resource, code).inc()
            self._seconds.labels(cluster, verb).observe(observation.seconds)
            if observation.retry:
                self._retries.labels(cluster, verb, code).inc()

        return observe
