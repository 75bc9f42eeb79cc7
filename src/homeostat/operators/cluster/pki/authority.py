"""The keys of one cluster that everything else comes from: its authorities, the token key, the key of its Secrets.

They are made once and never made anew: every client of a cluster that has data would be cut off, and its Secrets lost.
A rotation (states.py) replaces them, with both known in between.
"""

from __future__ import annotations

from datetime import datetime

from homeostat.operators.cluster.pki.material import new_keys
from homeostat.operators.cluster.pki.states import KINDS


def new_authorities(now: datetime) -> dict[str, bytes]:
    """The content of the Secret of authorities, by entry."""
    return {entry: value for kind in KINDS for entry, value in new_keys(kind, now).items()}
