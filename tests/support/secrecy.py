"""Private keys in every form in which they could be copied to where they do not belong."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import yaml

ENOUGH = 40  # characters of a key that are nobody else's


def private(secret: dict[str, Any]) -> Iterator[str]:
    """Pieces of all private keys of a Secret."""
    for entry, value in (secret.get("data") or {}).items():
        content = b64decode(value)
        if entry == "kubeconfig":
            yield from pieces(b64decode(yaml.safe_load(content)["users"][0]["user"]["client-key-data"]))
        elif entry == "encryption.yaml":
            boxes = [each["secretbox"] for each in yaml.safe_load(content)["resources"][0]["providers"][:-1]]
            yield from (key["secret"] for box in boxes for key in box["keys"])
        elif entry.endswith(".key"):
            yield from pieces(content)


def pieces(key: bytes) -> Iterator[str]:
    """Of one key: its lines, and the end of it in base64 and in hexadecimal digits."""
    yield b64encode(key).decode()[-ENOUGH:]
    lines = [line for line in key.decode("latin-1").splitlines() if len(line) >= ENOUGH and "-----" not in line]
    yield from (line[:ENOUGH] for line in lines)
    yield key.hex()[-ENOUGH:]
