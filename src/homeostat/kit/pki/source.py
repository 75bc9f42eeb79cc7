"""Where keys, their certificates' numbers and other secrets come from: the operating system, and nothing else.

A simulation, whose secrets protect nothing, puts a source of its own in its place, so that one seed gives one history.
It does so for its own tasks alone: the place is a context variable, and whoever is started outside of it has the
operating system's.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec


class Source(Protocol):
    """What secrets are drawn from."""

    signs_alike: bool  # whether one key signs the same bytes with the same signature, as RFC 6979 has it

    def key(self) -> ec.EllipticCurvePrivateKey:
        """A private key on P-256."""
        ...

    def number(self) -> int:
        """A certificate's serial number."""
        ...

    def token(self, size: int) -> bytes:
        """So many bytes."""
        ...


class OperatingSystem:
    """The machine's own randomness."""

    signs_alike = False

    def key(self) -> ec.EllipticCurvePrivateKey:
        """A private key on P-256 that nobody can guess."""
        return ec.generate_private_key(ec.SECP256R1())

    def number(self) -> int:
        """A serial number that no other certificate has."""
        return x509.random_serial_number()

    def token(self, size: int) -> bytes:
        """Bytes that nobody can guess."""
        return secrets.token_bytes(size)


_SOURCE: ContextVar[Source] = ContextVar("homeostat.kit.pki.source", default=OperatingSystem())  # noqa: B039  (has no state)


def source() -> Source:
    """What this task draws from."""
    return _SOURCE.get()


@contextmanager
def drawn_from(another: Source) -> Iterator[None]:
    """Within the block, and in tasks that are started in it, secrets come from another source: for simulations."""
    token = _SOURCE.set(another)
    try:
        yield
    finally:
        _SOURCE.reset(token)
