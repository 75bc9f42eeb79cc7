"""What leaf Secrets are made from: the entries of the Secret of authorities, as the state of a rotation has them.

A rotation puts new entries beside the old ones, with `next-` before their names. From both comes what everybody signs
with, and what everybody trusts: bundles whose first part belongs to whom signs.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any

from homeostat.kit.pki.authority import (
    Damaged,
    cross_sign,
    key_pem,
    new_authority,
    new_key,
    public_pem,
    read_certificate,
    read_key,
    read_signer,
)
from homeostat.kit.pki.source import source
from homeostat.operators.cluster.pki import states
from homeostat.operators.cluster.pki.documents import as_yaml
from homeostat.operators.cluster.pki.states import NEW, OLD, state

CAS = {"ca": "kubernetes", "etcd-ca": "etcd", "front-proxy-ca": "front-proxy"}
TOKEN_KEY, TOKEN_PUBLIC = "sa.key", "sa.pub"
ENCRYPTION_KEY, ENCRYPTION_CONFIG = "encryption.key", "encryption.yaml"
NEXT = "next-"
_KEY_BYTES = 32  # of a secretbox key: XSalsa20 and Poly1305

_ENTRIES = {
    states.AUTHORITIES: tuple(f"{name}.{half}" for name in CAS for half in ("crt", "key")),
    states.TOKEN_KEY: (TOKEN_KEY,),
    states.ENCRYPTION_KEY: (ENCRYPTION_KEY,),
}
_CROSS = "ca-cross.crt"  # the new authority's certificate, signed by the old one


def new_keys(kind: str, now: datetime, suffix: str = "") -> dict[str, bytes]:
    """Fresh keys of one kind, by entry; the suffix tells authorities of several rotations apart by their names."""
    if kind == states.TOKEN_KEY:
        return {TOKEN_KEY: key_pem(new_key())}
    if kind == states.ENCRYPTION_KEY:
        return {ENCRYPTION_KEY: source().token(_KEY_BYTES)}
    made: dict[str, bytes] = {}
    for entry, name in CAS.items():
        made[f"{entry}.crt"], made[f"{entry}.key"] = new_authority(f"{name}{suffix}", now)
    return made


def next_keys(kind: str, entries: Mapping[str, bytes], now: datetime) -> dict[str, bytes]:
    """The entries that a rotation puts beside those that there are."""
    made = new_keys(kind, now, f"-{now:%Y%m%d%H%M%S}")
    if kind == states.AUTHORITIES:
        made[_CROSS] = cross_sign(read_signer(entries, "ca"), read_certificate(made, "ca.crt"))
    return {f"{NEXT}{entry}": value for entry, value in made.items()}


def has_next(kind: str, entries: Mapping[str, bytes]) -> bool:
    """Whether all entries of a rotation are there."""
    return all(f"{NEXT}{entry}" in entries for entry in _ENTRIES[kind])


def left_of(entries: Mapping[str, bytes]) -> tuple[str, ...]:
    """All entries that a rotation left, of whatever kind."""
    return tuple(entry for entry in entries if entry.startswith(NEXT))


def promoted(kind: str, entries: Mapping[str, bytes]) -> dict[str, bytes | None]:
    """The change that makes the new entries the only ones; None removes one."""
    moved: dict[str, bytes | None] = {entry: entries[f"{NEXT}{entry}"] for entry in _ENTRIES[kind]}
    return moved | dict.fromkeys(left_of(entries))


def check_keys(entries: Mapping[str, bytes], kind: str = "", stage: str = "", encrypted_with: str = "") -> None:
    """Raise Damaged unless all keys are whole, those of a rotation that is under way too.

    `encrypted_with` names the key that there must be, because Secrets are encrypted with it.
    """
    for name in CAS:
        read_signer(entries, name)
    read_key(entries, TOKEN_KEY)
    _check_encryption(entries, ENCRYPTION_KEY, is_needed=encrypted_with != "")
    is_replaced = kind == states.ENCRYPTION_KEY and stage == states.DROPPING
    if encrypted_with and not is_replaced and name_of(entries[ENCRYPTION_KEY]) != encrypted_with:
        raise Damaged(f"{ENCRYPTION_KEY} is not the key that Secrets are encrypted with")
    if kind in _ENTRIES and NEW in state(stage).uses and (stage != states.DROPPING or left_of(entries)):
        fresh = {entry.removeprefix(NEXT): value for entry, value in entries.items() if entry.startswith(NEXT)}
        try:
            _check_next(kind, fresh)
        except Damaged as error:
            raise Damaged(f"{NEXT}{error}") from None


def _check_next(kind: str, fresh: Mapping[str, bytes]) -> None:
    if kind == states.AUTHORITIES:
        for name in CAS:
            read_signer(fresh, name)
        read_certificate(fresh, _CROSS)
    elif kind == states.TOKEN_KEY:
        read_key(fresh, TOKEN_KEY)
    else:
        _check_encryption(fresh, ENCRYPTION_KEY, is_needed=True)


def _check_encryption(entries: Mapping[str, bytes], entry: str, *, is_needed: bool) -> None:
    if entry not in entries and is_needed:
        raise Damaged(f"{entry} is missing")
    if entry in entries and len(entries[entry]) != _KEY_BYTES:
        raise Damaged(f"{entry} is not a key of {_KEY_BYTES} bytes")


def _versions(entries: Mapping[str, bytes], kind: str, stage: str, entry: str) -> list[bytes]:
    """The versions of an entry that are known in a state of a rotation, the one that signs first."""
    uses = state(stage).uses if entry in _ENTRIES.get(kind, ()) else (OLD,)
    found = {OLD: entries.get(entry), NEW: entries.get(f"{NEXT}{entry}")}
    # What was promoted is no longer the next one.
    chosen = (found[each] for each in uses) if found[NEW] is not None else (found[OLD],)
    return [value for value in chosen if value is not None]


def secrets_keys(entries: Mapping[str, bytes], kind: str = "", stage: str = "") -> tuple[str, ...]:
    """The names of the keys that masters know for Secrets in a state of a rotation, the one that encrypts first."""
    return tuple(name_of(key) for key in _versions(entries, kind, stage, ENCRYPTION_KEY))


def material(entries: Mapping[str, bytes], kind: str = "", stage: str = "") -> dict[str, bytes]:
    """What leaves are made from in a state of a rotation. The keys must be whole."""
    versions = partial(_versions, entries, kind, stage)
    made: dict[str, bytes] = {}
    for name in CAS:
        certificates = versions(f"{name}.crt")
        made[f"{name}.crt"] = _bundle(certificates)
        made[f"{name}-signer.crt"] = certificates[0]
        made[f"{name}.key"] = versions(f"{name}.key")[0]
    made[TOKEN_KEY] = versions(TOKEN_KEY)[0]
    made[TOKEN_PUBLIC] = b"".join(public_pem(read_key({TOKEN_KEY: key}, TOKEN_KEY)) for key in versions(TOKEN_KEY))
    first_is_plain = kind == states.ENCRYPTION_KEY and ENCRYPTION_KEY not in entries and state(stage).uses[0] == OLD
    made[ENCRYPTION_CONFIG] = encryption_config(versions(ENCRYPTION_KEY), writes_plain=first_is_plain)
    cross = entries.get(f"{NEXT}{_CROSS}")
    if cross is not None and kind == states.AUTHORITIES and state(stage).uses == (NEW, OLD):
        made[_CROSS] = cross
    return made


def encryption_config(keys: list[bytes], *, writes_plain: bool = False) -> bytes:
    """Kubernetes' EncryptionConfiguration: the first key encrypts, all decrypt, and what never was is read too."""
    named = [{"name": name_of(key), "secret": b64encode(key).decode()} for key in keys]
    boxes: list[dict[str, Any]] = [{"secretbox": {"keys": named}}] if named else []
    plain: list[dict[str, Any]] = [{"identity": {}}]
    document = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [{"resources": ["secrets"], "providers": [*plain, *boxes] if writes_plain else [*boxes, *plain]}],
    }
    return as_yaml(document)


def name_of(key: bytes) -> str:
    """What a key is called beside each value that it encrypted: says nothing of the key, and is never another's."""
    return sha256(b"homeostat encryption key " + key).hexdigest()[:12]


def _bundle(certificates: list[bytes]) -> bytes:
    if len(certificates) == 1:
        return certificates[0]
    return b"".join(each.strip() + b"\n" for each in certificates)
