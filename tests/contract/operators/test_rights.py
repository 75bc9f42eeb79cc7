"""What the operator may do and may not, as an API server judges it by deploy/operator/rights.yaml.

Bound in the whole cell, that is as much as an administrator may, as the guide says; bound to a namespace, it is little.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from tests.support.apiserver import ApiServer
from tests.support.cells import Cell
from tests.support.kubelet import Kubelet

from homeostat.api.core import NAMESPACE, SECRET
from homeostat.api.kind import Resource, unstructured
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.connect import connect
from homeostat.kube.errors import Forbidden
from homeostat.kube.http import HttpTransport

HOME = "homeostat-system"
ACCOUNT = f"system:serviceaccount:{HOME}:homeostat"
GROUPS = ("system:serviceaccounts", f"system:serviceaccounts:{HOME}", "system:authenticated")
RBAC = "rbac.authorization.k8s.io"
LOCAL = "operator-of-one-namespace"  # bound where its Clusters live, and nowhere else
REVIEW = unstructured(
    Resource("authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", namespaced=False)
)
_numbers = count()

FORBIDDEN = {
    "make itself an administrator": ("create", RBAC, "clusterrolebindings", ""),
    "bind a role in the namespace of a Cluster": ("create", RBAC, "rolebindings", "default"),
    "write its own role": ("patch", RBAC, "clusterroles", ""),
    "escalate": ("escalate", RBAC, "clusterroles", ""),
    "bind what it does not hold": ("bind", RBAC, "clusterroles", ""),
    "speak as somebody else": ("impersonate", "", "users", ""),
    "speak as another account": ("impersonate", "", "serviceaccounts", "kube-system"),
    "draw a token of an account": ("create", "", "serviceaccounts/token", "kube-system"),
    "make an account": ("create", "", "serviceaccounts", "default"),
    "sign certificates of the cell": ("sign", "certificates.k8s.io", "signers", ""),
    "approve certificates of the cell": ("update", "certificates.k8s.io", "certificatesigningrequests/approval", ""),
    "say how a Pod fares": ("patch", "", "pods/status", "default"),
    "enter a Pod": ("create", "", "pods/exec", "default"),
    "attach to a Pod": ("create", "", "pods/attach", "default"),
    "reach into a Pod's network": ("create", "", "pods/portforward", "default"),
    "add a container to a Pod that runs": ("patch", "", "pods/ephemeralcontainers", "default"),
    "delete a host": ("delete", "", "nodes", ""),
    "cordon, label or taint a host": ("patch", "", "nodes", ""),
    "speak with a kubelet": ("get", "", "nodes/proxy", ""),
    "delete a volume's data": ("delete", "", "persistentvolumes", ""),
    "delete a namespace": ("delete", "", "namespaces", ""),
    "make a namespace": ("create", "", "namespaces", ""),
    "declare a Cluster": ("create", "cluster.homeostat.dev", "clusters", "default"),
    "delete a Cluster": ("delete", "cluster.homeostat.dev", "clusters", "default"),
    "write a package version": ("create", "cluster.homeostat.dev", "clusterpackageversions", ""),
    "delete a package version": ("delete", "cluster.homeostat.dev", "clusterpackageversions", ""),
    "change a definition": ("patch", "apiextensions.k8s.io", "customresourcedefinitions", ""),
    "change what others send": ("create", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", ""),
    "change the judges of others": ("patch", "admissionregistration.k8s.io", "validatingwebhookconfigurations", ""),
    "lift the protection of Clusters": ("patch", "admissionregistration.k8s.io", "validatingadmissionpolicies", ""),
    "take another's Lease": ("patch", "coordination.k8s.io", "leases", "kube-system"),
    "take another's Lease at home": ("patch", "coordination.k8s.io", "leases", HOME),
    "run on every host": ("create", "apps", "daemonsets", "default"),
}

WHOLE, NO_PATCH = ("get", "list", "create", "patch", "delete"), ("get", "list", "create", "delete")
ALLOWED = {
    "read every Secret, also those of the system": (("get", "list"), "", "secrets", "kube-system"),
    "make Pods anywhere, with any account": (("create",), "", "pods", "kube-system"),
    "make Deployments anywhere": (("create",), "apps", "deployments", "kube-system"),
    "care for Secrets": (WHOLE, "", "secrets", "default"),
    "care for Services": (WHOLE, "", "services", "default"),
    "care for ConfigMaps": (WHOLE, "", "configmaps", "default"),
    "care for Pods": (WHOLE, "", "pods", "default"),
    "care for Deployments": (WHOLE, "apps", "deployments", "default"),
    "care for StatefulSets": (WHOLE, "apps", "statefulsets", "default"),
    "care for disruption budgets": (WHOLE, "policy", "poddisruptionbudgets", "default"),
    "make and remove volume claims": (NO_PATCH, "", "persistentvolumeclaims", "default"),
    "read Clusters and put its finalizer on": (
        ("get", "list", "patch"),
        "cluster.homeostat.dev",
        "clusters",
        "default",
    ),
    "say how a Cluster fares": (("patch",), "cluster.homeostat.dev", "clusters/status", "default"),
    "read package versions": (("get", "list"), "cluster.homeostat.dev", "clusterpackageversions", ""),
    "count the hosts": (("get", "list"), "", "nodes", ""),
    "tell events": (("create", "patch"), "events.k8s.io", "events", "default"),
}


@pytest.mark.parametrize("what", ALLOWED)
async def test_it_may(client: Client, what: str) -> None:
    verbs, group, resource, namespace = ALLOWED[what]
    refused = [verb for verb in verbs if not await may(client, ACCOUNT, verb, group, resource, namespace)]
    assert refused == [], what


@pytest.mark.parametrize("what", FORBIDDEN)
async def test_it_may_not(client: Client, what: str) -> None:
    verb, group, resource, namespace = FORBIDDEN[what]
    assert not await may(client, ACCOUNT, verb, group, resource, namespace), what


async def test_the_judge_of_these_tests_can_say_yes(client: Client) -> None:
    assert await may(client, ACCOUNT, "create", "apps", "deployments", "default")
    assert await may(client, "admin", "create", RBAC, "clusterrolebindings", "", groups=("system:masters",))


async def test_an_attempt_to_bind_itself_is_refused_by_the_api_server(server: ApiServer) -> None:
    subject = {"kind": "ServiceAccount", "name": "homeostat", "namespace": HOME}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"}
    body = {"metadata": {"name": "seized"}, "roleRef": role, "subjects": [subject]}
    binding = unstructured(Resource(RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False))
    config = server.config_for(ACCOUNT, *GROUPS)
    async with connect(config, clock=SystemClock(), random=system_random()) as account:
        with pytest.raises(Forbidden, match="clusterrolebindings"):
            await account.create(binding, body)


@pytest.fixture
async def bounded(server: ApiServer, client: Client) -> AsyncIterator[Cell]:
    """A namespace in which alone an operator has the rights of the ClusterRole for cells."""
    name = f"bounded-{next(_numbers)}"
    await client.create(NAMESPACE, {"metadata": {"name": name}})
    await bind(client, "homeostat:cell", name)
    await bind(client, "homeostat:cell-wide", "")
    kubelet = Kubelet(client, clock=SystemClock(), random=system_random(), namespace=name)
    transport = HttpTransport(server.config_for(LOCAL), clock=SystemClock())
    async with kubelet.running():
        yield Cell(transport, client, kubelet, name)
    await transport.close()


async def test_bound_to_a_namespace_it_makes_and_removes_clusters_there(bounded: Cell) -> None:
    bounded.kubelet.collects_pods = True
    async with bounded.operator():
        await bounded.declare()
        await bounded.until_ready()
        await bounded.delete()
        await bounded.until_gone()


async def test_bound_to_a_namespace_it_reads_no_secret_and_makes_nothing_elsewhere(
    bounded: Cell, server: ApiServer, client: Client
) -> None:
    config = server.config_for(LOCAL)
    async with connect(config, clock=SystemClock(), random=system_random()) as local:
        assert (await local.list(SECRET, bounded.namespace)).items == []
        for namespace in ("kube-system", "default", ""):
            with pytest.raises(Forbidden, match="secrets"):
                await local.list(SECRET, namespace)
    for verb, group, resource in (("create", "apps", "deployments"), ("delete", "", "pods"), ("get", "", "secrets")):
        assert await may(client, LOCAL, verb, group, resource, bounded.namespace)
        assert not await may(client, LOCAL, verb, group, resource, "kube-system")


async def may(
    client: Client, user: str, verb: str, group: str, resource: str, namespace: str, groups: tuple[str, ...] = GROUPS
) -> bool:
    """Whether the API server would let a user do this to any object of a kind."""
    kind, _, part = resource.partition("/")
    attributes = {"verb": verb, "group": group, "resource": kind, "subresource": part, "namespace": namespace}
    review = {"spec": {"user": user, "groups": list(groups), "resourceAttributes": attributes}}
    kind_of_review = Resource(
        "authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", namespaced=False
    )
    answer = await client.create(unstructured(kind_of_review), review)
    return bool(answer["status"]["allowed"])


async def bind(client: Client, role: str, namespace: str) -> None:
    """Give the local operator a ClusterRole: in one namespace, or everywhere."""
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    resource = Resource(RBAC, "v1", kind, f"{kind.lower()}s", namespaced=bool(namespace))
    body: dict[str, Any] = {
        "metadata": {"name": f"of-one:{role}", **({"namespace": namespace} if namespace else {})},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": LOCAL}],
    }
    await client.apply(unstructured(resource), body, force=True, field_manager="test")
