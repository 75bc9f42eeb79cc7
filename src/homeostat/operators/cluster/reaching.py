"""How the operator reaches a cluster's etcd: by the certificate of the API server, the only other client of etcd."""

from __future__ import annotations

from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.api.core import SECRET, Secret
from homeostat.kit.pki.soundness import decoded
from homeostat.kube.client import Client
from homeostat.operators.cluster.names import names_of
from homeostat.operators.cluster.ports import EtcdAccess
from homeostat.operators.cluster.topology import standing

_ENTRIES = ("etcd-ca.crt", "etcd-client.crt", "etcd-client.key")


async def etcd_access(client: Client, cluster: Cluster) -> EtcdAccess:
    """The members and the keys, read now: for what changes a membership. Raises KubeError."""
    names = names_of(cluster)
    return access_by(cluster, await client.get(SECRET, names.apiserver, names.namespace))


def access_by(cluster: Cluster, secret: Secret) -> EtcdAccess:
    """The members and the keys that the Secret of the API servers holds."""
    names = names_of(cluster)
    held = decoded({entry: secret.data[entry] for entry in _ENTRIES if entry in secret.data})
    members = names.etcd_members(standing(cluster).listed)
    hosts = {member: names.etcd_host(member) for member in members}
    return EtcdAccess(hosts, *(held.get(entry, b"") for entry in _ENTRIES))
