"""Every word that a user can meet is explained, with what to do about it."""

from __future__ import annotations

from tests.support.explained import reasons

from homeostat.operators.cluster import words
from homeostat.operators.cluster.meanings.tables import TABLES
from homeostat.operators.cluster.scaling.turn import LOST


def test_every_name_that_is_no_condition_is_explained() -> None:
    names = {value for name, value in vars(words).items() if name.isupper() and isinstance(value, str)}
    explained = {word.name for table in TABLES for word in table.words}
    assert names - set(words.CONDITIONS) <= explained


def test_what_keeps_the_topology_from_changing_is_explained_under_scaled() -> None:
    assert set(LOST) <= reasons(words.SCALED)


def test_every_word_has_a_meaning_and_a_remedy() -> None:
    assert all(word.meaning.endswith(".") and word.remedy.endswith(".") for table in TABLES for word in table.words)
