"""Whether what a Secret holds is whole: entries there, keys and certificates fitting, signed by our authority, valid.

Judging costs a few signature checks, so a caller keeps the verdict per version of the Secrets.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from homeostat.operators.cluster.names import KUBECONFIG_KEY
from homeostat.operators.cluster.pki.authority import (
    AUTHORITIES,
    RENEWED_BEFORE,
    TOKEN_KEY,
    Damaged,
    Request,
    public_pem,
    read_certificate,
    read_key,
    read_signer,
    subject_of,
)
from homeostat.operators.cluster.pki.kubeconfig import read_kubeconfig
from homeostat.operators.cluster.pki.leaves import Kubeconfig, Leaf


def decoded(data: Mapping[str, str]) -> dict[str, bytes]:
    """A Secret's entries as bytes; what is not base64 becomes empty, and so damaged."""
    entries = {}
    for name, value in data.items():
        try:
            entries[name] = b64decode(value, validate=True)
        except ValueError:
            entries[name] = b""
    return entries


def check_authority(entries: Mapping[str, bytes]) -> None:
    """Raise Damaged unless all authorities and the token key are whole."""
    for name in AUTHORITIES:
        read_signer(entries, name)
    read_key(entries, TOKEN_KEY)


def check_leaf(leaf: Leaf, entries: Mapping[str, bytes], authority: Mapping[str, bytes], now: datetime) -> None:
    """Raise Damaged unless a leaf Secret holds what `leaf` asks for, signed by these authorities and valid now."""
    for name, request in leaf.pairs:
        certificate = read_certificate(entries, f"{name}.crt")
        if read_key(entries, f"{name}.key").public_key() != certificate.public_key():
            raise Damaged(f"{name}.key does not belong to {name}.crt")
        _check_certificate(f"{name}.crt", certificate, request, authority, now)
    for entry in leaf.copies:
        if entries.get(entry) != authority.get(entry):
            raise Damaged(f"{entry} is not the authority's")
    if leaf.token_public and entries.get("sa.pub") != public_pem(read_key(authority, TOKEN_KEY)):
        raise Damaged("sa.pub does not belong to the token key")
    if leaf.kubeconfig is not None:
        _check_kubeconfig(leaf.kubeconfig, entries.get(KUBECONFIG_KEY, b""), authority, now)


def _check_certificate(
    entry: str, certificate: x509.Certificate, request: Request, authority: Mapping[str, bytes], now: datetime
) -> None:
    signer = read_certificate(authority, f"{request.authority}.crt")
    try:
        certificate.verify_directly_issued_by(signer)
    except (InvalidSignature, ValueError, TypeError):
        raise Damaged(f"{entry} is not signed by {request.authority}") from None
    if certificate.subject != subject_of(request):
        found, wanted = certificate.subject.rfc4514_string(), subject_of(request).rfc4514_string()
        raise Damaged(f"{entry} is for {found} instead of {wanted}")
    if now < certificate.not_valid_before_utc:
        raise Damaged(f"{entry} is not valid before {certificate.not_valid_before_utc:%F %T} UTC")
    if now > certificate.not_valid_after_utc - RENEWED_BEFORE:
        raise Damaged(f"{entry} runs out on {certificate.not_valid_after_utc:%F}")
    if request.is_server:
        try:
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (x509.ExtensionNotFound, ValueError):
            raise Damaged(f"{entry} names nobody") from None
        missing = set(request.dns_names) - set(names.get_values_for_type(x509.DNSName))
        addresses = {ip_address(address) for address in request.addresses}
        if missing or addresses - set(names.get_values_for_type(x509.IPAddress)):
            raise Damaged(f"{entry} lacks a name or address that it must have")


def _check_kubeconfig(wanted: Kubeconfig, content: bytes, authority: Mapping[str, bytes], now: datetime) -> None:
    config = read_kubeconfig(content)
    entries = {"client.crt": config.client_certificate, "client.key": config.client_key.data}
    if config.ca.strip() != authority["ca.crt"].strip():
        raise Damaged(f"{KUBECONFIG_KEY} does not trust the cluster's authority")
    if config.server != wanted.server:
        raise Damaged(f"{KUBECONFIG_KEY} does not lead to {wanted.server}")
    certificate = read_certificate(entries, "client.crt")
    if read_key(entries, "client.key").public_key() != certificate.public_key():
        raise Damaged(f"the key in {KUBECONFIG_KEY} does not belong to its certificate")
    _check_certificate(KUBECONFIG_KEY, certificate, wanted.user, authority, now)
