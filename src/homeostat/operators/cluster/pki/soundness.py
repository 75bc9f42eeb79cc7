"""Whether what a Secret holds is whole: entries there, keys and certificates fitting, signed by our authority, valid.

Judging costs a few signature checks, so a caller keeps the verdict per version of the Secrets.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from cryptography import x509

from homeostat.kit.pki.authority import Damaged, Request, read_certificate, read_key
from homeostat.kit.pki.soundness import check_certificate, check_pair
from homeostat.operators.cluster.names import KUBECONFIG_KEY
from homeostat.operators.cluster.pki.kubeconfig import read_kubeconfig
from homeostat.operators.cluster.pki.leaves import Kubeconfig, Leaf, chain_of
from homeostat.operators.cluster.pki.lifetimes import EXPIRED


def check_leaf(leaf: Leaf, entries: Mapping[str, bytes], authority: Mapping[str, bytes], now: datetime) -> None:
    """Raise Damaged unless a leaf Secret holds what `leaf` asks for, signed by these authorities and valid now.

    `authority` is the material of a state of a rotation (material.py).
    """
    for name, request in leaf.pairs:
        certificate = check_pair(entries, name)
        check_certificate(f"{name}.crt", certificate, request, _signer(authority, request), now, EXPIRED)
        if not entries[f"{name}.crt"].endswith(chain_of(request, authority)):
            raise Damaged(f"{name}.crt lacks the certificate that leads to the authority of before")
    for entry in leaf.copies:
        if entries.get(entry) != authority.get(entry):
            raise Damaged(f"{entry} is not the authority's")
    if leaf.kubeconfig is not None:
        _check_kubeconfig(leaf.kubeconfig, entries.get(KUBECONFIG_KEY, b""), authority, now)


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
    check_certificate(KUBECONFIG_KEY, certificate, wanted.user, _signer(authority, wanted.user), now, EXPIRED)


def _signer(authority: Mapping[str, bytes], request: Request) -> x509.Certificate:
    return read_certificate(authority, f"{request.authority}.crt")
