"""What is seen of a cluster's keys and certificates: whether they are there and sound, and when they run out.

Judging costs signature checks, so verdicts are kept per version of both Secrets, and per day: certificates run out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct

from homeostat.api.cluster.v1alpha1 import Cluster, ClusterEndpointStatus
from homeostat.api.core import Secret
from homeostat.kit.pki.authority import Damaged
from homeostat.kit.pki.soundness import decoded
from homeostat.operators.cluster.manifests.shape import digest_of
from homeostat.operators.cluster.names import Names
from homeostat.operators.cluster.pki.leaves import Leaf, leaves
from homeostat.operators.cluster.pki.lifetimes import Certificate, of_authorities, of_leaf, renewal
from homeostat.operators.cluster.pki.soundness import check_authority, check_leaf

_KEPT = 64


class LeafSeen(Struct, frozen=True):
    """A Secret of certificates that there must be, and what is wrong with the one there is."""

    leaf: Leaf
    exists: bool
    damage: str  # empty: sound
    digest: str  # of what masters read only when they start
    certificates: tuple[Certificate, ...] = ()  # of a sound one
    renew_at: datetime | None = None  # when the first of them is renewed; None: never


class AuthoritySeen(Struct, frozen=True):
    """The Secret of authorities."""

    exists: bool
    damage: str = ""
    certificates: tuple[Certificate, ...] = ()  # of sound ones


class Judged(Struct, frozen=True):
    """The verdict on one Secret: its damage, or else its certificates."""

    damage: str = ""
    certificates: tuple[Certificate, ...] = ()


Verdicts = dict[tuple[str, ...], Judged]


def judge(
    cluster: Cluster,
    names: Names,
    endpoint: ClusterEndpointStatus | None,
    secrets: Mapping[str, Secret],
    known: Verdicts,
    now: datetime,
) -> tuple[AuthoritySeen, tuple[LeafSeen, ...]]:
    """Judge the Secrets of one cluster."""
    top = secrets.get(names.authority)
    if top is None:
        unjudged = tuple(_unjudged(leaf, secrets.get(leaf.name)) for leaf in leaves(cluster, names, endpoint))
        return AuthoritySeen(exists=False), unjudged
    entries = decoded(top.data)
    verdict = _remembered(known, ("authority", top.metadata.resource_version), lambda: _judge_authority(entries))
    authority = AuthoritySeen(True, verdict.damage, verdict.certificates)
    seen = []
    for leaf in leaves(cluster, names, endpoint):
        secret = secrets.get(leaf.name)
        if secret is None or authority.damage:
            seen.append(_unjudged(leaf, secret))
            continue
        mark = (leaf.name, secret.metadata.resource_version, top.metadata.resource_version, f"{now:%F}", repr(leaf))
        judged = _remembered(known, mark, lambda: _judge_leaf(leaf, decoded(secret.data), entries, now))  # noqa: B023
        renew_at = renewal(judged.certificates, authority.certificates, f"{cluster.metadata.uid}/{leaf.name}")
        digest = digest_of(leaf.read_once(secret.data))
        seen.append(LeafSeen(leaf, True, judged.damage, digest, judged.certificates, renew_at))
    return authority, tuple(seen)


def _unjudged(leaf: Leaf, secret: Secret | None) -> LeafSeen:
    return LeafSeen(leaf, secret is not None, "", digest_of(leaf.read_once(secret.data)) if secret else "")


def _judge_authority(entries: Mapping[str, bytes]) -> tuple[Certificate, ...]:
    check_authority(entries)
    return of_authorities(entries)


def _judge_leaf(
    leaf: Leaf, held: Mapping[str, bytes], authority: Mapping[str, bytes], now: datetime
) -> tuple[Certificate, ...]:
    check_leaf(leaf, held, authority, now)
    return of_leaf(leaf, held)


def _remembered(known: Verdicts, mark: tuple[str, ...], check: Callable[[], tuple[Certificate, ...]]) -> Judged:
    found = known.get(mark)
    if found is None:
        try:
            found = Judged(certificates=check())
        except Damaged as error:
            found = Judged(str(error))
        if len(known) > _KEPT:
            known.clear()
        known[mark] = found
    return found
