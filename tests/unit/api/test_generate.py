"""Generated files: fresh in this tree, and judged by `--check` when they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeostat.api import generate
from homeostat.api.catalogue import KINDS
from homeostat.api.crd import custom_resource_definition
from homeostat.api.reference import field_reference


def test_the_files_of_this_tree_are_as_young_as_the_types() -> None:
    assert generate.stale(generate.ROOT, generate.generated()) == []


def test_what_was_written_is_fresh(tmp_path: Path) -> None:
    files = generate.generated()
    generate.write(tmp_path, files)
    assert generate.stale(tmp_path, files) == []


def test_old_missing_and_left_over_files_are_each_named(tmp_path: Path) -> None:
    files = generate.generated()
    generate.write(tmp_path, files)
    (tmp_path / generate.CRDS / "deletion-protection.yaml").write_text("old")
    (tmp_path / "docs/reference/fields.md").unlink()
    (tmp_path / generate.CRDS / "gone.yaml").write_text("")
    assert sorted(generate.stale(tmp_path, files)) == [
        "deploy/crds/deletion-protection.yaml: older than the types it is generated from; run `make docs`",
        "deploy/crds/gone.yaml: not generated from any type; remove it",
        "docs/reference/fields.md: missing; run `make docs`",
    ]


def test_an_unknown_argument_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--chekc"]) == 2
    assert "--chekc" in capsys.readouterr().err


def test_check_passes_and_writes_nothing() -> None:
    assert generate.main(["--check"]) == 0


def test_every_field_of_every_kind_has_a_description() -> None:
    page = field_reference([custom_resource_definition(kind, definition) for kind, definition in KINDS])
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith(("| `", "| **`"))]
    assert rows
    assert [row[0] for row in rows if not row[3].strip(" |")] == []
