"""Values as Go prints them, formats and patterns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.sim.apiserver.refusing import Refused
from homeostat.sim.apiserver.schemas import causes
from homeostat.sim.apiserver.schemas.formats import matches
from homeostat.sim.apiserver.schemas.patterns import BadPattern, compiled


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1, "1"),
        (1.0, "1"),
        (1.5, "1.5"),
        (-0.25, "-0.25"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e-7, "1.5e-07"),
        (0.0001, "0.0001"),
        (0.0, "0"),
    ],
)
def test_numbers(value: float, shown: str) -> None:
    assert causes.go_number(value) == shown


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_that_is_printed_means_itself(value: float) -> None:
    assert float(causes.go_number(value)) == value


def test_texts_are_quoted_and_json_is_sorted() -> None:
    assert causes.quoted('a"\n\x01é') == '"a\\"\\n\\x01é"'
    assert causes.go_json({"b": "<", "a": [1.0, None, True]}) == '{"a":[1,null,true],"b":"\\u003c"}'


def test_causes_have_the_words_of_apimachinery() -> None:
    assert causes.required("a").message == "Required value"
    assert causes.not_supported("a", 3, ("x", 1)).message == 'Unsupported value: 3: supported values: "x", "1"'
    assert causes.too_many("a", 2, 1).message == "Too many: 2: must have at most 1 item"
    assert causes.invalid("", None, "d").field == "<nil>"
    assert causes.duplicate("a", causes.NOTHING).message == "Duplicate value"


@pytest.mark.parametrize(
    ("name", "text", "holds"),
    [
        ("date-time", "2026-11-27T00:00:00Z", True),
        ("date-time", "2026-11-27 00:00:00Z", False),
        ("date", "2024-02-29", True),
        ("date", "2026-02-29", False),
        ("duration", "1h30m", True),
        ("duration", "3 days", True),
        ("duration", "x", False),
        ("ipv4", "010.0.0.1", True),
        ("ipv6", "::1", True),
        ("cidr", "fd00::/129", False),
        ("uuid4", "00000000-0000-4000-8000-000000000000", True),
        ("uuid4", "00000000-0000-1000-8000-000000000000", False),
        ("byte", "YWJj", True),
        ("byte", "YWJ", False),
        ("password", "", True),
    ],
)
def test_formats(name: str, text: str, *, holds: bool) -> None:
    assert matches(name, text) is holds


@pytest.mark.parametrize(
    ("pattern", "text", "holds"),
    [
        ("^a$", "a", True),
        ("^a$", "a\n", False),
        (r"^\d$", "٣", False),
        ("[[:alpha:]$]", "$", True),
        (r"a\z", "a", True),
        ("[a[]", "[", True),
    ],
)
def test_patterns_mean_what_re2_means(pattern: str, text: str, *, holds: bool) -> None:
    assert (compiled(pattern).search(text) is not None) is holds


@pytest.mark.parametrize("pattern", ["(?=a)", r"(a)\1", "(", "a**"])
def test_what_re2_does_not_know_is_no_pattern(pattern: str) -> None:
    with pytest.raises(BadPattern, match="error parsing regexp"):
        compiled(pattern)


def test_what_only_re2_knows_is_not_imitated() -> None:
    with pytest.raises(Refused, match="does not imitate"):
        compiled(r"\pL")
