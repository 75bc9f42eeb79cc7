"""Shares of a span for many of a kind, so that what they do from time to time does not come in waves."""

from __future__ import annotations

import hashlib


def share_of(name: str) -> float:
    """Evenly from 0 to 1, by the name, and always the same for it."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / (1 << 32)
