"""What the page on the simulation says of how much is simulated is so, within a fifth."""

from __future__ import annotations

import re

import pytest
from tests.support.killing.course import Scenario, undisturbed, writes_of
from tests.support.killing.scenarios import SCENARIOS
from tests.support.killing.shares import FEW, all_faults
from tests.support.tree import ROOT

PAGE = (ROOT / "docs/explanation/simulation.md").read_text()
ROWS = {
    name: tuple(map(int, numbers))
    for name, *numbers in re.findall(r"^\| (\w[\w ]+) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_has_as_many_moments_and_writes_as_the_page_says(scenario: Scenario) -> None:
    course = undisturbed(scenario, 0)
    found = (len(course.points), len(course.distinct), writes_of(course))
    assert ROWS[scenario.name] == pytest.approx(found, rel=0.2, abs=2), "write it anew"


def test_the_sums_are_those_of_the_table() -> None:
    assert set(ROWS) == {each.name for each in SCENARIOS}
    deaths, faults = sum(row[1] for row in ROWS.values()), sum(len(all_faults(row[2])) for row in ROWS.values())
    assert f"({deaths:,} a seed)" in PAGE
    assert f"({faults:,})" in PAGE


def test_the_sums_of_a_short_run_are_those_of_the_table() -> None:
    deaths = sum(-(-ROWS[each.name][1] // each.step) for each in SCENARIOS)
    assert f"{deaths} deaths" in PAGE
    assert f"three faults ({FEW * len(SCENARIOS)})" in PAGE
