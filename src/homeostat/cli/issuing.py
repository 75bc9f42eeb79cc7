"""Short-lived kubeconfigs: a certificate that a business cluster signs for a key that is made here and stays here.

Whoever may read the administrator's Secret in the cell may ask; the cluster's own controller manager signs, for as long
as is asked. What is handed out can neither be renewed nor sign for others, and names who asked for it, so the audit
log tells people apart.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from secrets import token_hex
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from msgspec import Struct

from homeostat.api.kind import Resource, unstructured
from homeostat.cli.exits import CliError, Exit
from homeostat.cli.session import FIELD_MANAGER, Session
from homeostat.kit.pki.authority import key_pem, new_key
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.config import from_kubeconfig_bytes
from homeostat.kube.connect import connect
from homeostat.kube.errors import NotFound
from homeostat.operators.cluster.pki.kubeconfig import write_kubeconfig

ADMINS = (
    "homeostat:admins"  # may do everything, by a binding that can be taken away; Kubernetes signs no system:masters
)
SHORTEST_S = 600.0  # Kubernetes signs for no less
_SIGNER = "kubernetes.io/kube-apiserver-client"
_WITHIN_S, _EVERY_S = 30.0, 0.2

_REQUEST = unstructured(
    Resource("certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests", namespaced=False)
)
_REVIEW = unstructured(
    Resource("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", namespaced=False)
)
_BINDING = unstructured(
    Resource("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False)
)


class Holder(Struct, frozen=True):
    """For whom a kubeconfig is, and for how long."""

    user: str
    groups: tuple[str, ...]
    ttl_s: float


async def whoami(session: Session) -> str:
    """The name that the cell knows the asker by, marked as the cell's: it is nobody's name in a business cluster."""
    review = await session.client.create(_REVIEW, {"metadata": {}})
    return f"cell:{review['status']['userInfo']['username']}"


async def issue(session: Session, admin: bytes, holder: Holder) -> bytes:
    """A kubeconfig for a holder, signed by the cluster that the administrator's kubeconfig leads to."""
    config = from_kubeconfig_bytes(admin)
    key = new_key()
    names = [x509.NameAttribute(NameOID.COMMON_NAME, holder.user)]
    names += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in holder.groups]
    asked = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names)).sign(key, hashes.SHA256())
    name = f"homeostat-{token_hex(8)}"
    async with connect(config, clock=session.clock, random=system_random(), field_manager=FIELD_MANAGER) as client:
        if ADMINS in holder.groups:
            await client.apply(_BINDING, _binding(), force=True)
        spec = {
            "request": b64encode(asked.public_bytes(Encoding.PEM)).decode(),
            "signerName": _SIGNER,
            "usages": ["client auth"],
            "expirationSeconds": int(holder.ttl_s),
        }
        await client.create(_REQUEST, {"metadata": {"name": name}, "spec": spec})
        try:
            certificate = await _signed(session, client, name)
        finally:
            await _forget(client, name)
    return write_kubeconfig(config.server, holder.user, ca=config.ca, certificate=certificate, key=key_pem(key))


async def _signed(session: Session, client: Client, name: str) -> bytes:
    condition = {
        "type": "Approved",
        "status": "True",
        "reason": "Homeostat",
        "message": "asked for by an administrator",
    }
    await client.merge_patch(_REQUEST, name, {"status": {"conditions": [condition]}}, subresource="approval")
    try:
        async with session.clock.timeout(_WITHIN_S):
            while True:
                status: dict[str, Any] = (await client.get(_REQUEST, name)).get("status", {})
                if status.get("certificate"):
                    return b64decode(status["certificate"])
                failed = [each for each in status.get("conditions", ()) if each["type"] in ("Failed", "Denied")]
                if failed:
                    raise CliError(
                        f"the cluster does not sign: {failed[0].get('message', failed[0]['type'])}", Exit.REFUSED
                    )
                await session.clock.sleep(_EVERY_S)
    except TimeoutError:
        raise CliError(
            f"the cluster did not sign within {_WITHIN_S:.0f} s",
            remedy="look whether its controller manager is well; --admin gives the operator's own kubeconfig meanwhile",
        ) from None


async def _forget(client: Client, name: str) -> None:
    try:
        await client.delete(_REQUEST, name)
    except NotFound:
        return


def _binding() -> dict[str, Any]:
    return {
        "metadata": {"name": ADMINS},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": ADMINS}],
    }
