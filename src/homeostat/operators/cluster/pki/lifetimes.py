"""How long certificates last, and when each is renewed: a third of its life before its end, some a little earlier.

How much earlier is drawn from the name of the Secret and the uid of its Cluster, so that a fleet that was made at one
instant is not renewed at one instant, and an operator that restarts comes to the same time again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from cryptography import x509
from msgspec import Struct

from homeostat.kit.pki.authority import LEAF_LIFE, read_certificate
from homeostat.kit.spreading import share_of
from homeostat.operators.cluster.names import KUBECONFIG_KEY
from homeostat.operators.cluster.pki.kubeconfig import read_kubeconfig
from homeostat.operators.cluster.pki.leaves import Leaf
from homeostat.operators.cluster.pki.material import CAS

LEFT = 1 / 3  # of its life, when a certificate is renewed
SPREAD = 1 / 12  # of its life, over which renewals of a fleet are spread
URGENT = timedelta(days=30)  # whatever restarts nobody is renewed then, however the masters fare
EXPIRED = timedelta(hours=1)  # so long before its end a certificate counts as run out: clocks of hosts are not equal


class Certificate(Struct, frozen=True):
    """One certificate that masters or homeostat use: who signed it, and until when it is valid."""

    authority: str
    entry: str
    not_after: datetime


def of_authorities(entries: Mapping[str, bytes]) -> tuple[Certificate, ...]:
    """The authorities' own certificates, all of which can be read."""
    return tuple(_read(name, f"{name}.crt", read_certificate(entries, f"{name}.crt")) for name in CAS)


def of_leaf(leaf: Leaf, entries: Mapping[str, bytes]) -> tuple[Certificate, ...]:
    """The certificates of a leaf Secret that is sound."""
    found = [
        _read(request.authority, f"{name}.crt", read_certificate(entries, f"{name}.crt"))
        for name, request in leaf.pairs
    ]
    if leaf.kubeconfig is not None:
        held = {"client.crt": read_kubeconfig(entries[KUBECONFIG_KEY]).client_certificate}
        found.append(_read(leaf.kubeconfig.user.authority, KUBECONFIG_KEY, read_certificate(held, "client.crt")))
    return tuple(found)


def soonest(certificates: Iterable[Certificate]) -> Certificate | None:
    """The one that runs out first."""
    return min(certificates, key=lambda each: each.not_after, default=None)


def renewal(certificates: Iterable[Certificate], authorities: Iterable[Certificate], who: str) -> datetime | None:
    """When the first of some certificates is renewed; None when no new one could last longer than it does.

    `who` is the identity that the spread is drawn from. When one begins says nothing: it is valid from when its
    authority is.
    """
    ends = {each.authority: each.not_after for each in authorities}
    times = [
        each.not_after - LEAF_LIFE * (LEFT + SPREAD * share_of(who))
        for each in certificates
        if each.authority not in ends or each.not_after < ends[each.authority]
    ]
    return min(times, default=None)


def _read(authority: str, entry: str, certificate: x509.Certificate) -> Certificate:
    return Certificate(authority, entry, certificate.not_valid_after_utc)
