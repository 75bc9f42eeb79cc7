"""What a cell has before anybody declares a Cluster: homeostat's kinds, package versions, its operator's rights."""

from __future__ import annotations

from typing import Any

from tests.support.kinds import contents, define
from tests.support.operating import USER
from tests.support.tree import ROOT

from homeostat.api.kind import Kind, Resource, unstructured
from homeostat.kube.client import Client

_RBAC, _ADMISSION = "rbac.authorization.k8s.io", "admissionregistration.k8s.io"
_KINDS: dict[str, Kind[dict[str, Any]]] = {
    each.kind: unstructured(each)
    for each in (
        Resource("", "v1", "Namespace", "namespaces", namespaced=False),
        Resource("", "v1", "ServiceAccount", "serviceaccounts"),
        Resource(_RBAC, "v1", "ClusterRole", "clusterroles", namespaced=False),
        Resource(_RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False),
        Resource(_RBAC, "v1", "Role", "roles"),
        Resource(_RBAC, "v1", "RoleBinding", "rolebindings"),
        Resource("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", namespaced=False),
        Resource(
            "cluster.homeostat.dev", "v1alpha1", "ClusterPackageVersion", "clusterpackageversions", namespaced=False
        ),
        Resource(_ADMISSION, "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", namespaced=False),
        Resource(
            _ADMISSION, "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", namespaced=False
        ),
    )
}


def bindings() -> list[dict[str, Any]]:
    """The operator's rights, bound to the user as whom it runs in tests."""
    return [
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"test:{role}"},
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": USER}],
        }
        for role in ("homeostat:cell", "homeostat:cell-wide")
    ]


async def prepare(client: Client) -> None:
    """Make all of it, where kubectl does not reach."""
    await define(client)
    paths = [ROOT / "deploy/operator/priority.yaml", ROOT / "deploy/operator/rights.yaml"]
    packages = sorted((ROOT / "examples/packageversions").glob("*.yaml"))
    protection = ROOT / "deploy/crds/deletion-protection.yaml"
    given = [content for path in (protection, *paths, *packages) for content in contents(path)]
    for content in (*given, *bindings()):
        await client.apply(_KINDS[content["kind"]], content)
