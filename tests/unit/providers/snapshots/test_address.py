"""Addresses of stores: what they mean, and what is no address."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeostat.providers.snapshots.address import BadAddress, DirectoryAddress, read_address


def test_a_file_address_is_a_directory() -> None:
    assert read_address("file:///var/lib/snapshots") == DirectoryAddress(Path("/var/lib/snapshots"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/var/lib/snapshots", "expected file:///directory"),
        ("ftp://host/snapshots", "expected file:///directory"),
        ("file://host/snapshots", "expected file:/// and an absolute directory"),
        ("file:snapshots", "expected file:/// and an absolute directory"),
        ("file:///snapshots/../etc", "expected file:/// and an absolute directory"),
        ("file:///snapshots?mode=700", "expected file:/// and an absolute directory"),
        ("s3://who:secret@bucket/x", "expected an address without credentials"),
    ],
)
def test_what_is_no_address_is_refused_with_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(BadAddress, match=said) as caught:
        read_address(text)
    assert "secret" not in str(caught.value)
