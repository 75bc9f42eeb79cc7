"""Certificates are made once, renewed in time, and change their authority without anybody meeting a stranger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from homeostat.kit.pki.authority import Request
from homeostat.runtime.webhook.certificates import (
    AUTHORITY,
    Held,
    Lifetimes,
    Step,
    authorities_in,
    bundle_of,
    first,
    next_step,
    served_by,
)
from homeostat.runtime.webhook.configuration import ServiceAddress

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
WANTED = Request(AUTHORITY, "hooks", dns_names=("hooks.system.svc",))
TIMES = Lifetimes(authority=100 * DAY, leaf=20 * DAY, renewed_before=5 * DAY, settled_after=timedelta(hours=1))


def step(entries: dict[str, bytes], at: datetime, *, trusts: bool = True, wanted: Request = WANTED) -> Step | None:
    """The next step when the configuration trusts all there is, or nothing."""
    trusted = authorities_in(bundle_of(entries)) if trusts else frozenset[bytes]()
    return next_step(Held(entries, wanted, at, TIMES, trusted))


def changed(entries: dict[str, bytes], at: datetime) -> dict[str, bytes]:
    """The entries after the next step, which there must be."""
    found = step(entries, at)
    assert found is not None
    return dict(found.entries)


def test_what_is_made_first_is_sound_and_left_alone() -> None:
    entries = first(WANTED, NOW, TIMES)
    assert set(entries) == {"ca.crt", "ca.key", "tls.crt", "tls.key"}
    assert step(entries, NOW) is None
    assert served_by(entries).signer in authorities_in(bundle_of(entries))


def test_the_leaf_is_renewed_alone_and_in_time() -> None:
    entries = first(WANTED, NOW, TIMES)
    assert step(entries, NOW + 14 * DAY) is None
    later = changed(entries, NOW + 16 * DAY)
    assert later["ca.crt"] == entries["ca.crt"]
    assert served_by(later).not_after == NOW + 36 * DAY


def test_a_leaf_for_the_service_that_is_deployed_does_not_name_itself_as_its_signer() -> None:
    """OpenSSL, and so every client but those of Go, would take it for one that has signed itself."""
    entries = first(ServiceAddress("homeostat-system", "homeostat-webhooks").certificate(), NOW, TIMES)
    leaf = x509.load_pem_x509_certificate(entries["tls.crt"])
    assert leaf.subject != leaf.issuer


def test_another_name_gets_another_leaf() -> None:
    other = Request(AUTHORITY, "hooks", dns_names=("other.system.svc",))
    found = step(first(WANTED, NOW, TIMES), NOW, wanted=other)
    assert found is not None
    assert found.entries["ca.crt"]


def test_an_authority_is_replaced_in_three_steps_and_no_bundle_ever_lacks_who_signed_the_leaf() -> None:
    entries, now = first(WANTED, NOW, TIMES), NOW + 76 * DAY
    entries = changed(entries, now)  # the leaf has run out meanwhile, but the authority comes first
    assert "next-ca.key" in entries
    entries = changed(entries, now)
    before = served_by(entries)
    assert step(entries, now) is None
    assert len(authorities_in(bundle_of(entries))) == 2
    now += timedelta(hours=1)
    assert step(entries, now, trusts=False) is None  # the configuration could not be applied: nobody may meet it
    entries = changed(entries, now)
    after = served_by(entries)
    assert after.signer != before.signer
    assert {before.signer, after.signer} == authorities_in(bundle_of(entries))
    assert not [name for name in entries if name.startswith("next-ca")]
    assert step(entries, now) is None
    entries = changed(entries, now + timedelta(hours=1))
    assert authorities_in(bundle_of(entries)) == {after.signer}
    assert step(entries, now + timedelta(hours=1)) is None


@settings(max_examples=15)
@given(st.lists(st.integers(1, 4), min_size=30, max_size=60))
def test_whenever_it_is_looked_at_the_leaf_is_signed_by_who_is_trusted_and_never_outlives_it(days: list[int]) -> None:
    entries, now = first(WANTED, NOW, TIMES), NOW
    for pause in days:
        now += pause * DAY
        while (found := step(entries, now)) is not None:
            entries = dict(found.entries)
        pair = served_by(entries)
        assert pair.not_after > now
        assert pair.signer in authorities_in(bundle_of(entries))
        assert pair.not_after <= x509.load_pem_x509_certificate(pair.signer).not_valid_after_utc


@pytest.mark.parametrize("entry", ["ca.crt", "ca.key"])
@pytest.mark.parametrize("content", [None, b"garbage"])
def test_a_damaged_authority_is_made_anew_and_what_can_be_read_of_it_stays_trusted(
    entry: str, content: bytes | None
) -> None:
    whole = first(WANTED, NOW, TIMES)
    entries = {name: value for name, value in {**whole, entry: content}.items() if value is not None}
    found = step(entries, NOW)
    assert found is not None
    assert entry in found.why
    assert found.entries["ca.crt"] != whole["ca.crt"]
    assert (found.entries.get("old-ca.crt") == whole["ca.crt"]) is (entry == "ca.key")
    assert step(dict(found.entries), NOW) is None


@pytest.mark.parametrize("entry", ["tls.crt", "tls.key"])
def test_a_damaged_leaf_is_issued_again(entry: str) -> None:
    entries = first(WANTED, NOW, TIMES)
    mended = changed({**entries, entry: b""}, NOW)
    assert mended["ca.crt"] == entries["ca.crt"]
    assert step(mended, NOW) is None


def test_who_makes_new_certificates_names_whom_is_still_served() -> None:
    old = served_by(first(WANTED, NOW, TIMES))
    entries = first(WANTED, NOW, TIMES, old.signer)
    assert authorities_in(bundle_of(entries)) == {old.signer, served_by(entries).signer}


def test_a_pair_never_shows_its_key() -> None:
    pair = served_by(first(WANTED, NOW, TIMES))
    assert "PRIVATE" not in repr(pair)


def test_a_bundle_that_is_not_pem_trusts_nobody() -> None:
    assert authorities_in(b"") == frozenset()
    assert authorities_in(b"garbage") == frozenset()
