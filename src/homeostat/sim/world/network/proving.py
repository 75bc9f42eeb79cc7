"""Whether certificates prove what they say: who signed them, for whom they are, and until when.

As TLS libraries judge them (RFC 5280): a path from what was shown to an authority that is trusted, all of it valid now,
and for servers a name or address among those of the certificate itself. A path that was found is kept for as long as
its `Trust` is, because the same pair is shown again and again; whether it is valid now is asked each time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID
from msgspec import Struct

_MOST = 64  # paths that one trust keeps


class Untrusted(Exception):
    """A certificate does not prove what it should; the message says why."""


class Proof(Struct, frozen=True):
    """What a certificate says of its holder, for as long as all of its path is valid."""

    common_name: str
    organizations: tuple[str, ...]
    names: tuple[str, ...]
    addresses: tuple[str, ...]
    begins: datetime
    ends: datetime

    def check_time(self, now: datetime) -> None:
        """Raises Untrusted."""
        if now < self.begins:
            raise Untrusted("certificate is not yet valid")
        if now > self.ends:
            raise Untrusted("certificate has expired")

    def check_name(self, name: str) -> None:
        """Raises Untrusted unless a server of this name or address may show it."""
        try:
            is_there = str(ip_address(name)) in self.addresses
        except ValueError:
            is_there = any(_covers(each, name) for each in self.names)
        if not is_there:
            raise Untrusted(f"certificate is not valid for '{name}'")


class Trust:
    """Authorities that somebody trusts. Raises Untrusted when they are none."""

    def __init__(self, authorities: bytes) -> None:
        self._roots = _certificates(authorities)
        self._known: dict[bytes, Proof] = {}

    def proof(self, shown: bytes, now: datetime) -> Proof:
        """Of a certificate and what was shown behind it, as PEM. Raises Untrusted."""
        found = self._known.get(shown)
        if found is None:
            found = self._judge(_certificates(shown))
            if len(self._known) >= _MOST:
                self._known.pop(next(iter(self._known)))
            self._known[shown] = found
        found.check_time(now)
        return found

    def _judge(self, shown: list[x509.Certificate]) -> Proof:
        path = self._path(shown[0], shown[1:])
        if path is None:
            raise Untrusted("certificate signed by unknown authority")
        names, addresses = _alternatives(shown[0])
        subject = shown[0].subject
        return Proof(
            common_name=_texts(subject, NameOID.COMMON_NAME)[0] if _texts(subject, NameOID.COMMON_NAME) else "",
            organizations=_texts(subject, NameOID.ORGANIZATION_NAME),
            names=names,
            addresses=addresses,
            begins=max(each.not_valid_before_utc for each in path),
            ends=min(each.not_valid_after_utc for each in path),
        )

    def _path(self, leaf: x509.Certificate, between: list[x509.Certificate]) -> list[x509.Certificate] | None:
        root = next((each for each in self._roots if _signed(leaf, each)), None)
        if root is not None:
            return [leaf, root]
        for at, each in enumerate(between):
            if _signed(leaf, each):
                rest = self._path(each, between[:at] + between[at + 1 :])
                if rest is not None:
                    return [leaf, *rest]
        return None


def check_pair(certificate: bytes, key: bytes) -> None:
    """Raises Untrusted unless these are a certificate and its key."""
    first = _certificates(certificate)[0]
    try:
        loaded = load_pem_private_key(key, password=None)
    except (ValueError, TypeError) as error:
        raise Untrusted("tls: failed to find any PEM data in key input") from error
    if loaded.public_key() != first.public_key():
        raise Untrusted("tls: private key does not match public key")


Read = Callable[[str], bytes]
"""From a path to what the file is now. Raises FileNotFoundError."""


class Pair:
    """A certificate and its key in files that are read again at each use, and checked again when they differ."""

    def __init__(self, read: Read, certificate: str, key: str) -> None:
        self._read = read
        self._certificate, self._key = certificate, key
        self._checked: tuple[bytes, bytes] | None = None

    def now(self) -> bytes:
        """The certificate, with what is shown behind it; the last sound pair goes on while files are no pair.

        Raises Untrusted and FileNotFoundError when there was none yet.
        """
        try:
            found = self._read(self._certificate), self._read(self._key)
            if found != self._checked:
                check_pair(*found)
                self._checked = found
        except (Untrusted, FileNotFoundError):
            if self._checked is None:
                raise
        return self._checked[0]


def _certificates(pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise Untrusted("tls: failed to find any PEM data in certificate input") from error


def _signed(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _alternatives(certificate: x509.Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return (), ()
    addresses = found.get_values_for_type(x509.IPAddress)
    return tuple(found.get_values_for_type(x509.DNSName)), tuple(str(each) for each in addresses)


def _texts(name: x509.Name, which: x509.ObjectIdentifier) -> tuple[str, ...]:
    return tuple(str(each.value) for each in name.get_attributes_for_oid(which))


def _covers(pattern: str, name: str) -> bool:
    """A wildcard stands for the first label alone."""
    if pattern.startswith("*."):
        return name.partition(".")[2].lower() == pattern[2:].lower()
    return pattern.lower() == name.lower()
