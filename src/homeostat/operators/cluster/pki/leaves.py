"""Which Secrets of certificates a cluster's masters need, what each holds, and how it is made from the authorities.

A leaf Secret can be made anew at any time. So damage here is repaired, while damage of an authority is handed to a
person.

Masters read certificates and their keys again whenever their files change, so such pairs are renewed under them. What
else a Secret holds is read once: its digest stands in the Pod template, and whoever uses it is replaced when it
changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_network

from msgspec import Struct

from homeostat.api.cluster.masters import API_SERVER, CONTROLLER_MANAGER, ETCD, SCHEDULER
from homeostat.api.cluster.network import ClusterEndpointStatus
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.kit.pki.authority import (
    Damaged,
    Request,
    issue,
    read_certificate,
    read_signer,
)
from homeostat.operators.cluster.hosting.rights import user_of
from homeostat.operators.cluster.names import API_PORT, KUBECONFIG_KEY, MOST_MEMBERS, Names, is_address
from homeostat.operators.cluster.pki.kubeconfig import write_kubeconfig
from homeostat.operators.cluster.pki.material import ENCRYPTION_CONFIG, TOKEN_KEY, TOKEN_PUBLIC

ADMIN = "admin"


class Kubeconfig(Struct, frozen=True):
    """A kubeconfig that a leaf Secret holds: to which address, as whom."""

    server: str
    user: Request


class Leaf(Struct, frozen=True):
    """One Secret: certificates with their keys by entry name, what is copied from the authorities, a kubeconfig."""

    name: str
    component: str
    pairs: tuple[tuple[str, Request], ...] = ()
    copies: tuple[str, ...] = ()  # entries of the material that are copied
    kubeconfig: Kubeconfig | None = None

    @property
    def restarts(self) -> bool:
        """Whether masters must be replaced to take up a certificate of this Secret that was renewed."""
        return self.kubeconfig is not None and self.component != ADMIN

    def read_once(self, data: Mapping[str, str]) -> dict[str, str]:
        """Of the content of the Secret, what masters read only when they start."""
        wanted = (*self.copies, KUBECONFIG_KEY) if self.kubeconfig else self.copies
        return {entry: data[entry] for entry in wanted if entry in data}


def leaves(
    cluster: Cluster, names: Names, endpoint: ClusterEndpointStatus | None, *, hosts: Iterable[str] = ()
) -> tuple[Leaf, ...]:
    """All leaf Secrets that can be made now, also of hosted operators; some need the address of the endpoint."""
    inside = f"https://{names.apiserver_service}:{API_PORT}"
    made = [
        _etcd(names),
        Leaf(
            names.controllers,
            CONTROLLER_MANAGER,
            copies=("ca.crt", "ca-signer.crt", "ca.key", "front-proxy-ca.crt", TOKEN_KEY),
            kubeconfig=Kubeconfig(inside, Request("ca", "system:kube-controller-manager")),
        ),
        Leaf(
            names.scheduler,
            SCHEDULER,
            kubeconfig=Kubeconfig(inside, Request("ca", "system:kube-scheduler")),
        ),
    ]
    made += [
        Leaf(names.hosted(each), each, kubeconfig=Kubeconfig(inside, Request("ca", user_of(each)))) for each in hosts
    ]
    if endpoint is not None:
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        outside = f"https://{host}:{endpoint.port}"
        admin = Kubeconfig(outside, Request("ca", "homeostat:admin", organization="system:masters"))
        made += [_apiserver(cluster, names, endpoint), Leaf(names.admin, ADMIN, kubeconfig=admin)]
    return tuple(made)


def _etcd(names: Names) -> Leaf:
    """One certificate for all members, which come and go.

    etcd lets a peer in whose address belongs to a name of its certificate. It looks names up; for the wildcard it must
    ask backwards, which not every DNS answers.
    """
    service = f"{names.etcd}.{names.namespace}.svc"
    members = tuple(names.etcd_host(member) for member in names.etcd_members(MOST_MEMBERS))
    served = (*members, f"*.{service}", service, names.etcd_service, "localhost")
    return Leaf(
        names.etcd,
        ETCD,
        pairs=(
            ("server", Request("etcd-ca", "etcd-server", dns_names=served, addresses=("127.0.0.1",))),
            ("peer", Request("etcd-ca", "etcd-peer", dns_names=served, addresses=("127.0.0.1",))),
        ),
        copies=("etcd-ca.crt",),
    )


def _apiserver(cluster: Cluster, names: Names, endpoint: ClusterEndpointStatus) -> Leaf:
    network = cluster.spec.network
    domain = network.dns_domain
    dns_names = (
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        f"kubernetes.default.svc.{domain}",
        "localhost",
        names.apiserver,
        f"{names.apiserver}.{names.namespace}",
        names.apiserver_service,
        f"{names.apiserver_service}.cluster.local",
    )
    addresses = ("127.0.0.1", *_first_address(network.service_cidr))
    by_address = is_address(endpoint.host)
    serving = Request(
        "ca",
        "kube-apiserver",
        dns_names=dns_names if by_address else (*dns_names, endpoint.host),
        addresses=(*addresses, endpoint.host) if by_address else addresses,
    )
    return Leaf(
        names.apiserver,
        API_SERVER,
        pairs=(
            ("serving", serving),
            ("etcd-client", Request("etcd-ca", "kube-apiserver")),
            ("kubelet-client", Request("ca", "kube-apiserver-kubelet-client", organization="system:masters")),
            ("front-proxy-client", Request("front-proxy-ca", "front-proxy-client")),
        ),
        copies=("ca.crt", "etcd-ca.crt", "front-proxy-ca.crt", TOKEN_KEY, TOKEN_PUBLIC, ENCRYPTION_CONFIG),
    )


@lru_cache(maxsize=1024)  # most clusters have the same range
def _first_address(service_cidr: str) -> tuple[str, ...]:
    """The API server's address among the Services; none of a range that is none, which the rules refuse."""
    try:
        return (str(next(iter(ip_network(service_cidr).hosts()))),)
    except ValueError:
        return ()


def make(leaf: Leaf, authority: Mapping[str, bytes], now: datetime) -> dict[str, bytes]:
    """The content of a leaf Secret, freshly signed, from the material of a state of a rotation. Raises Damaged."""
    entries: dict[str, bytes] = {}
    for name, request in leaf.pairs:
        certificate, key = issue(read_signer(authority, request.authority), request, now)
        entries |= {f"{name}.crt": certificate + chain_of(request, authority), f"{name}.key": key}
    for entry in leaf.copies:
        if entry not in authority:
            raise Damaged(f"{entry} is missing")
        entries[entry] = authority[entry]
    if leaf.kubeconfig is not None:
        entries[KUBECONFIG_KEY] = _kubeconfig(leaf.kubeconfig, authority, now)
    return entries


def chain_of(request: Request, authority: Mapping[str, bytes]) -> bytes:
    """What is served after a certificate, so that clients that know only the authority of before follow it."""
    return authority.get(f"{request.authority}-cross.crt", b"") if request.is_server else b""


def _kubeconfig(wanted: Kubeconfig, authority: Mapping[str, bytes], now: datetime) -> bytes:
    certificate, key = issue(read_signer(authority, wanted.user.authority), wanted.user, now)
    read_certificate(authority, "ca.crt")
    name = wanted.user.common_name
    return write_kubeconfig(wanted.server, name, ca=authority["ca.crt"], certificate=certificate, key=key)
