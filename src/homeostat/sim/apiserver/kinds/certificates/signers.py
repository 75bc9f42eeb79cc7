"""Who may approve and sign for a signer of certificates, and what no certificate of a client may say.

A real server asks this in plugins of admission (CertificateApproval, CertificateSigning, CertificateSubjectRestriction)
beside the rights on the requests themselves: for the signer's own name, or for all of its domain (`example.com/*`).
"""

from __future__ import annotations

from cryptography.x509.oid import NameOID

from homeostat.sim.apiserver.access.attributes import Attributes, User
from homeostat.sim.apiserver.access.roles import Roles
from homeostat.sim.apiserver.kinds.certificates.judging import content, parsed
from homeostat.sim.apiserver.refusing import Refused
from homeostat.sim.apiserver.types.type import Value

GROUP, PLURAL = "certificates.k8s.io", "certificatesigningrequests"
OF_CLIENTS = "kubernetes.io/kube-apiserver-client"
_ADMINISTRATORS = "system:masters"


def check_approval(roles: Roles, user: User, value: Value) -> None:
    """Whether a user decides what the signer of a request signs. Raises Refused."""
    _check(roles, user, value, "approve")


def check_signature(roles: Roles, user: User, value: Value) -> None:
    """Whether a user is the signer of a request. Raises Refused."""
    _check(roles, user, value, "sign")


def check_subject(value: Value) -> None:
    """Nobody is to become an administrator by a certificate that he asks for. Raises Refused."""
    spec = value["spec"]
    if spec.get("signerName") != OF_CLIENTS:
        return
    subject = parsed(content(spec.get("request"))).subject
    if any(each.value == _ADMINISTRATORS for each in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)):
        raise _forbidden(value, f"use of {OF_CLIENTS} signer with {_ADMINISTRATORS} group is not allowed")


def _check(roles: Roles, user: User, value: Value, verb: str) -> None:
    signer = value["spec"].get("signerName", "")
    for name in (signer, f"{signer.partition('/')[0]}/*"):
        if roles.allow(user, Attributes(verb=verb, group=GROUP, resource="signers", name=name)):
            return
    raise _forbidden(value, f'user not permitted to {verb} requests with signerName "{signer}"')


def _forbidden(value: Value, why: str) -> Refused:
    name = value["metadata"].get("name", "")
    text = f'{PLURAL}.{GROUP} "{name}" is forbidden: {why}'
    return Refused(403, "Forbidden", text, group=GROUP, kind=PLURAL, name=name)
