"""What a hosted operator may do in the business cluster: from its declaration to roles and bindings. Pure.

Each is a user of its own, so that audit logs tell them apart and none has more than its package version declares. What
holds everywhere is a ClusterRole, what holds in one namespace a Role there. All bear one name and one label, by which
those that are no longer declared are found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from homeostat.api.cluster.hosted import HostedGrant
from homeostat.api.kind import Kind
from homeostat.api.rbac import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING
from homeostat.operators.cluster.manifests.shape import digest_of

HOSTED_LABEL = "cluster.homeostat.dev/hosted"  # of roles and bindings in business clusters: whose they are


class Right(Struct, frozen=True):
    """One role or binding as it should be."""

    kind: Kind[Any]
    body: dict[str, Any]

    @property
    def mark(self) -> tuple[str, str, str]:
        """Which object it is."""
        metadata = self.body["metadata"]
        return self.kind.resource.kind, metadata.get("namespace", ""), metadata["name"]


Wanted = Mapping[str, tuple[Right, ...]]  # by operator


def user_of(operator: str) -> str:
    """Whom business clusters see."""
    return f"homeostat:hosted:{operator}"


def rights(operator: str, grants: Iterable[HostedGrant]) -> tuple[Right, ...]:
    """All roles and bindings of a hosted operator, roles first."""
    wanted = tuple(grants)
    places = dict.fromkeys(grant.namespace for grant in wanted)
    pairs = [_pair(operator, place, [_rule(each) for each in wanted if each.namespace == place]) for place in places]
    return tuple(role for role, _ in pairs) + tuple(binding for _, binding in pairs)


def digest(wanted: Wanted) -> str:
    """The identity of the rights of all operators of a cluster."""
    return digest_of({name: [right.body for right in each] for name, each in wanted.items()})


def _pair(operator: str, namespace: str, rules: list[dict[str, Any]]) -> tuple[Right, Right]:
    name = user_of(operator)
    metadata = {"name": name, "labels": {HOSTED_LABEL: operator, "app.kubernetes.io/managed-by": "homeostat"}}
    role, binding = (ROLE, ROLE_BINDING) if namespace else (CLUSTER_ROLE, CLUSTER_ROLE_BINDING)
    if namespace:
        metadata["namespace"] = namespace
    group = {"apiGroup": role.resource.group}
    refers = {**group, "kind": role.resource.kind, "name": name}
    subject = {**group, "kind": "User", "name": name}
    return (
        Right(role, {"metadata": metadata, "rules": rules}),
        Right(binding, {"metadata": metadata, "roleRef": refers, "subjects": [subject]}),
    )


def _rule(grant: HostedGrant) -> dict[str, Any]:
    rule: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(grant))
    rule.pop("namespace", None)
    return rule
