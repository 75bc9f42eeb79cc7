"""Every word that a user can meet is explained, with what to do about it."""

from __future__ import annotations

from homeostat.operators.cluster import words
from homeostat.operators.cluster.meanings.tables import TABLES


def test_every_name_that_is_no_condition_is_explained() -> None:
    names = {value for name, value in vars(words).items() if name.isupper() and isinstance(value, str)}
    explained = {word.name for table in TABLES for word in table.words}
    assert names - set(words.CONDITIONS) <= explained


def test_every_word_has_a_meaning_and_a_remedy() -> None:
    assert all(word.meaning.endswith(".") and word.remedy.endswith(".") for table in TABLES for word in table.words)
