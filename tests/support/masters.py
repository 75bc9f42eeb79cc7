"""The masters of one business cluster of a real data centre, looked at and hurt behind Kubernetes' back."""

from __future__ import annotations

import base64
from typing import Any

from tests.support.client import Life
from tests.support.datacentre import Centre, on_host

Whole = dict[str, Any]


class Masters:
    """Of one cluster, by its namespace and name."""

    def __init__(self, centre: Centre, namespace: str, name: str) -> None:
        self.centre, self.namespace, self.name = centre, namespace, name

    def pods(self, component: str) -> list[Whole]:
        """Those that are not on their way out."""
        wanted = f"app.kubernetes.io/component={component},cluster.homeostat.dev/name={self.name}"
        items = self.centre.get("pods", "-n", self.namespace, "-l", wanted)["items"]
        return [item for item in items if "deletionTimestamp" not in item["metadata"]]

    def ready(self, component: str) -> list[str]:
        """The uids of those that their kubelets find ready."""
        return [pod["metadata"]["uid"] for pod in self.pods(component) if is_ready(pod)]

    def status(self) -> Whole:
        """The Cluster's."""
        return dict(self.centre.get("cluster", self.name, "-n", self.namespace)["status"])

    def condition(self, type_: str) -> Whole:
        """One condition of the Cluster."""
        return next(each for each in self.status()["conditions"] if each["type"] == type_)

    def patch(self, spec: str) -> None:
        """Change the Cluster's spec by a piece of JSON."""
        wish = f'{{"spec": {spec}}}'
        self.centre.kubectl("patch", "cluster", self.name, "-n", self.namespace, "--type=merge", "-p", wish)

    def endpoint(self) -> set[str]:
        """The addresses that clients are sent to."""
        wanted = f"kubernetes.io/service-name={self.name}-apiserver"
        slices = self.centre.get("endpointslices", "-n", self.namespace, "-l", wanted)["items"]
        found = [each for one in slices for each in one.get("endpoints") or ()]
        return {each["addresses"][0] for each in found if each["conditions"].get("ready")}

    def life(self) -> Life:
        """A client that reads and writes all the time."""
        secret = self.centre.get("secret", f"{self.name}-admin-kubeconfig", "-n", self.namespace)
        return Life(base64.b64decode(secret["data"]["kubeconfig"]))

    def signal(self, pod: Whole, number: str) -> None:
        """Send a signal to the process of a Pod, on its host."""
        uid, process = pod["metadata"]["uid"], pod["spec"]["containers"][0]["name"]
        find = f'grep -l "pod{uid}" /proc/[0-9]*/cgroup | cut -d/ -f3'
        each = f'[ "$(cat /proc/$pid/comm)" = {process} ] && kill -{number} $pid && echo sent'
        said = on_host(self.centre, pod["spec"]["nodeName"], f"for pid in $({find}); do {each}; done; true")
        assert "sent" in said, f"no process {process} of {pod['metadata']['name']} was found"

    def directory(self, pod: Whole) -> str:
        """Where the volume of a member of etcd lies on its host."""
        claim = self.centre.get("pvc", f"data-{pod['metadata']['name']}", "-n", self.namespace)
        source = self.centre.get("pv", claim["spec"]["volumeName"])["spec"]
        return str((source.get("local") or source["hostPath"])["path"])


def is_ready(pod: Whole) -> bool:
    """Whether its kubelet finds it so."""
    told = pod["status"].get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in told)
