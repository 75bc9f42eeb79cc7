"""How a word that users meet is explained: what it means, and what to do about it."""

from __future__ import annotations

from msgspec import Struct


class Word(Struct, frozen=True):
    """One reason that a user can meet."""

    name: str
    meaning: str
    remedy: str


class Table(Struct, frozen=True):
    """The reasons of one condition, or the events."""

    title: str
    words: tuple[Word, ...]
