"""What the simulated engine does not imitate is named in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.support.tree import ROOT, dotted, sources

PAGE = ROOT / "docs/reference/simulation.md"


def reasons() -> Iterator[str]:
    """Of all marks that keep a contract from the simulated engine."""
    for path, tree in sources("tests"):
        for node in ast.walk(tree) if path.parts[1] == "contract" else ():
            if isinstance(node, ast.Call) and dotted(node.func) == "pytest.mark.not_imitated":
                yield str(ast.literal_eval(node.args[0]))


def test_every_contract_that_runs_on_the_real_engine_alone_is_named_with_its_reason() -> None:
    text = PAGE.read_text()
    found = list(reasons())
    assert found
    assert [each for each in found if f"| {each} |" not in text] == []
