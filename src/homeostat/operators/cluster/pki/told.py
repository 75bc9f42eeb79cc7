"""What the status says about certificates: for each authority what it signed that runs out first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from homeostat.api.cluster.certificates import ClusterCertificateStatus
from homeostat.operators.cluster.pki.judging import AuthoritySeen, LeafSeen
from homeostat.operators.cluster.pki.lifetimes import Certificate, soonest


def certificates(authority: AuthoritySeen, leaves: Sequence[LeafSeen]) -> tuple[ClusterCertificateStatus, ...]:
    """All authorities; nothing of what is not there or damaged."""
    return tuple(_told(own, leaves) for own in authority.certificates)


def _told(own: Certificate, leaves: Sequence[LeafSeen]) -> ClusterCertificateStatus:
    signed = [(leaf, each) for leaf in leaves for each in leaf.certificates if each.authority == own.authority]
    first = soonest(each for _, each in signed)
    secret, renews_at = "", None
    for leaf, each in signed:
        if each is first:
            secret, renews_at = leaf.leaf.name, leaf.renew_at
    return ClusterCertificateStatus(
        authority=own.authority,
        not_after=own.not_after,
        secret=secret,
        soonest=first.not_after if first is not None else None,
        renews_at=_whole(renews_at),
    )


def _whole(when: datetime | None) -> datetime | None:
    return when.replace(microsecond=0) if when is not None else None
