"""What revision an etcd database file ends at, read from the file itself.

The file is bbolt's (https://github.com/etcd-io/bbolt): pages of a B+ tree, the first two of which are metas that are
written in turn; the valid one with the higher transaction counts. Small buckets lie inside of their parent's page. In
the bucket `key` etcd keeps every change under its revision, eight bytes big-endian first, so the last key is the last
revision; where that was a deletion that is compacted away, the bucket `meta` knows how far was compacted.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct

_PAGE = struct.Struct("<QHHI")  # id, flags, count, overflow
_META = struct.Struct("<IIIIQQQQQQ")  # magic, version, page size, flags, root, sequence, freelist, high water, tx, sum
_ELEMENT = struct.Struct("<IIII")  # of a leaf: flags, position, key's size, value's size
_BRANCH = struct.Struct("<IIQ")  # position, key's size, page
_BUCKET = struct.Struct("<QQ")  # root page, sequence
_MAGIC, _VERSION = 0xED0CDAED, 2
_IS_BRANCH, _IS_LEAF, _IS_BUCKET = 0x01, 0x02, 0x01
_DEEPEST = 40  # levels; a tree of so many would be larger than any disk
_LARGEST_PAGE = 1 << 31
_COMPACTED = (b"scheduledCompactRev", b"finishedCompactRev")


class NoDatabase(Exception):
    """This is no sound etcd database; the message says what is wrong."""


class _Page(Struct, frozen=True):
    content: bytes
    flags: int
    count: int

    def leaves(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Flags, key and value of every element."""
        for number in range(self.count):
            at = _PAGE.size + number * _ELEMENT.size
            flags, position, key, value = _ELEMENT.unpack_from(self.content, at)
            start = at + position
            yield flags, self.content[start : start + key], self.content[start + key : start + key + value]

    def children(self) -> Iterator[tuple[bytes, int]]:
        """First key and page of every child."""
        for number in range(self.count):
            at = _PAGE.size + number * _BRANCH.size
            position, key, page = _BRANCH.unpack_from(self.content, at)
            yield self.content[at + position : at + position + key], page


def last_revision(file: BinaryIO) -> int:
    """The revision that a database ends at. Reads a few pages; blocks. Raises NoDatabase and OSError."""
    try:
        return _Database(file).last_revision()
    except (struct.error, IndexError) as error:
        raise NoDatabase("it is cut off, or its pages do not fit together") from error


class _Database:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._page_size, self._root = self._meta()

    def last_revision(self) -> int:
        keys = self._bucket(self._read(self._root), b"key")
        if keys is None:
            raise NoDatabase("it has no bucket of keys")
        last = self._last(keys)
        revision = int.from_bytes(last[:8], "big") if len(last) >= 8 else 0
        meta = self._bucket(self._read(self._root), b"meta")
        compacted = [self._find(meta, name) for name in _COMPACTED] if meta is not None else []
        return max(revision, *(int.from_bytes(found[1][:8], "big") for found in compacted if found), 0)

    def _meta(self) -> tuple[int, int]:
        """Page size and root page."""
        self._file.seek(0)
        head = self._file.read(_PAGE.size + _META.size)
        size = _META.unpack_from(head, _PAGE.size)[2]
        found = []
        for at in (0, size):
            self._file.seek(at + _PAGE.size)
            content = self._file.read(_META.size)
            magic, version, page_size, _, root, _, _, _, transaction, checksum = _META.unpack(content)
            if (magic, version, checksum) == (_MAGIC, _VERSION, _fnv(content[: _META.size - 8])):
                found.append((transaction, page_size, root))
        if not found:
            raise NoDatabase("it does not begin as a database of etcd does")
        _, page_size, root = max(found)
        return page_size, root

    def _read(self, number: int) -> _Page:
        self._file.seek(number * self._page_size)
        _, flags, count, overflow = _PAGE.unpack(self._file.read(_PAGE.size))
        length = (overflow + 1) * self._page_size
        if length > _LARGEST_PAGE:
            raise NoDatabase(f"page {number} says that it has {length} bytes")
        self._file.seek(number * self._page_size)
        return _Page(self._file.read(length), flags, count)

    def _bucket(self, page: _Page, name: bytes) -> _Page | None:
        found = self._find(page, name)
        if found is None or not found[0] & _IS_BUCKET:
            return None
        root, _ = _BUCKET.unpack_from(found[1])
        return self._read(root) if root else _inline(found[1][_BUCKET.size :])

    def _find(self, page: _Page, name: bytes) -> tuple[int, bytes] | None:
        """Flags and value of a key."""
        for _ in range(_DEEPEST):
            if page.flags & _IS_LEAF:
                return next(((flags, value) for flags, key, value in page.leaves() if key == name), None)
            children = list(page.children())
            page = self._read(max((child for child in children if child[0] <= name), default=children[0])[1])
        raise NoDatabase("its tree has no end")

    def _last(self, page: _Page) -> bytes:
        """The last key; empty when there is none."""
        for _ in range(_DEEPEST):
            if page.flags & _IS_LEAF:
                return max((key for _, key, _ in page.leaves()), default=b"")
            if not page.flags & _IS_BRANCH:
                raise NoDatabase("its tree leads to a page that is not of it")
            page = self._read(list(page.children())[-1][1])
        raise NoDatabase("its tree has no end")


def _inline(content: bytes) -> _Page:
    _, flags, count, _ = _PAGE.unpack_from(content)
    return _Page(content, flags, count)


def _fnv(content: bytes) -> int:
    """FNV-1a of 64 bits, as bbolt sums up its metas."""
    value = 0xCBF29CE484222325
    for byte in content:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value
