"""What is taken out of a status: what others have added to one writer's part of it, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.runtime.strangers import removals

PARTS = st.dictionaries(
    st.sampled_from("abc"), st.integers(0, 2) | st.dictionaries(st.sampled_from("xy"), st.integers(0, 1)), max_size=3
)


def paths(part: object, wanted: object, whole: object = None) -> list[str]:
    return [each["path"] for each in removals(part if whole is None else whole, part, wanted)]


@pytest.mark.parametrize(
    ("part", "wanted", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": 2}, {"a": 1}, ["/status/b"]),
        ({"a": {"b": 1, "c/d~": 2}}, {"a": {"b": 1}}, ["/status/a/c~1d~0"]),
        ({"a": 1}, {"a": 2, "b": 3}, []),
        ({"l": [{"k": "x", "v": 1}, {"k": "y"}]}, {"l": [{"k": "x"}, {"k": "y"}]}, ["/status/l/0/v"]),
        ({"l": [{"k": "n"}, {"k": "x"}, {"k": "m"}]}, {"l": [{"k": "x"}]}, ["/status/l/2", "/status/l/0"]),
        ({"l": ["x", "y"]}, {"l": ["y"]}, ["/status/l/0"]),
    ],
)
def test_what_is_not_wanted_is_named_the_last_of_a_list_first(part: object, wanted: object, found: list[str]) -> None:
    assert paths(part, wanted) == found


def test_what_other_writers_have_in_a_list_moves_the_places_and_stays() -> None:
    whole = {"conditions": [{"type": "Theirs"}, {"type": "Ours"}, {"type": "Added"}], "theirs": 1}
    part = {"conditions": [{"type": "Ours"}, {"type": "Added"}]}
    assert paths(part, {"conditions": [{"type": "Ours"}]}, whole) == ["/status/conditions/2"]


@given(wanted=PARTS, added=PARTS)
def test_whatever_was_added_to_what_is_wanted_is_taken_out_again(
    wanted: dict[str, object], added: dict[str, object]
) -> None:
    both = {**added, **wanted}
    left = {name: value for name, value in both.items() if f"/status/{name}" not in paths(both, wanted)}
    assert left == wanted
