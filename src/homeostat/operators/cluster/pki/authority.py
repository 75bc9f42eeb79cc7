"""The authorities of one cluster: its own, etcd's and the front proxy's, and the key that signs service account tokens.

They are made once and never made anew: every client of a cluster that has data would be cut off.
"""

from __future__ import annotations

from datetime import datetime

from homeostat.kit.pki.authority import key_pem, new_authority, new_key

AUTHORITIES = {"ca": "kubernetes", "etcd-ca": "etcd", "front-proxy-ca": "front-proxy"}
TOKEN_KEY = "sa.key"  # noqa: S105  (the name of an entry)


def new_authorities(now: datetime) -> dict[str, bytes]:
    """The content of the Secret of authorities, by entry."""
    entries: dict[str, bytes] = {TOKEN_KEY: key_pem(new_key())}
    for entry, name in AUTHORITIES.items():
        entries[f"{entry}.crt"], entries[f"{entry}.key"] = new_authority(name, now)
    return entries
