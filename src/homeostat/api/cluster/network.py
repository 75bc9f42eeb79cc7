"""The networks of a business cluster, and where its API server is reached."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Struct, field

from homeostat.api.cluster.rules import (
    CLUSTER_NETWORKS_APART,
    DNS_NAME,
    ENDPOINT_KEPT,
    IPV4_ADDRESS,
    POD_RANGE,
    SERVICE_RANGE,
)
from homeostat.api.schema import IMMUTABLE, Rule, doc


class ClusterNetwork(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """The business cluster's own address ranges."""

    pod_cidr: Annotated[
        str,
        doc(
            "The IPv4 range of the Pods of the business cluster, such as 10.200.0.0/16; from /8 to /24, because each "
            "host gets a /24 of it. Immutable.",
            *POD_RANGE,
            IMMUTABLE,
            maxLength=18,
        ),
    ] = field(name="podCIDR")
    service_cidr: Annotated[
        str,
        doc(
            "The IPv4 range of the Services of the business cluster, such as 10.201.0.0/20; from /12 to /28. The first "
            "address is the API server's, the tenth the cluster DNS's. Immutable.",
            *SERVICE_RANGE,
            IMMUTABLE,
            maxLength=18,
        ),
    ] = field(name="serviceCIDR")
    dns_domain: Annotated[
        str,
        doc("The DNS domain of Services. Immutable.", IMMUTABLE, maxLength=63, pattern=DNS_NAME),
    ] = "cluster.local"

    rules: ClassVar[tuple[Rule, ...]] = (CLUSTER_NETWORKS_APART,)


class ClusterEndpoint(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """Where the API server is reached."""

    address: Annotated[
        str,
        doc(
            "The IPv4 address wanted for the API server, from the load balancer's pool; left out, the load balancer "
            "chooses. Either way it stays for the life of the cluster. Immutable.",
            *IPV4_ADDRESS,
            maxLength=15,
        ),
    ] = ""

    rules: ClassVar[tuple[Rule, ...]] = (ENDPOINT_KEPT,)


class ClusterEndpointStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """The endpoint that was assigned; it stays for the life of the cluster."""

    host: Annotated[str, doc("The address of the API server.", maxLength=253)]
    port: Annotated[int, doc("The port of the API server.", minimum=1, maximum=65535)]
