"""Request metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from homeostat.kube.observing import Observation, PrometheusObserver


def test_requests_are_counted_by_verb_resource_and_code() -> None:
    registry = CollectorRegistry()
    observe = PrometheusObserver(registry)
    observe(Observation("get", "pods", "200", 0.1))
    observe(Observation("get", "pods", "200", 0.1, retry=True))
    labels = {"verb": "get", "resource": "pods", "code": "200"}
    assert registry.get_sample_value("homeostat_kube_requests_total", labels) == 2
    assert registry.get_sample_value("homeostat_kube_request_retries_total", {"verb": "get", "code": "200"}) == 1
    assert registry.get_sample_value("homeostat_kube_request_duration_seconds_count", {"verb": "get"}) == 2
