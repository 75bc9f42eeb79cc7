"""What derived objects are called and how they are marked.

A Cluster's name has at most 40 characters (the CRD says so), so every name here fits into the 63 of a DNS label, with
room for the suffixes that Kubernetes adds to Pods.
"""

from __future__ import annotations

from ipaddress import ip_address

from msgspec import Struct

from homeostat.api.cluster.v1alpha1 import CLUSTER, Cluster

NAME_LABEL = "cluster.homeostat.dev/name"
UID_LABEL = "cluster.homeostat.dev/uid"
COMPONENT_LABEL = "app.kubernetes.io/component"
ENDPOINT_LABEL = "cluster.homeostat.dev/endpoint"  # of API servers' Pods: whether clients are sent to them
IN_ENDPOINT, OUT_OF_ENDPOINT = "in", "out"
DIGEST_ANNOTATION = "cluster.homeostat.dev/digest"
REVISION_LABEL = "controller-revision-hash"  # Kubernetes': of which revision of a StatefulSet a Pod is
CAUSE_ANNOTATION = "cluster.homeostat.dev/made-for"  # of workloads: see manifests/causes.py
FINALIZER = "cluster.homeostat.dev/masters"
FIELD_MANAGER = "homeostat-cluster"

API_PORT = 6443
ETCD_CLIENT_PORT, ETCD_PEER_PORT, ETCD_METRICS_PORT = 2379, 2380, 2381
TRIAL = "kube-apiserver-trial"  # the component label of an API server that is tried, in no endpoint
MOST_MEMBERS = 3  # of etcd, in any topology
KUBECONFIG_KEY = "kubeconfig"


class Names(Struct, frozen=True):
    """The names of everything that is derived from one Cluster."""

    cluster: str
    namespace: str

    @property
    def authority(self) -> str:
        """The Secret with the authorities' keys; only the operator reads it."""
        return f"{self.cluster}-pki"

    @property
    def etcd(self) -> str:
        """The StatefulSet, its headless Service, its Secret of certificates, and the ConfigMap of its membership."""
        return f"{self.cluster}-etcd"

    @property
    def etcd_client(self) -> str:
        """The Service through which API servers reach the etcd members, those of their own zone first."""
        return f"{self.cluster}-etcd-client"

    @property
    def apiserver(self) -> str:
        """The Deployment, the endpoint's Service, and the Secret of certificates of the API server."""
        return f"{self.cluster}-apiserver"

    @property
    def trial(self) -> str:
        """The Deployment of an API server that is tried before those of the endpoint move."""
        return f"{self.apiserver}-trial"

    @property
    def controllers(self) -> str:
        """The Deployment and Secret of the controller manager."""
        return f"{self.cluster}-controller-manager"

    @property
    def scheduler(self) -> str:
        """The Deployment and Secret of the scheduler."""
        return f"{self.cluster}-scheduler"

    def hosted(self, operator: str) -> str:
        """The Deployment and the Secret of a hosted operator."""
        return f"{self._hosted}{operator}"

    @property
    def _hosted(self) -> str:
        return f"{self.cluster}-op-"

    def operator_of(self, name: str) -> str:
        """The hosted operator whose objects have this name; empty: it is none of theirs."""
        return name.removeprefix(self._hosted) if name.startswith(self._hosted) else ""

    @property
    def admin(self) -> str:
        """The Secret with the administrator's kubeconfig."""
        return f"{self.cluster}-admin-kubeconfig"

    @property
    def etcd_service(self) -> str:
        """The DNS name behind which API servers find etcd."""
        return f"{self.etcd_client}.{self.namespace}.svc"

    def etcd_members(self, count: int) -> tuple[str, ...]:
        """The names of the first members, which are those of their Pods."""
        return tuple(f"{self.etcd}-{number}" for number in range(count))

    def etcd_host(self, member: str) -> str:
        """The stable DNS name of one etcd member."""
        return f"{member}.{self.etcd}.{self.namespace}.svc"

    @property
    def apiserver_service(self) -> str:
        """The DNS name under which masters in the cell reach the API server."""
        return f"{self.apiserver}.{self.namespace}.svc"


def names_of(cluster: Cluster) -> Names:
    """The names of one Cluster's derived objects."""
    return Names(cluster.metadata.name, cluster.metadata.namespace)


def is_address(host: str) -> bool:
    """Whether a host is an IP address, not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def labels(cluster: Cluster, component: str) -> dict[str, str]:
    """What marks a derived object as this Cluster's, and no other's of the same name."""
    return {
        NAME_LABEL: cluster.metadata.name,
        UID_LABEL: cluster.metadata.uid,
        "app.kubernetes.io/name": component,
        "app.kubernetes.io/instance": cluster.metadata.name,
        "app.kubernetes.io/managed-by": "homeostat",
        COMPONENT_LABEL: component,
    }


def owner(cluster: Cluster) -> dict[str, object]:
    """The owner reference to a Cluster."""
    return {
        "apiVersion": CLUSTER.resource.api_version,
        "kind": CLUSTER.resource.kind,
        "name": cluster.metadata.name,
        "uid": cluster.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
