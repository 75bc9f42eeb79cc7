"""Files that are no database of etcd are told from those that are. Sound ones: tests/contract/etcd/test_drawing.py."""

from __future__ import annotations

import io
import struct

import pytest

from homeostat.providers.etcd.database import NoDatabase, last_revision

PAGE = 4096


def fnv(content: bytes) -> int:
    value = 0xCBF29CE484222325
    for byte in content:
        value = ((value ^ byte) * 0x100000001B3) % (1 << 64)
    return value


def database(*pages: bytes, root: int = 2) -> io.BytesIO:
    """Two metas, and pages from number 2 on."""
    meta = struct.pack("<IIIIQQQQQ", 0xED0CDAED, 2, PAGE, 0, root, 0, (1 << 64) - 1, 9, 1)
    meta = struct.pack("<QHHI", 0, 4, 0, 0) + meta + struct.pack("<Q", fnv(meta))
    return io.BytesIO(b"".join(each.ljust(PAGE, b"\0") for each in (meta, meta, *pages)))


def leaf(number: int, **items: bytes) -> bytes:
    """A page of buckets, each with its header or its whole content as value."""
    head, body, at = b"", b"", 16 * len(items)
    for key, value in items.items():
        head += struct.pack("<IIII", 1, at - len(head) + len(body), len(key), len(value))
        body += key.encode() + value
    return struct.pack("<QHHI", number, 2, len(items), 0) + head + body


def bucket(root: int) -> bytes:
    return struct.pack("<QQ", root, 0)


@pytest.mark.parametrize("content", [b"", b"x" * 100, bytes(3 * PAGE)])
def test_what_does_not_begin_as_a_database_is_none(content: bytes) -> None:
    with pytest.raises(NoDatabase):
        last_revision(io.BytesIO(content))


def test_a_database_without_keys_is_none_of_etcd() -> None:
    with pytest.raises(NoDatabase, match="no bucket of keys"):
        last_revision(database(leaf(2, other=bucket(3))))


def test_a_database_that_is_cut_off_is_none() -> None:
    with pytest.raises(NoDatabase, match="cut off"):
        last_revision(database(leaf(2, key=bucket(7))))


def test_a_tree_that_leads_back_to_itself_is_left() -> None:
    loop = struct.pack("<QHHI", 3, 1, 1, 0) + struct.pack("<IIQ", 16, 0, 3)
    with pytest.raises(NoDatabase, match="no end"):
        last_revision(database(leaf(2, key=bucket(3)), loop))


def test_the_last_key_tells_the_revision() -> None:
    keys = leaf(3, **{"\0\0\0\0\0\0\0\x07_": b"", "\0\0\0\0\0\0\0\x2a_": b""})
    assert last_revision(database(leaf(2, key=bucket(3)), keys)) == 42
