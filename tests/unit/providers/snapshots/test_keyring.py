"""Keys have ids with a date, the newest encrypts, and no key shows itself."""

from __future__ import annotations

from pathlib import Path

import pyrage
import pytest
from tests.support.snapshots import key

from homeostat.providers.snapshots.keyring import BadKeyRing, Key, KeyRing, is_id, load

SECRET = str(pyrage.x25519.Identity.generate())


def write(directory: Path, **files: str) -> Path:
    for name, content in files.items():
        (directory / name.replace("_", "-")).write_text(content)
    return directory


def test_the_newest_key_is_the_one_with_the_latest_date() -> None:
    ring = KeyRing([key("2026-02-01"), key("2026-11-23-eu"), key("2025-12-31")])
    assert ring.newest.id == "2026-11-23-eu"
    assert ring.ids == ("2025-12-31", "2026-02-01", "2026-11-23-eu")


def test_a_directory_holds_what_age_keygen_prints(tmp_path: Path) -> None:
    public = Key("2026-01-01", SECRET).recipient
    (tmp_path / "2026-01-01").write_text(f"# created: 2026-01-01T00:00:00Z\n# public key: {public}\n{SECRET}\n")
    (tmp_path / "..data").mkdir()
    (tmp_path / ".2026").write_text("of Kubernetes")
    assert load(tmp_path).newest.recipient == public


def test_a_ring_without_a_key_or_with_two_of_one_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadKeyRing, match="expected at least one key, found none"):
        load(tmp_path)
    with pytest.raises(BadKeyRing, match="two keys of one id"):
        KeyRing([key("2026-01-01"), key("2026-01-01")])
    with pytest.raises(BadKeyRing, match="mount the Secret"):
        load(tmp_path / "missing")


@pytest.mark.parametrize("name", ["", "mine", "2026-13-01", "2026-1-1", "2026-01-01-", "2026-01-01-UP", "2026-01-01/x"])
def test_an_id_without_a_date_is_refused(name: str) -> None:
    assert not is_id(name)
    with pytest.raises(BadKeyRing, match="expected an id such as 2026-11-23"):
        Key(name, SECRET)


@pytest.mark.parametrize(
    "content",
    ["", "age1publichalfonly", SECRET[:-3] + "QQQ", f"{SECRET}\n{SECRET}\n"],
    ids=["empty", "public", "damaged", "two"],
)
def test_what_is_no_key_is_refused_and_not_shown(tmp_path: Path, content: str) -> None:
    (tmp_path / "2026-01-01").write_text(content)
    with pytest.raises(BadKeyRing, match="key 2026-01-01: expected") as raised:
        load(tmp_path)
    assert "AGE-SECRET-KEY-1" + SECRET[16:30] not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_key_shows_its_id_only() -> None:
    made = Key("2026-01-01", SECRET)
    assert repr(made) == str(made) == "Key(2026-01-01)"
    assert repr(KeyRing([made])) == "KeyRing(2026-01-01)"


def test_a_seal_is_of_one_key_and_one_content() -> None:
    made = Key("2026-01-01", SECRET)
    seal = made.seal(b"content")
    assert Key("2026-01-02", SECRET).has_sealed(b"content", seal)
    assert not made.has_sealed(b"content!", seal)
    assert not key().has_sealed(b"content", seal)
    assert not made.has_sealed(b"content", "\u00e9")
