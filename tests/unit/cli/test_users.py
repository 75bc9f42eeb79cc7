"""Which Clusters use a package version, on one line."""

from __future__ import annotations

import pytest

from homeostat.cli.users import shown


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ((), "<none>"),
        (("b/y", "a/x"), "a/x, b/y"),
        (("n/1", "n/2", "n/3"), "n/1, n/2, n/3"),
        (("n/1", "n/2", "n/3", "n/4", "n/5"), "n/1, n/2, n/3 and 2 more"),
    ],
)
def test_some_are_named_and_the_others_counted(keys: tuple[str, ...], line: str) -> None:
    assert shown(keys) == line
