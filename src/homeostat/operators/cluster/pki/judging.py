"""What is seen of a cluster's keys and certificates: whether they are there and sound, and when they run out.

Judging costs signature checks, so the last verdict on each Secret is kept, per version of both Secrets, and per day:
certificates run out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.api.core import Secret
from homeostat.kit.pki.authority import Damaged
from homeostat.kit.pki.soundness import decoded
from homeostat.operators.cluster.manifests.shape import digest_of
from homeostat.operators.cluster.names import Names
from homeostat.operators.cluster.pki.leaves import Leaf
from homeostat.operators.cluster.pki.lifetimes import Certificate, of_authorities, of_leaf, renewal
from homeostat.operators.cluster.pki.material import (
    ENCRYPTION_KEY,
    check_keys,
    has_next,
    left_of,
    material,
    name_of,
    secrets_keys,
)
from homeostat.operators.cluster.pki.soundness import check_leaf
from homeostat.operators.cluster.pki.states import STATES


class LeafSeen(Struct, frozen=True):
    """A Secret of certificates that there must be, and what is wrong with the one there is."""

    leaf: Leaf
    exists: bool
    damage: str  # empty: sound
    digest: str  # of what masters read only when they start
    certificates: tuple[Certificate, ...] = ()  # of a sound one
    renew_at: datetime | None = None  # when the first of them is renewed; None: never
    outdated: str = ""  # sound, but of another state of the rotation that is under way: in which way


class AuthoritySeen(Struct, frozen=True):
    """The Secret of authorities."""

    exists: bool
    damage: str = ""
    certificates: tuple[Certificate, ...] = ()  # of sound ones
    has_next: bool = False  # whether all new keys of the rotation that is under way are there
    leftovers: bool = False  # whether any new keys are there
    encryption_key: str = ""  # the name of the key that encrypts Secrets; empty: there is none
    secrets_keys: tuple[str, ...] = ()  # the names of all keys that masters know for Secrets in this state


class Judged(Struct, frozen=True):
    """The verdict on one Secret: its damage, or else its certificates, and in which way it is outdated; a digest."""

    damage: str = ""
    certificates: tuple[Certificate, ...] = ()
    outdated: str = ""
    digest: str = ""  # of what masters read only when they start


Mark = tuple[object, ...]
Verdicts = dict[str, tuple[Mark, Judged]]  # by what was judged; what the verdict depends on


def judge(
    cluster: Cluster,
    names: Names,
    wanted: tuple[Leaf, ...],
    secrets: Mapping[str, Secret],
    known: Verdicts,
    now: datetime,
) -> tuple[AuthoritySeen, tuple[LeafSeen, ...]]:
    """Judge the Secrets of one cluster: that of authorities, and those that are wanted."""
    top = secrets.get(names.authority)
    if top is None:
        unjudged = tuple(_unjudged(leaf, secrets.get(leaf.name)) for leaf in wanted)
        return AuthoritySeen(exists=False), unjudged
    entries = decoded(top.data)
    stages = _Stages.of(cluster, entries)
    encrypted_with = cluster.status.encryption_key
    of_keys = (top.metadata.resource_version, *stages.mark, encrypted_with)
    verdict = _remembered(known, names.authority, of_keys, lambda: _judge_keys(stages, encrypted_with))
    authority = _authority(stages, verdict)
    seen = []
    for leaf in wanted:
        secret = secrets.get(leaf.name)
        if secret is None or authority.damage:
            seen.append(_unjudged(leaf, secret))
            continue
        versions = (secret.metadata.resource_version, top.metadata.resource_version)
        mark = (*versions, *stages.mark, now.date(), leaf)
        judged = _remembered(known, leaf.name, mark, lambda: _judge_leaf(leaf, secret.data, stages, now))  # noqa: B023
        renew_at = renewal(judged.certificates, authority.certificates, f"{cluster.metadata.uid}/{leaf.name}")
        seen.append(LeafSeen(leaf, True, judged.damage, judged.digest, judged.certificates, renew_at, judged.outdated))
    return authority, tuple(seen)


class _Stages(Struct, frozen=True, dict=True):
    """The keys, and the state of the rotation that they are in."""

    entries: Mapping[str, bytes]
    kind: str
    stage: str

    @classmethod
    def of(cls, cluster: Cluster, entries: Mapping[str, bytes]) -> _Stages:
        going = cluster.status.rotation
        return cls(entries, going.keys if going else "", going.stage if going else "")

    @property
    def mark(self) -> tuple[str, str]:
        return self.kind, self.stage

    @cached_property
    def now(self) -> dict[str, bytes]:
        """What all leaves are made of."""
        return material(self.entries, self.kind, self.stage)

    def others(self) -> Iterator[dict[str, bytes]]:
        """What leaves may still be made of: any other state of the same rotation, as far as its keys are whole."""
        for each in STATES if self.kind else ():
            with suppress(Damaged):
                yield material(self.entries, self.kind, each)


def _unjudged(leaf: Leaf, secret: Secret | None) -> LeafSeen:
    return LeafSeen(leaf, secret is not None, "", digest_of(leaf.read_once(secret.data)) if secret else "")


def _authority(stages: _Stages, verdict: Judged) -> AuthoritySeen:
    key = stages.entries.get(ENCRYPTION_KEY)
    return AuthoritySeen(
        True,
        verdict.damage,
        verdict.certificates,
        has_next=stages.kind != "" and has_next(stages.kind, stages.entries),
        leftovers=bool(left_of(stages.entries)),
        encryption_key=name_of(key) if key else "",
        secrets_keys=secrets_keys(stages.entries, *stages.mark),
    )


def _judge_keys(stages: _Stages, encrypted_with: str) -> Judged:
    check_keys(stages.entries, *stages.mark, encrypted_with)
    return Judged(certificates=of_authorities(stages.now))


def _judge_leaf(leaf: Leaf, data: Mapping[str, str], stages: _Stages, now: datetime) -> Judged:
    """Sound or damaged, with its digest."""
    try:
        found = _sound(leaf, decoded(data), stages, now)
    except Damaged as error:
        found = Judged(str(error))
    return replace(found, digest=digest_of(leaf.read_once(data)))


def _sound(leaf: Leaf, held: Mapping[str, bytes], stages: _Stages, now: datetime) -> Judged:
    """Sound as the state has it, or as another state of the same rotation has it. Raises Damaged."""
    try:
        check_leaf(leaf, held, stages.now, now)
    except Damaged as error:
        for other in stages.others():
            with suppress(Damaged):
                check_leaf(leaf, held, other, now)
                return Judged(certificates=of_leaf(leaf, held), outdated=str(error))
        raise
    return Judged(certificates=of_leaf(leaf, held))


def _remembered(known: Verdicts, name: str, mark: Mark, check: Callable[[], Judged]) -> Judged:
    last = known.get(name)
    if last is not None and last[0] == mark:
        return last[1]
    try:
        found = check()
    except Damaged as error:
        found = Judged(str(error))
    known[name] = (mark, found)
    return found
