"""Times as objects carry them: four digits of the year, also of the first one, which Go's clients send for no time."""

from __future__ import annotations

from homeostat.sim.apiserver.schemas.decoding import decode


def test_the_first_year_keeps_its_four_digits() -> None:
    sent = {"metadata": {"name": "a", "creationTimestamp": "0001-01-01T00:00:00Z"}}
    spec = {"acquireTime": "0001-01-01T00:00:02.000000Z"}

    decoded, faults = decode({**sent, "spec": spec}, "coordination.k8s.io", "v1", "Lease")

    assert faults == []
    assert decoded["spec"]["acquireTime"] == "0001-01-01T00:00:02.000000Z"
    assert decoded["metadata"]["creationTimestamp"] == "0001-01-01T00:00:00Z"
