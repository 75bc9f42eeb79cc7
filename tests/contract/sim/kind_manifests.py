"""Every object that homeostat itself makes, as it makes them: masters, restores, hosted operators, its own operator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.support.clusters import ADDRESS, cluster, package
from tests.support.hosting import HOSTED, OPERATOR, with_hosted
from tests.support.restoring import lost, restore

from homeostat.api.cluster.network import ClusterEndpointStatus
from homeostat.local.manifests import Manifests, root
from homeostat.operators.cluster.components import made_of, operators
from homeostat.operators.cluster.manifests import apiserver, audit, controllers, etcd, hosted
from homeostat.operators.cluster.manifests.shape import Desired, Inputs
from homeostat.operators.cluster.names import names_of
from homeostat.operators.cluster.restore import manifests
from homeostat.operators.cluster.restore.ports import Offer

Body = dict[str, Any]
WORKLOADS = ("demo-etcd", "demo-apiserver", "demo-controller-manager", "demo-scheduler")
OFFER = Offer("https://10.0.0.7:9444/snapshots/uid-demo", b"authority", "a-token", "0" * 64)


def _inputs(**declared: Any) -> Inputs:
    of = cluster(**declared)
    endpoint = ClusterEndpointStatus(host=ADDRESS, port=6443)
    components = {each.name: each for each in package().spec.components}
    return Inputs(of, components, names_of(of), endpoint, dict.fromkeys(WORKLOADS, "digest"))


def _masters(given: Inputs) -> Iterator[Desired]:
    yield from (etcd.service(given), etcd.client_service(given), etcd.membership(given), apiserver.service(given))
    yield from (etcd.budget(given), apiserver.budget(given), audit.policies(given))
    yield from (etcd.stateful_set(given), apiserver.deployment(given), apiserver.trial(given))
    yield from (controllers.controller_manager(given), controllers.scheduler(given))


def _hosted() -> Iterator[Desired]:
    seen = with_hosted(HOSTED, HOSTED)
    name = seen.names.hosted(OPERATOR)
    given = Inputs(seen.cluster, made_of(seen), seen.names, seen.endpoint, dict.fromkeys((*WORKLOADS, name), "digest"))
    yield hosted.deployment(given, operators(seen)[OPERATOR])


def _restored() -> Iterator[Desired]:
    seen = lost()
    given = Inputs(seen.cluster, made_of(seen), seen.names, seen.endpoint, {"demo-etcd": "digest"})
    yield manifests.secret(given, OFFER)
    yield manifests.claim(given, "demo-etcd-1")
    yield manifests.pod(given, "demo-etcd-1", restore(), OFFER, "homeostat:1")


def manifests_of_ours() -> dict[str, Body]:
    """By a name that tells them apart."""
    found: dict[str, Body] = {}
    for title, declared in (("single", {}), ("ha", {"topology": "ha"})):
        for each in _masters(_inputs(**declared)):
            found[f"{title} {each!r}"] = each.body
    for each in _hosted():
        found[f"hosted {each!r}"] = each.body
    for each in _restored():
        found[f"restored {each!r}"] = each.body
    for body in Manifests(root(), image="homeostat.local/homeostat:9").operator("key"):
        found[f"operator {body['kind']} {body['metadata']['name']}"] = body
    return found
