"""Requests of certificates, as clients make them."""

from __future__ import annotations

import base64

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from homeostat.api.kind import Resource, unstructured

REQUESTS = unstructured(
    Resource("certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests", namespaced=False)
)
BINDINGS = unstructured(
    Resource("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False)
)


def asked(name: str, *groups: str, key: CertificateIssuerPrivateKeyTypes | None = None) -> str:
    """A request to be known by a name and in groups: PEM, as JSON has bytes."""
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    subject = x509.Name([*names, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    key = key or ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return encoded(made.public_bytes(Encoding.PEM))


def encoded(content: bytes) -> str:
    """Bytes as JSON has them."""
    return base64.b64encode(content).decode()
