"""Request metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from homeostat.kube.observing import Observation, PrometheusObserver


def test_requests_are_counted_by_cluster_verb_resource_and_code() -> None:
    registry = CollectorRegistry()
    requests = PrometheusObserver(registry)
    observe, elsewhere = requests.of("cell"), requests.of("demo")
    observe(Observation("get", "pods", "200", 0.1))
    observe(Observation("get", "pods", "200", 0.1, retry=True))
    elsewhere(Observation("get", "pods", "200", 0.1))

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"homeostat_kube_{name}", {"cluster": "cell", "verb": "get", **labels})

    assert value("requests_total", resource="pods", code="200") == 2
    assert value("request_retries_total", code="200") == 1
    assert value("request_duration_seconds_count") == 2
