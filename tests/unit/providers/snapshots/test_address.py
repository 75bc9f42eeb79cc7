"""Addresses of stores: what they mean, and what is no address."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeostat.providers.snapshots.address import BadAddress, BucketAddress, DirectoryAddress, read_address


def test_a_file_address_is_a_directory() -> None:
    assert read_address("file:///var/lib/snapshots") == DirectoryAddress(Path("/var/lib/snapshots"))


def test_an_s3_address_is_a_bucket_and_what_its_server_is() -> None:
    assert read_address("s3://snapshots") == BucketAddress("snapshots")
    text = "s3://snapshots/cells/one/?endpoint=https://s3.example.com:9000&region=eu-central-1&style=path"
    expected = BucketAddress("snapshots", "cells/one", "https://s3.example.com:9000", "eu-central-1", "path")
    assert read_address(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/var/lib/snapshots", "expected file:///directory or s3://"),
        ("ftp://host/snapshots", "expected file:///directory"),
        ("file://host/snapshots", "expected file:/// and an absolute directory"),
        ("file:snapshots", "expected file:/// and an absolute directory"),
        ("file:///snapshots/../etc", "expected file:/// and an absolute directory"),
        ("file:///snapshots?mode=700", "expected file:/// and an absolute directory"),
        ("s3://who:secret@bucket/x", "expected an address without credentials"),
        ("s3://bucket?endpoint=https://who:secret@host", "endpoint: expected an address without credentials"),
        ("s3://", "expected s3:// and the name of a bucket"),
        ("s3://Bucket", "expected s3:// and the name of a bucket"),
        ("s3://bucket/a//b", "prefix: expected letters"),
        ("s3://bucket/../b", "prefix: expected letters"),
        ("s3://bucket?endpoint=host:9000", "endpoint: expected https://host"),
        ("s3://bucket?endpoint=https://host/path", "endpoint: expected https://host"),
        ("s3://bucket?region=EU", "region: expected a region such as"),
        ("s3://bucket?style=odd", "style: expected one of path, virtual, auto"),
        ("s3://bucket?key=secret", "parameter 'key': expected one of endpoint, region, style"),
        ("s3://bucket?region=a&region=b", "expected each parameter once"),
    ],
)
def test_what_is_no_address_is_refused_with_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(BadAddress, match=said) as caught:
        read_address(text)
    assert "secret" not in str(caught.value)
