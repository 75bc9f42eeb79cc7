"""How the operator reaches a cluster's etcd: by the certificate of the API server, the only other client of etcd."""

from __future__ import annotations

from collections.abc import Mapping

from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.api.core import SECRET
from homeostat.kit.pki.soundness import decoded
from homeostat.kube.client import Client
from homeostat.operators.cluster.names import names_of
from homeostat.operators.cluster.ports import EtcdAccess
from homeostat.operators.cluster.topology import standing


async def etcd_access(client: Client, cluster: Cluster) -> EtcdAccess:
    """The members and the keys, read now. Raises KubeError."""
    names = names_of(cluster)
    secret = await client.get(SECRET, names.apiserver, names.namespace)
    held: Mapping[str, bytes] = decoded(secret.data)
    members = names.etcd_members(standing(cluster).listed)
    return EtcdAccess(
        {member: names.etcd_host(member) for member in members},
        held.get("etcd-ca.crt", b""),
        held.get("etcd-client.crt", b""),
        held.get("etcd-client.key", b""),
    )
