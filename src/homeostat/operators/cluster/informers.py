"""The informers of the cluster operator: Clusters, what they are made of, and everything derived from them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from msgspec import Struct

from homeostat.api.cluster.v1alpha1 import CLUSTER, CLUSTER_PACKAGE_VERSION, Cluster, ClusterPackageVersion
from homeostat.api.core import (
    CONFIG_MAP,
    DEPLOYMENT,
    NODE,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    POD_DISRUPTION_BUDGET,
    SECRET,
    SERVICE,
    STATEFUL_SET,
    ConfigMap,
    Deployment,
    Node,
    PersistentVolumeClaim,
    Pod,
    PodDisruptionBudget,
    Secret,
    Service,
    StatefulSet,
)
from homeostat.api.kind import Kind
from homeostat.api.meta import Object
from homeostat.kube.client import Client
from homeostat.operators.cluster.admission import ADDRESS_INDEX, PACKAGE_INDEX, by_address, by_package
from homeostat.operators.cluster.names import NAME_LABEL
from homeostat.operators.cluster.observe import OWNER_INDEX, ZONES_INDEX, Caches, asks_for_zones
from homeostat.runtime.informer import Informer
from homeostat.runtime.manager import Manager

T = TypeVar("T", bound=Object)


def _by_zones(cluster: Cluster) -> Iterable[str]:
    return ("yes",) if asks_for_zones(cluster) else ()


INDEXES = {ADDRESS_INDEX: by_address, PACKAGE_INDEX: by_package, ZONES_INDEX: _by_zones}


class Informers(Struct, frozen=True):
    """Of one namespace, or of all; those of derived objects hold only labelled ones."""

    clusters: Informer[Cluster]
    packages: Informer[ClusterPackageVersion]
    nodes: Informer[Node]
    secrets: Informer[Secret]
    services: Informer[Service]
    stateful_sets: Informer[StatefulSet]
    deployments: Informer[Deployment]
    pods: Informer[Pod]
    claims: Informer[PersistentVolumeClaim]
    config_maps: Informer[ConfigMap]
    budgets: Informer[PodDisruptionBudget]

    @property
    def derived(self) -> tuple[Informer[Any], ...]:
        """Of the objects that are labelled for a Cluster."""
        made = (self.secrets, self.services, self.config_maps, self.budgets)
        return (*made, self.stateful_sets, self.deployments, self.pods, self.claims)

    @property
    def caches(self) -> Caches:
        """What they fill."""
        return Caches(**{name: getattr(self, name).store for name in Caches.__struct_fields__})


def informers_of(manager: Manager, client: Client, namespace: str) -> Informers:
    """The manager's informers for one operator; an empty namespace means all of them."""

    def owned(kind: Kind[T]) -> Informer[T]:
        return manager.informer(
            client, kind, namespace=namespace, labels=NAME_LABEL, indexes={OWNER_INDEX: cluster_keys}
        )

    return Informers(
        clusters=manager.informer(client, CLUSTER, namespace=namespace, indexes=INDEXES),
        packages=manager.informer(client, CLUSTER_PACKAGE_VERSION),
        nodes=manager.informer(client, NODE),
        secrets=owned(SECRET),
        services=owned(SERVICE),
        stateful_sets=owned(STATEFUL_SET),
        deployments=owned(DEPLOYMENT),
        pods=owned(POD),
        claims=owned(PERSISTENT_VOLUME_CLAIM),
        config_maps=owned(CONFIG_MAP),
        budgets=owned(POD_DISRUPTION_BUDGET),
    )


def cluster_keys(obj: Object) -> Iterable[str]:
    """The key of the Cluster that an object is labelled for."""
    name = obj.metadata.labels.get(NAME_LABEL)
    return (f"{obj.metadata.namespace}/{name}",) if name else ()
