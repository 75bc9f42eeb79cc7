"""Keys of simulations follow from the seed; all others come from the operating system, also beside a simulation."""

from __future__ import annotations

from datetime import UTC, datetime

from homeostat.kit.pki.authority import Request, issue, new_authority, read_signer
from homeostat.kit.pki.source import OperatingSystem, drawn_from, source
from homeostat.kit.random import seeded_random
from homeostat.sim.keys import SeededKeys

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def made() -> tuple[bytes, ...]:
    """An authority, a certificate of it, and a token."""
    authority = new_authority("ca", NOW)
    signer = read_signer({"ca.crt": authority[0], "ca.key": authority[1]}, "ca")
    return (*authority, *issue(signer, Request("ca", "someone"), NOW), source().token(32))


def of_seed(seed: int) -> tuple[bytes, ...]:
    with drawn_from(SeededKeys(seeded_random(seed))):
        return made()


def test_one_seed_gives_the_same_keys_certificates_and_tokens() -> None:
    assert of_seed(1) == of_seed(1)
    assert not set(of_seed(1)) & set(of_seed(2))


def test_no_two_keys_of_a_seed_are_alike() -> None:
    keys = SeededKeys(seeded_random(1))
    assert len({keys.key().private_numbers().private_value for _ in range(100)}) == 100
    assert len({keys.number() for _ in range(100)}) == 100


def test_outside_of_a_simulation_keys_are_the_operating_systems() -> None:
    of_seed(1)
    assert isinstance(source(), OperatingSystem)
    assert not set(made()) & set(made())
