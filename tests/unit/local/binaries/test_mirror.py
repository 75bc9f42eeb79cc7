"""HOMEOSTAT_MIRROR is an address or an error that says how one looks; what it keeps secret is told to nobody."""

from __future__ import annotations

import pytest

from homeostat.local.binaries.errors import BinariesError
from homeostat.local.binaries.mirror import Mirror, shown


@pytest.mark.parametrize(
    "address",
    [
        "http://mirror",
        "https://mirror.example.com/below/this/",
        "http://127.0.0.1:8080",
        "http://[::1]:8080/releases",
        "https://user:secret@mirror.example.com",
    ],
)
def test_addresses_are_taken(address: str) -> None:
    assert Mirror(address).url("github", "a/b") == f"{address.rstrip('/')}/a/b"


@pytest.mark.parametrize(
    "address",
    [
        "mirror.example.com",
        "ftp://mirror.example.com",
        "file:///srv/mirror",
        "/srv/mirror",
        "http://",
        "http:///path",
        "http://mirror:port",
        "http://mirror:99999",
        "http://[::1",
        "http://mirror/?of=releases",
        "http://mirror/#releases",
        "http://mirror http://another",
        " http://mirror",
    ],
)
def test_what_is_no_address_is_an_error_with_the_variable_and_the_remedy(address: str) -> None:
    with pytest.raises(BinariesError) as raised:
        Mirror(address)
    assert str(raised.value) == (
        f"HOMEOSTAT_MIRROR: expected http://HOST/PATH or https://HOST/PATH, found {address!r}; "
        "correct it, or unset it to ask the projects' own hosts"
    )


def test_passwords_are_not_shown() -> None:
    assert shown("https://user:secret@mirror/a@b") == "https://mirror/a@b"
    with pytest.raises(BinariesError) as raised:
        Mirror("ftp://user:secret@mirror")
    assert "secret" not in str(raised.value)
