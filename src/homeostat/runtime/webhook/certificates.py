"""What the Secret of certificates should hold: an authority, a serving leaf, and in times of change a second authority.

Whoever comes first makes both. The leaf is renewed alone, under the same authority. An authority that nears its end
is replaced in three steps, so that nobody ever meets a leaf that the configuration's bundle does not trust: its
successor is announced in the bundle; after `settled_after`, and only if the configuration in force really trusts it,
the successor signs a new leaf; after as long again the former one is forgotten. When that was is told by the
certificates themselves. Pure: every replica comes to the same step, and of two that take it at once one is refused by
the Secret's version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from cryptography import x509
from msgspec import Struct

from homeostat.kit.pki.authority import (
    AUTHORITY_LIFE,
    BACKDATED,
    LEAF_LIFE,
    RENEWED_BEFORE,
    Damaged,
    Request,
    certificate_pem,
    issue,
    new_authority,
    read_certificate,
    read_signer,
)
from homeostat.kit.pki.soundness import check_certificate, check_pair

AUTHORITY, SUCCESSOR, FORMER, LEAF = "ca", "next-ca", "old-ca", "tls"
# Not the name of the Service, which the leaf bears: OpenSSL takes a certificate that names itself as its signer for
# one that has signed itself, and believes neither.
_AUTHORITY_NAME = "homeostat-webhooks-authority"

Entries = Mapping[str, bytes]


class Lifetimes(Struct, frozen=True):
    """How long certificates last, and how long others are given to hear of a change."""

    authority: timedelta = AUTHORITY_LIFE
    leaf: timedelta = LEAF_LIFE
    renewed_before: timedelta = RENEWED_BEFORE
    # Replicas and API servers hear of a change within seconds; one that is cut off for longer serves nobody.
    settled_after: timedelta = timedelta(hours=1)


class Pair(Struct, frozen=True):
    """A serving certificate with its key, and the certificate of who signed it, all as PEM."""

    certificate: bytes
    key: bytes
    signer: bytes
    not_after: datetime

    def __repr__(self) -> str:
        """Never the key."""
        return f"Pair(until {self.not_after:%F %T})"


class Held(Struct, frozen=True):
    """What a decision looks at."""

    entries: Entries
    wanted: Request
    now: datetime
    times: Lifetimes
    trusted: frozenset[bytes] = frozenset()  # authorities as PEM that the configuration in force trusts


class Step(Struct, frozen=True):
    """The entries as they should be, and why."""

    why: str
    entries: Entries


def first(wanted: Request, now: datetime, times: Lifetimes, former: bytes = b"") -> dict[str, bytes]:
    """A fresh authority and its leaf; `former` is the authority as PEM of what is still served somewhere."""
    certificate, key = new_authority(_AUTHORITY_NAME, now, times.authority)
    entries = {f"{AUTHORITY}.crt": certificate, f"{AUTHORITY}.key": key}
    if former:
        entries[f"{FORMER}.crt"] = former
    return _with_leaf(entries, wanted, now, times)


def next_step(held: Held) -> Step | None:
    """What to change in the Secret now; None when it is as it should be."""
    for rule in _RULES:
        step = rule(held)
        if step is not None:
            return step
    return None


def replace_a_broken_authority(held: Held) -> Step | None:
    """Nobody but the configuration, which is ours, trusts it: a new one costs nothing."""
    try:
        signer = read_signer(held.entries, AUTHORITY)
        if held.now <= signer.certificate.not_valid_after_utc:
            return None
        why = f"{AUTHORITY}.crt has run out"
    except Damaged as error:
        why = str(error)
    former = _readable(held.entries, AUTHORITY)
    entries = first(held.wanted, held.now, held.times, certificate_pem(former) if former is not None else b"")
    return Step(why, entries)


def announce_a_successor(held: Held) -> Step | None:
    """Early enough that no leaf ever outlives its authority."""
    ends = read_certificate(held.entries, f"{AUTHORITY}.crt").not_valid_after_utc
    if held.now <= ends - held.times.leaf - held.times.renewed_before or _is_announced(held.entries):
        return None
    certificate, key = new_authority(_AUTHORITY_NAME, held.now, held.times.authority)
    entries = {**held.entries, f"{SUCCESSOR}.crt": certificate, f"{SUCCESSOR}.key": key}
    return Step(f"{AUTHORITY}.crt runs out on {ends:%F}", entries)


def let_the_successor_sign(held: Held) -> Step | None:
    """Only when everybody has had time to hear of it, and the configuration shows that it was heard."""
    if not _is_announced(held.entries):
        return None
    successor = read_certificate(held.entries, f"{SUCCESSOR}.crt")
    if held.now < _made_at(successor) + held.times.settled_after or certificate_pem(successor) not in held.trusted:
        return None
    entries = {name: value for name, value in held.entries.items() if not name.startswith(f"{SUCCESSOR}.")}
    entries[f"{FORMER}.crt"] = held.entries[f"{AUTHORITY}.crt"]
    for half in ("crt", "key"):
        entries[f"{AUTHORITY}.{half}"] = held.entries[f"{SUCCESSOR}.{half}"]
    return Step("the successor is trusted", _with_leaf(entries, held.wanted, held.now, held.times))


def renew_the_leaf(held: Held) -> Step | None:
    """When it is damaged, for other names, or nears its end."""
    signer = read_certificate(held.entries, f"{AUTHORITY}.crt")
    try:
        leaf = check_pair(held.entries, LEAF)
        check_certificate(f"{LEAF}.crt", leaf, held.wanted, signer, held.now, held.times.renewed_before)
    except Damaged as error:
        return Step(str(error), _with_leaf(held.entries, held.wanted, held.now, held.times))
    return None


def forget_the_former(held: Held) -> Step | None:
    """Once nobody serves anything that it signed."""
    if f"{FORMER}.crt" not in held.entries:
        return None
    made_at = read_certificate(held.entries, f"{LEAF}.crt").not_valid_after_utc - held.times.leaf
    if held.now < made_at + held.times.settled_after:
        return None
    entries = {name: value for name, value in held.entries.items() if name != f"{FORMER}.crt"}
    return Step("the former authority has nothing in service", entries)


_RULES: tuple[Callable[[Held], Step | None], ...] = (
    replace_a_broken_authority,
    announce_a_successor,
    let_the_successor_sign,
    renew_the_leaf,
    forget_the_former,
)


def served_by(entries: Entries) -> Pair:
    """What to serve with. Raises Damaged."""
    leaf = check_pair(entries, LEAF)
    signer = read_certificate(entries, f"{AUTHORITY}.crt")
    return Pair(entries[f"{LEAF}.crt"], entries[f"{LEAF}.key"], certificate_pem(signer), leaf.not_valid_after_utc)


def bundle_of(entries: Entries) -> bytes:
    """All authorities that may be met now, as PEM, in a fixed order; empty when there is none."""
    found = (_readable(entries, name) for name in (AUTHORITY, SUCCESSOR, FORMER))
    return b"".join(certificate_pem(certificate) for certificate in found if certificate is not None)


def authorities_in(bundle: bytes) -> frozenset[bytes]:
    """The authorities of a bundle, each as PEM; of a bundle that is not PEM, none."""
    try:
        return frozenset(certificate_pem(each) for each in x509.load_pem_x509_certificates(bundle))
    except ValueError:
        return frozenset()


def _with_leaf(entries: Entries, wanted: Request, now: datetime, times: Lifetimes) -> dict[str, bytes]:
    certificate, key = issue(read_signer(entries, AUTHORITY), wanted, now, times.leaf)
    return {**entries, f"{LEAF}.crt": certificate, f"{LEAF}.key": key}


def _is_announced(entries: Entries) -> bool:
    """Whether there is a successor that could sign."""
    try:
        read_signer(entries, SUCCESSOR)
    except Damaged:
        return False
    return True


def _readable(entries: Entries, name: str) -> x509.Certificate | None:
    try:
        return read_certificate(entries, f"{name}.crt")
    except Damaged:
        return None


def _made_at(authority: x509.Certificate) -> datetime:
    return authority.not_valid_before_utc + BACKDATED
