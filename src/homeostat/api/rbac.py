"""Roles and their bindings, as far as somebody looks which there are; what they grant is written, never read."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta

_GROUP = ("rbac.authorization.k8s.io", "v1")


class Role(Struct, frozen=True, gc=False):
    """A Role, a ClusterRole, or a binding of one of them."""

    metadata: ObjectMeta


CLUSTER_ROLE = Kind(Resource(*_GROUP, "ClusterRole", "clusterroles", namespaced=False), Role)
CLUSTER_ROLE_BINDING = Kind(Resource(*_GROUP, "ClusterRoleBinding", "clusterrolebindings", namespaced=False), Role)
ROLE = Kind(Resource(*_GROUP, "Role", "roles"), Role)
ROLE_BINDING = Kind(Resource(*_GROUP, "RoleBinding", "rolebindings"), Role)
RIGHTS: tuple[Kind[Any], ...] = (
    CLUSTER_ROLE_BINDING,
    ROLE_BINDING,
    CLUSTER_ROLE,
    ROLE,
)  # bindings before what they bind
