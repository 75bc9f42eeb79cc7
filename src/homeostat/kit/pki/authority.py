"""Authorities and the certificates that they sign, as PEM in named entries, the way a Secret holds them.

ECDSA on P-256 throughout: a key and a certificate cost a tenth of a millisecond, and every client of Kubernetes takes
them. Authorities last ten years; what they sign lasts one, and whoever keeps it issues it anew before it runs out.

What is signed is valid from when its authority is, as kubeadm does it: a clock that is hours ahead (a hardware clock in
local time) or years would else put certificates into service that nobody else takes yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from homeostat.kit.pki.source import source

AUTHORITY_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=365)
RENEWED_BEFORE = timedelta(days=30)
BACKDATED = timedelta(days=1)  # of authorities: clocks of hosts are not equal, and some are in another zone


class Damaged(Exception):
    """Key material is missing or unusable; the message names the entry, never its content."""


class Request(Struct, frozen=True):
    """What a certificate must say."""

    authority: str
    common_name: str
    organization: str = ""
    dns_names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    @property
    def is_server(self) -> bool:
        """Whether it lets its holder be reached under names."""
        return bool(self.dns_names or self.addresses)


class Signer(Struct, frozen=True):
    """One authority, ready to sign."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def __repr__(self) -> str:
        """Never the key."""
        return f"Signer({self.certificate.subject.rfc4514_string()})"


def new_authority(name: str, now: datetime, life: timedelta = AUTHORITY_LIFE) -> tuple[bytes, bytes]:
    """The certificate of a fresh authority and its key, as PEM."""
    key = new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        _builder(subject, subject, key.public_key(), now - BACKDATED, now + life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return certificate_pem(_signed(builder, key)), key_pem(key)


def cross_sign(signer: Signer, other: x509.Certificate) -> bytes:
    """Another authority's certificate, signed by this one, as PEM: who trusts this one then follows that one.

    It lasts as long as both of them do.
    """
    begins = max(signer.certificate.not_valid_before_utc, other.not_valid_before_utc)
    ends = min(signer.certificate.not_valid_after_utc, other.not_valid_after_utc)
    key = other.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)  # noqa: S101  (all authorities here are made by new_authority)
    builder = (
        _builder(other.subject, signer.certificate.subject, key, begins, ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), critical=False)
    )
    return certificate_pem(_signed(builder, signer.key))


def read_signer(entries: Mapping[str, bytes], name: str) -> Signer:
    """An authority out of the Secret's entries. Raises Damaged."""
    certificate = read_certificate(entries, f"{name}.crt")
    key = read_key(entries, f"{name}.key")
    if key.public_key() != certificate.public_key():
        raise Damaged(f"{name}.key does not belong to {name}.crt")
    if not _may_sign(certificate):
        raise Damaged(f"{name}.crt is not the certificate of an authority")
    return Signer(certificate, key)


def issue(signer: Signer, request: Request, now: datetime, life: timedelta = LEAF_LIFE) -> tuple[bytes, bytes]:
    """A certificate and its key, as PEM; it never outlives its signer."""
    key = new_key()
    begins, ends = signer.certificate.not_valid_before_utc, min(now + life, signer.certificate.not_valid_after_utc)
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH]
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in request.dns_names]
    names += [x509.IPAddress(ip_address(address)) for address in request.addresses]
    builder = (
        _builder(subject_of(request), signer.certificate.subject, key.public_key(), begins, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()),
            critical=False,
        )
    )
    if names:
        uses.append(ExtendedKeyUsageOID.SERVER_AUTH)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    return certificate_pem(_signed(builder, signer.key)), key_pem(key)


def certify(
    signer: Signer,
    asked: x509.CertificateSigningRequest,
    usage: x509.KeyUsage | None,
    uses: Sequence[x509.ObjectIdentifier],
    valid: tuple[datetime, datetime],
) -> bytes:
    """What a request asks for, as PEM: its subject, key and names, for given uses; it never outlives its signer."""
    begins, ends = valid[0], min(valid[1], signer.certificate.not_valid_after_utc)
    builder = (
        _builder(asked.subject, signer.certificate.subject, asked.public_key(), begins, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()),
            critical=False,
        )
    )
    if usage is not None:
        builder = builder.add_extension(usage, critical=True)
    for extension in asked.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            builder = builder.add_extension(extension.value, critical=False)
    return certificate_pem(_signed(builder, signer.key))


def read_certificate(entries: Mapping[str, bytes], entry: str) -> x509.Certificate:
    """A certificate out of entries. Raises Damaged."""
    try:
        certificate = x509.load_pem_x509_certificate(entries[entry])
        certificate.public_key()  # is decoded late, and may be of a kind that nobody here can use
    except KeyError:
        raise Damaged(f"{entry} is missing") from None
    except (ValueError, UnsupportedAlgorithm):
        raise Damaged(f"{entry} is not a certificate in PEM") from None
    return certificate


def read_key(entries: Mapping[str, bytes], entry: str) -> ec.EllipticCurvePrivateKey:
    """A private key out of entries. Raises Damaged."""
    try:
        key = load_pem_private_key(entries[entry], password=None)
    except KeyError:
        raise Damaged(f"{entry} is missing") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Damaged(f"{entry} is not a private key in PEM") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Damaged(f"{entry} is not a key on an elliptic curve")
    return key


def new_key() -> ec.EllipticCurvePrivateKey:
    """A private key from the operating system's randomness."""
    return source().key()


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as PEM, in the form that Kubernetes reads everywhere."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def public_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half of a key as PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """A certificate as PEM."""
    return certificate.public_bytes(Encoding.PEM)


def _signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    return builder.sign(key, hashes.SHA256(), ecdsa_deterministic=source().signs_alike or None)


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def subject_of(request: Request) -> x509.Name:
    """As whom a certificate speaks."""
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, request.common_name)]
    if request.organization:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, request.organization))
    return x509.Name(attributes)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: CertificatePublicKeyTypes, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(source().number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not signs,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
