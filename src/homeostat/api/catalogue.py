"""All kinds that homeostat defines, each with what its CRD says beside the schema."""

from __future__ import annotations

from typing import Any

from homeostat.api.cluster import v1alpha1 as cluster
from homeostat.api.kind import Kind
from homeostat.api.schema import Definition

KINDS: tuple[tuple[Kind[Any], Definition], ...] = (
    (cluster.CLUSTER, cluster.CLUSTER_DEFINITION),
    (cluster.CLUSTER_PACKAGE_VERSION, cluster.CLUSTER_PACKAGE_VERSION_DEFINITION),
)
