"""The operator of a real data centre that leads, and what it says of itself; asked past the cell's own API server."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families as families
from tests.support.datacentre import Centre, on_host
from tests.support.masters import Whole

HOME = "homeostat-system"
LEASE = "homeostat-cell"


class Leader:
    """Found once, so that it can be asked while the cell does not answer."""

    def __init__(self, centre: Centre) -> None:
        lease = centre.get("lease", LEASE, "-n", HOME)["spec"]
        holder = lease["holderIdentity"]
        pods = centre.get("pods", "-n", HOME, "-l", "app.kubernetes.io/name=homeostat")["items"]
        self._centre = centre
        self.changes = int(lease.get("leaseTransitions", 0))  # of leaders before it
        self.pod: Whole = next(pod for pod in pods if holder.startswith(pod["metadata"]["name"]))

    @property
    def host(self) -> str:
        """Where it runs."""
        return str(self.pod["spec"]["nodeName"])

    def value(self, name: str, **labels: str) -> float:
        """Of a metric, whose name begins with homeostat_."""
        address = f"http://{self.pod['status']['podIP']}:8080/metrics"
        told = on_host(self._centre, self._centre.inner.plan.control.name, f"curl -sf -m 5 {address}")
        samples = (sample for family in families(told) for sample in family.samples)
        return next(each.value for each in samples if (each.name, each.labels) == (f"homeostat_{name}", labels))
