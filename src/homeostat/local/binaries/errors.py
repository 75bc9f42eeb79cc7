"""What can go wrong on the way to a binary; every message names the remedy.

A source that merely does not have something raises nothing of this: the next source is asked.
"""

from __future__ import annotations


class BinariesError(Exception):
    """A binary cannot be had; the message says which, why, and what to do."""


class Unknown(BinariesError):
    """A name or a version that no component has."""


class WrongChecksum(BinariesError):
    """A download is not what its project published."""


class BrokenDownload(BinariesError):
    """A download began and did not end, in spite of several attempts."""


class WrongVersion(BinariesError):
    """A binary says another version than its place promises, or does not run here."""


class Incomplete(BinariesError):
    """A directory that was named has only some of the programs of a component."""


class NoToolchain(BinariesError):
    """Go is missing or too old."""


class BuildFailed(BinariesError):
    """Go could not build a program."""


class NoSpace(BinariesError):
    """The disk is full, or would be."""


class Unwritable(BinariesError):
    """The cache cannot be written."""
