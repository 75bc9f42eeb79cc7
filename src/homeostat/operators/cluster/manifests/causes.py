"""What the Pods of a master are made for: all that can change their template, but homeostat itself.

The next release of homeostat may write a template in another way. Were that applied as soon as the release leads, the
masters of all clusters of a cell would be replaced at once, before and after no check. So every workload bears a digest
of what it was made for, and one that another release made *for the same* is kept (desired.py) until something of this
changes: such changes come to one component at a time, and are looked after.

A manifest that reads something new of `Inputs` must name it here; a test takes care of that.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from homeostat.api.cluster.components import PackageComponent
from homeostat.api.cluster.masters import API_SERVER, CONTROLLER_MANAGER, ETCD
from homeostat.operators.cluster.manifests import audit
from homeostat.operators.cluster.manifests.shape import Inputs, digest_of, replicas_of


def cause(inputs: Inputs, component: PackageComponent, secret: str) -> str:
    """The digest of what a component is made for."""
    name, hosted = component.name, component.hosted
    parts: list[Any] = [
        # What the package version says of moves and of rights is not in the Pods.
        replace(component, depends_on=(), checks=None, hosted=hosted and replace(hosted, grants=())),
        inputs.secrets[secret],
        replicas_of(component, inputs.topology),
        inputs.avoided.get(name, ()),
        inputs.emulates.get(name, ""),
        *(("idle",) if name in inputs.idle else ()),
        *_own(inputs, name),
    ]
    return digest_of(msgspec.to_builtins(parts))


def _own(inputs: Inputs, component: str) -> tuple[Any, ...]:
    cluster, topology = inputs.cluster, inputs.topology
    if component == ETCD:
        return topology.zoned, inputs.partition, cluster.spec.storage
    is_zoned = topology.others > 1
    if component == API_SERVER:
        return is_zoned, inputs.endpoint, cluster.spec.network, audit.in_force(cluster)
    return (is_zoned, cluster.spec.network) if component == CONTROLLER_MANAGER else (is_zoned,)
