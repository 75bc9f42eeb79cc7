"""What people and programs get wrong: both API servers refuse it with the same code, reason and causes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.sim.both import Both, comparable, refusal
from tests.contract.sim.input_cases import CASES, CORE, MAPS, NAMESPACE, ONE
from tests.support.apiserver import ApiServer

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def both(api_server: ApiServer) -> Iterator[Both]:
    """Both with a namespace."""
    made = Both(api_server)
    made.ask("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    yield made
    made.ask("DELETE", MAPS)


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_refused_in_the_same_way(both: Both, case: str) -> None:
    method, path, body, how = CASES[case]
    both.ask("POST", MAPS, {"metadata": {"name": "one"}, "data": {"a": "b"}})
    real, simulated = both.ask(method, path, body, **how)
    both.ask("DELETE", f"{MAPS}/two")
    assert shown(simulated) == shown(real)
    assert isinstance(real, str) or real["kind"] == "Status", "it is not wrong"


def test_a_token_of_another_list_is_taken_where_it_makes_sense(both: Both) -> None:
    for each in ("one", "three"):
        both.ask("POST", MAPS, {"metadata": {"name": each}})
    pages = both.ask("GET", MAPS, query="limit=1")
    answers = []
    for of, page in enumerate(pages):
        token = page["metadata"]["continue"]
        answers.append(both.ask("GET", f"{CORE}/secrets", query=f"limit=1&continue={token}")[of])
    real, simulated = answers
    assert shown(simulated) == shown(real)


def test_a_dry_run_of_a_patch_that_is_wrong_changes_nothing(both: Both) -> None:
    both.ask("POST", MAPS, {"metadata": {"name": "one"}, "data": {"a": "b"}})
    before = both.ask("GET", ONE)
    both.ask("PATCH", ONE, {"data": 7}, media="application/merge-patch+json", query="dryRun=All")
    assert both.ask("GET", ONE) == before


def shown(answer: Any) -> Any:
    """What is compared: the words of parsers are Go's, what they refuse is not."""
    found = refusal(comparable(answer)) if not isinstance(answer, str) else answer
    if isinstance(found, dict) and "causes" in found:
        found["causes"] = [(field, reason, "" if field == "patch" else text) for field, reason, text in found["causes"]]
    return found
