"""Keys that follow from a seed, for clusters that have nothing to protect."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from homeostat.kit.random import Random

_CURVE = ec.SECP256R1()
_WORD, _BYTE = 1 << 32, 1 << 8


class SeededKeys:
    """Satisfies `homeostat.kit.pki.source.Source`: one seed, one sequence of keys, and signatures that repeat."""

    signs_alike = True

    def __init__(self, random: Random) -> None:
        self._random = random

    def key(self) -> ec.EllipticCurvePrivateKey:
        """The next key; any number below the curve's order is one, and its first word keeps it there."""
        return ec.derive_private_key(self._integer(8) >> 1 | 1, _CURVE)

    def number(self) -> int:
        """The next serial number."""
        return self._integer(4) | 1

    def token(self, size: int) -> bytes:
        """The next bytes."""
        return bytes(self._random.randrange(0, _BYTE) for _ in range(size))

    def _integer(self, words: int) -> int:
        value = 0
        for _ in range(words):
            value = value * _WORD + self._random.randrange(0, _WORD)
        return value
