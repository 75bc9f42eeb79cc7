"""How long a signed certificate lasts, what it says, and that a seed makes the same one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from tests.support.requesting import asked

from homeostat.kit.pki.authority import Signer, new_authority, new_key, read_signer
from homeostat.kit.pki.source import drawn_from
from homeostat.kit.random import seeded_random
from homeostat.sim.keys import SeededKeys
from homeostat.sim.world.programs.signing import signed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
MINUTES, HOURS = timedelta(minutes=1), timedelta(hours=1)


def authority(life: timedelta = 10 * YEAR) -> Signer:
    certificate, key = new_authority("ca", NOW, life)
    return read_signer({"ca.crt": certificate, "ca.key": key}, "ca")


def certificate(signer: Signer, longest: timedelta = YEAR, **spec: Any) -> x509.Certificate:
    whole = {"request": asked("ann", "readers"), "usages": ["client auth"], **spec}
    return x509.load_pem_x509_certificate(signed(whole, signer, NOW, longest))


@pytest.mark.parametrize(
    ("seconds", "longest", "lasts"),
    [
        (None, YEAR, YEAR - 5 * MINUTES),
        (60, YEAR, 10 * MINUTES),
        (3600, YEAR, HOURS),
        (86400, YEAR, 24 * HOURS - 5 * MINUTES),
        (86400, 2 * HOURS, 2 * HOURS),
        (800 * 86400, YEAR, YEAR - 5 * MINUTES),
    ],
)
def test_a_certificate_lasts_as_long_as_is_asked_within_bounds(
    seconds: int | None, longest: timedelta, lasts: timedelta
) -> None:
    made = certificate(authority(), longest, expirationSeconds=seconds)
    assert made.not_valid_before_utc == NOW - 5 * MINUTES
    assert made.not_valid_after_utc - NOW == lasts


def test_a_certificate_does_not_outlive_its_authority() -> None:
    assert certificate(authority(life=HOURS)).not_valid_after_utc == NOW + HOURS


def test_a_certificate_says_who_its_holder_is_and_what_it_is_for() -> None:
    signer = authority()
    made = certificate(signer, usages=["client auth", "digital signature"])
    made.verify_directly_issued_by(signer.certificate)
    assert made.subject.rfc4514_string() == "CN=ann,O=readers"
    usage = made.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_encipherment, usage.key_cert_sign) == (True, False, False)
    uses = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_one_seed_makes_one_certificate() -> None:
    def made() -> bytes:
        with drawn_from(SeededKeys(seeded_random(7))):
            spec = {"request": asked("ann", key=new_key()), "usages": ["client auth"]}
            return signed(spec, authority(), NOW, YEAR)

    assert made() == made()
