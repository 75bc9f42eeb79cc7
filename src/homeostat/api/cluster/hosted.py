"""Hosted operators: components of a package version that are neither etcd nor Kubernetes' own masters.

They run in the cell, beside the masters, and work in the business cluster by a kubeconfig of their own: any image will
do that is told of it by `KUBECONFIG`. What they may do there is declared here, and nothing else is granted.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct, field

from homeostat.api.cluster.rules import GRANT_IS_ONE_THING
from homeostat.api.schema import doc

_NAMES = {"minLength": 1, "maxLength": 253}
_SET = {"x-kubernetes-list-type": "atomic"}


class HostedGrant(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """A rule of Kubernetes' RBAC in the business cluster."""

    verbs: Annotated[
        tuple[str, ...],
        doc("What may be done, such as get, list and watch.", minItems=1, maxItems=16, items=_NAMES, **_SET),
    ]
    api_groups: Annotated[
        tuple[str, ...],
        doc("The API groups of the resources; the core group is ''.", maxItems=16, items={"maxLength": 253}, **_SET),
    ] = ()
    resources: Annotated[
        tuple[str, ...], doc("The resources, such as nodes or pods/eviction.", maxItems=32, items=_NAMES, **_SET)
    ] = ()
    resource_names: Annotated[
        tuple[str, ...], doc("Only objects of these names; left out, all.", maxItems=32, items=_NAMES, **_SET)
    ] = ()
    non_resource_urls: Annotated[
        tuple[str, ...],
        doc("Paths that are no resources, such as /metrics; never in a namespace.", maxItems=16, items=_NAMES, **_SET),
    ] = field(default=(), name="nonResourceURLs")
    namespace: Annotated[
        str,
        doc(
            "Only in this namespace of the business cluster, such as kube-system; left out, everywhere.",
            maxLength=63,
            pattern="^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$",
        ),
    ] = ""

    rules = GRANT_IS_ONE_THING


class HostedHealth(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """Where a kubelet asks how it is."""

    port: Annotated[int, doc("The port of both paths.", minimum=1, maximum=65535)]
    scheme: Annotated[str, doc("How it is asked; certificates are not verified.", enum=["HTTP", "HTTPS"])] = "HTTP"
    live_path: Annotated[
        str, doc("It is restarted when this does not answer.", maxLength=253, pattern="^/[-._~/A-Za-z0-9]*$")
    ] = "/healthz"
    ready_path: Annotated[
        str, doc("It counts as ready when this answers.", maxLength=253, pattern="^/[-._~/A-Za-z0-9]*$")
    ] = "/readyz"


class HostedOperator(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """How an operator is hosted: what is run, and what it may do in the business cluster."""

    command: Annotated[
        tuple[str, ...],
        doc(
            "What is run instead of the image's entry point; the flags of `args` follow it.",
            maxItems=16,
            items={"maxLength": 1024},
            **_SET,
        ),
    ] = ()
    single: Annotated[
        bool,
        doc(
            "Run one replica in any topology, and let it end before one of another declaration starts. Where its Pod is"
            " deleted or its host is lost, two may run for a while all the same: one that cannot bear that must elect a"
            " leader. Otherwise there are as many as of the other masters."
        ),
    ] = False
    grants: Annotated[
        tuple[HostedGrant, ...],
        doc("What it may do in the business cluster; left out, what every client may.", maxItems=32, **_SET),
    ] = ()
    health: Annotated[
        HostedHealth | None,
        doc("Where kubelets ask how it is; left out, it is ready as soon as it runs, and restarted only when it ends."),
    ] = None
