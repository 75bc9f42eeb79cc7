"""Specs that follow from the schema of the CRD: refused at the door, followed, or refused in words; and then mended."""

from __future__ import annotations

import re
from random import Random

import pytest
from tests.support.chaos.specs import Field, fields, matching, sound, unsound, wished
from tests.support.chaos.wishing import wish

SHORT, LONG = 5, 40  # wishes in a sequence
WORLDS = 200


def test_wishes_for_a_cluster_are_followed_or_refused_clearly_and_what_is_sound_again_recovers(
    seed: int, *, is_thorough: bool
) -> None:
    refused, taken = wish(seed, LONG if is_thorough else SHORT)
    assert refused + taken == (LONG if is_thorough else SHORT)


def test_every_place_of_a_spec_is_wished_for() -> None:
    chance = Random(1)
    met = {name for _ in range(WORLDS) for name in wished(chance).patch}
    assert met == {field.path[0] for field in fields()}


@pytest.mark.parametrize("field", fields(), ids=lambda field: ".".join(field.path))
def test_what_is_drawn_soundly_has_the_type_of_its_schema_and_what_is_not_has_not(field: Field) -> None:
    types = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list}
    chance = Random(2)
    for _ in range(20):
        assert isinstance(sound(field.schema, chance), types[field.schema["type"]])
        assert unsound(field.schema, chance) not in field.schema.get("enum", ())


@pytest.mark.parametrize("pattern", ["^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "^$|^[0-9]{8}T[0-9]{6}Z-r[1-9][0-9]{0,18}$"])
def test_texts_that_are_drawn_for_a_pattern_match_it(pattern: str) -> None:
    chance = Random(3)
    assert all(re.search(pattern, matching(pattern, chance)) for _ in range(100))
