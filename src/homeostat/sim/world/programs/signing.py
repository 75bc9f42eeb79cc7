"""What kube-controller-manager signs in a business cluster: certificates of clients, once somebody has approved them.

Of the signers that a real one plays, `kubernetes.io/kube-apiserver-client` alone: requests of kubelets stay as they
are, and old requests are not taken away. A certificate lasts for as long as its request asks, no longer than
`--cluster-signing-duration`, and never outlives its authority. It is valid from five minutes ago: clocks differ.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from homeostat.kit.pki.authority import LEAF_LIFE, Signer, certify
from homeostat.kit.pki.source import drawn_from
from homeostat.kit.random import Random
from homeostat.sim.apiserver.access.attributes import AUTHENTICATED, User
from homeostat.sim.apiserver.server import ApiServer, Request
from homeostat.sim.keys import SeededKeys

REQUESTS = ("certificates.k8s.io", "certificatesigningrequests")
_PATH = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
_SIGNER = "kubernetes.io/kube-apiserver-client"
_CONTROLLER = User("system:serviceaccount:kube-system:certificate-controller", ("system:masters", AUTHENTICATED))
_LEAST, _BACKDATED, _SHORT = timedelta(minutes=10), timedelta(minutes=5), timedelta(hours=8)
_CLIENT, _ALLOWED = "client auth", frozenset({"client auth", "digital signature", "key encipherment"})
_PART = re.compile(r"(?P<number>[0-9.]+)(?P<unit>[hms])")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}


def sign_all(server: ApiServer, signer: Callable[[], Signer], *, longest: str, now: datetime, random: Random) -> None:
    """Sign what waits for it; who signs is asked for only then."""
    for value in list(_waiting(server)):
        fault = _fault(value["spec"])
        if fault:
            failed = {"type": "Failed", "status": "True", "reason": "SignerValidationFailure", "message": fault}
            conditions = [*value["status"]["conditions"], failed]
            _write(server, value, {"conditions": conditions})
        else:
            with drawn_from(SeededKeys(random)):
                made = signed(value["spec"], signer(), now, _lasting(longest))
            _write(server, value, {"certificate": b64encode(made).decode()})


def signed(spec: Mapping[str, Any], signer: Signer, now: datetime, longest: timedelta) -> bytes:
    """The certificate that a request asks for, as PEM."""
    asked, seconds = x509.load_pem_x509_csr(b64decode(spec["request"])), spec.get("expirationSeconds")
    life = longest if seconds is None else min(max(timedelta(seconds=seconds), _LEAST), longest)
    begins = now - _BACKDATED
    ends = now + life if life < _SHORT else begins + life
    return certify(signer, asked, _usage(spec["usages"]), [ExtendedKeyUsageOID.CLIENT_AUTH], (begins, ends))


def _waiting(server: ApiServer) -> Iterator[dict[str, Any]]:
    for record in server.store.shelf(REQUESTS).within(""):
        value = record.value(b"")
        types = {each["type"] for each in value["status"].get("conditions") or ()}
        is_decided = "Approved" in types and not types & {"Denied", "Failed"}
        if is_decided and value["spec"]["signerName"] == _SIGNER and not value["status"].get("certificate"):
            yield value


def _fault(spec: Mapping[str, Any]) -> str:
    unfit = [each for each in spec["usages"] if each not in _ALLOWED]
    if unfit:
        return f"usages of clients are {', '.join(sorted(_ALLOWED))}; found {', '.join(unfit)}"
    return "" if _CLIENT in spec["usages"] else f"usages of clients must have {_CLIENT}"


def _usage(usages: list[str]) -> x509.KeyUsage | None:
    signs, enciphers = "digital signature" in usages, "key encipherment" in usages
    if not signs and not enciphers:
        return None
    others = dict.fromkeys(
        ("content_commitment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign"), False
    )
    return x509.KeyUsage(
        digital_signature=signs, key_encipherment=enciphers, encipher_only=False, decipher_only=False, **others
    )


def _lasting(longest: str) -> timedelta:
    """A flag's duration, as Go writes it; a year without it."""
    parts = [float(each["number"]) * _UNITS[each["unit"]] for each in _PART.finditer(longest)]
    return timedelta(seconds=sum(parts)) if parts else LEAF_LIFE


def _write(server: ApiServer, value: Mapping[str, Any], status: Mapping[str, Any]) -> None:
    """One that has changed or gone meanwhile is looked at again, or not at all."""
    metadata = {"resourceVersion": value["metadata"]["resourceVersion"]}
    headers = {"content-type": "application/merge-patch+json", "user-agent": "kube-controller-manager"}
    path = f"{_PATH}/{value['metadata']['name']}/status"
    body = msgspec.json.encode({"metadata": metadata, "status": status})
    server.answer_at_once(Request(method="PATCH", path=path, headers=headers, body=body), _CONTROLLER)
