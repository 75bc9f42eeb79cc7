"""Whether certificates are whole: keys fitting, signed by whom they should be, for the names wanted, valid for a while.

Judging costs a few signature checks, so a caller keeps the verdict per version of what it judged.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from homeostat.kit.pki.authority import RENEWED_BEFORE, Damaged, Request, read_certificate, read_key, subject_of


def decoded(data: Mapping[str, str]) -> dict[str, bytes]:
    """A Secret's entries as bytes; what is not base64 becomes empty, and so damaged."""
    entries = {}
    for name, value in data.items():
        try:
            entries[name] = b64decode(value, validate=True)
        except ValueError:
            entries[name] = b""
    return entries


def check_pair(entries: Mapping[str, bytes], name: str) -> x509.Certificate:
    """The certificate of an entry whose key fits it. Raises Damaged."""
    certificate = read_certificate(entries, f"{name}.crt")
    if read_key(entries, f"{name}.key").public_key() != certificate.public_key():
        raise Damaged(f"{name}.key does not belong to {name}.crt")
    return certificate


def check_certificate(
    entry: str,
    certificate: x509.Certificate,
    request: Request,
    signer: x509.Certificate,
    now: datetime,
    renewed_before: timedelta = RENEWED_BEFORE,
) -> None:
    """Raise Damaged unless a certificate says what was asked for, by this signer, for some time yet."""
    try:
        certificate.verify_directly_issued_by(signer)
    except (InvalidSignature, ValueError, TypeError):
        raise Damaged(f"{entry} is not signed by {request.authority}") from None
    if certificate.subject != subject_of(request):
        found, wanted = certificate.subject.rfc4514_string(), subject_of(request).rfc4514_string()
        raise Damaged(f"{entry} is for {found} instead of {wanted}")
    if now < certificate.not_valid_before_utc:
        raise Damaged(f"{entry} is not valid before {certificate.not_valid_before_utc:%F %T} UTC")
    if now > certificate.not_valid_after_utc - renewed_before:
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
