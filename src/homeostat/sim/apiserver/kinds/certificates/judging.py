"""What may stand in a request of a certificate, and what of it may change, in each way in which it is written.

Of a request or certificate that cannot be parsed the refusal is the same, in other words than those of Go's parser.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import (
    at_index,
    child,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    quoted,
    required,
    too_long,
)
from homeostat.sim.apiserver.schemas.rfc import dns_label_faults, dns_subdomain_faults
from homeostat.sim.apiserver.types.type import Value

APPROVED, DENIED, FAILED = "Approved", "Denied", "Failed"
_FINAL = (APPROVED, DENIED, FAILED)
_LEGACY = "kubernetes.io/legacy-unknown"
_LEAST_S = 600
_USAGES = (
    *("any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment"),
    *("decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel"),
    *("ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime"),
    *("server auth", "signing", "timestamping"),
)
_BLOCK = re.compile(rb"-----BEGIN (?P<type>[^\n-]*)-----[ \t\r]*\n(?P<body>.*?)\n?-----END (?P=type)-----", re.DOTALL)
# What is said of a signature that is of something else, by kinds of keys.
_FORGED: tuple[tuple[type, str], ...] = (
    (ed25519.Ed25519PublicKey, "x509: Ed25519 verification failure"),
    (rsa.RSAPublicKey, "crypto/rsa: verification error"),
)
_CONDITIONS, _CERTIFICATE = "status.conditions", "status.certificate"


def of_request(value: Value) -> Iterator[Cause]:
    """Faults of a request, whoever wrote it."""
    spec, status = value.get("spec", {}), value.get("status") or {}
    if fault := _request_fault(content(spec.get("request"))):
        yield invalid("spec.request", spec.get("request") or None, fault)
    yield from _of_usages(spec.get("usages") or ())
    yield from _of_signer(spec.get("signerName", ""))
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < _LEAST_S:
        text = f"may not specify a duration less than {_LEAST_S} seconds (10 minutes)"
        yield invalid("spec.expirationSeconds", seconds, text)
    yield from _of_conditions(status.get("conditions") or ())
    if fault := _certificate_fault(content(status.get("certificate"))):
        yield invalid(_CERTIFICATE, "<certificate data>", fault)


def of_change(value: Value, old: Value, *, approves: bool, signs: bool) -> Iterator[Cause]:
    """What of a status may not go, and what the way in which it is written does not let come."""
    new_types, old_types = _counted(value), _counted(old)
    for type_ in _FINAL:
        if new_types[type_] < old_types[type_]:
            yield forbidden(_CONDITIONS, f'updates may not remove a condition of type "{type_}"')
    if not approves:
        for type_ in (APPROVED, DENIED):
            if new_types[type_] > old_types[type_]:
                yield forbidden(_CONDITIONS, f'updates may not add a condition of type "{type_}"')
    given, before = result(value)[0], result(old)[0]
    if given != before and before:
        yield forbidden(_CERTIFICATE, "updates may not modify existing certificate content")
    elif given != before and not signs:
        yield forbidden(_CERTIFICATE, "updates may not set certificate content")


def keep_decisions(status: Value, before: Value) -> None:
    """Put back what was decided, where as much of it is there as there was."""
    for type_ in (APPROVED, DENIED):
        kept = [each for each in before.get("conditions") or () if each.get("type") == type_]
        places = [at for at, each in enumerate(status.get("conditions") or ()) if each.get("type") == type_]
        if len(kept) == len(places):
            for at, each in zip(places, kept, strict=True):
                status["conditions"][at] = dict(each)


def date(status: Value, before: Value, now: str) -> None:
    """Say of conditions when they were told, and since when they hold."""
    since = {
        (each.get("type"), each.get("status")): each["lastTransitionTime"]
        for each in reversed(before.get("conditions") or ())
        if each.get("lastTransitionTime")
    }
    for each in status.get("conditions") or ():
        each["lastUpdateTime"] = each.get("lastUpdateTime") or now
        held = since.get((each.get("type"), each.get("status")), now)
        each["lastTransitionTime"] = each.get("lastTransitionTime") or held


def result(value: Value) -> tuple[str, list[Value]]:
    """What became of a request: the certificate, and the conditions."""
    status = value.get("status") or {}
    return status.get("certificate") or "", list(status.get("conditions") or ())


def parsed(request: bytes) -> x509.CertificateSigningRequest:
    """A request in PEM. Raises ValueError, and UnsupportedAlgorithm for keys that nobody here knows."""
    block = _BLOCK.search(request)
    if block is None or block["type"] != b"CERTIFICATE REQUEST":
        raise ValueError("PEM block type must be CERTIFICATE REQUEST")
    return x509.load_pem_x509_csr(block.group())


def content(text: str | None) -> bytes:
    """Bytes as JSON has them; what cannot be read is refused before."""
    try:
        return base64.b64decode(text or "")
    except (binascii.Error, ValueError):
        return b""


def _request_fault(request: bytes) -> str:
    try:
        read = parsed(request)
        is_signed, key = read.is_signature_valid, read.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        return str(error)
    if is_signed:
        return ""
    return next((said for kind, said in _FORGED if isinstance(key, kind)), "x509: ECDSA verification failure")


def _certificate_fault(certificate: bytes) -> str:
    if not certificate:
        return ""
    blocks = list(_BLOCK.finditer(certificate))
    for block in blocks:
        if block["type"] != b"CERTIFICATE":
            return f"only CERTIFICATE PEM blocks are allowed, found {quoted(block['type'].decode(errors='replace'))}"
        if b":" in block["body"]:
            return "no PEM block headers are permitted"
        try:
            x509.load_pem_x509_certificate(block.group())
        except ValueError as error:
            return str(error)
    return "" if blocks else "must contain at least one CERTIFICATE PEM block"


def _of_usages(usages: Iterable[str]) -> Iterator[Cause]:
    if not usages:
        yield required("spec.usages")
    seen: set[str] = set()
    for index, usage in enumerate(usages):
        place = at_index("spec.usages", index)
        if usage not in _USAGES:
            yield not_supported(place, usage, _USAGES)
        if usage in seen:
            yield duplicate(place, usage)
        seen.add(usage)


def _of_signer(name: str) -> Iterator[Cause]:
    place = "spec.signerName"
    if name == _LEGACY:
        yield invalid(place, name, "the legacy signerName is not allowed via this API version")
        return
    if not name:
        yield required(place)
        return
    domain, *path = name.split("/")
    if len(path) != 1:
        yield invalid(place, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")
        return
    if len(domain) > 253:
        yield too_long(place, 253)
    yield from _of_labels(place, domain, dns_label_faults)
    if "." not in domain:
        yield invalid(place, domain, "should be a domain with at least two segments separated by dots")
    yield from _of_labels(place, path[0], dns_subdomain_faults)
    longest = 253 + 1 + 253 + 63 + 1  # a label may stand before the path's own name
    if len(name) > longest:
        yield too_long(place, longest)


def _of_labels(place: str, name: str, faults_of: Callable[[str], list[str]]) -> Iterator[Cause]:
    """The faults of the first label that has any."""
    for label in name.split("."):
        faults = faults_of(label)
        yield from (invalid(place, name, f"validating label {quoted(label)}: {fault}") for fault in faults)
        if faults:
            return


def _of_conditions(conditions: Iterable[Value]) -> Iterator[Cause]:
    seen: list[str] = []
    for index, each in enumerate(conditions):
        place, type_, status = at_index(_CONDITIONS, index), each.get("type", ""), each.get("status", "")
        if not type_:
            yield required(child(place, "type"))
        known = ("True",) if type_ in _FINAL else ("False", "True", "Unknown")
        if not status:
            yield required(child(place, "status"))
        elif status not in known:
            yield not_supported(child(place, "status"), status, known)
        other = {APPROVED: DENIED, DENIED: APPROVED}.get(type_)
        if other in seen:
            yield invalid(_CONDITIONS, type_, "Approved and Denied conditions are mutually exclusive")
        if type_ in seen:
            yield duplicate(child(place, "type"), type_)
        seen.append(type_)


def _counted(value: Value) -> Counter[str]:
    return Counter(each.get("type", "") for each in (value.get("status") or {}).get("conditions") or ())
