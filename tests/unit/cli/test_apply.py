"""`apply --dry-run=client` judges objects of homeostat's kinds without an API server; what `-f` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.kinds import bent, cluster, example
from tests.support.misdeclaring import WRONG
from tests.support.terminal import Outcome, run
from tests.support.tree import ROOT

from homeostat.cli.exits import Exit


def checked(*objects: dict[str, Any]) -> Outcome:
    return run("apply", "-f", "-", "--dry-run=client", stdin=yaml.safe_dump_all(objects))


def test_a_client_dry_run_needs_no_server_and_finds_all_of_a_directory_good() -> None:
    catalogue = ROOT / "examples" / "packageversions"
    outcome = run("apply", "-f", str(catalogue), "--dry-run=client")
    assert (outcome.code, outcome.out.splitlines()) == (
        0,
        [
            f"clusterpackageversion.cluster.homeostat.dev/{file.stem} checked (client dry run)"
            for file in sorted(catalogue.iterdir())
        ],
    )


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_example_of_a_cluster_is_of_its_schema(file: Path) -> None:
    outcome = run("apply", "-f", str(file), "--dry-run")
    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize(("changes", "told"), WRONG)
def test_what_is_not_of_its_schema_is_refused_with_its_field(changes: dict[str, Any], told: str) -> None:
    outcome = checked(bent(cluster(), changes))
    assert (outcome.code, outcome.out) == (Exit.REFUSED, "")
    assert f"\n  {told}" in outcome.err


def test_all_that_is_wrong_is_told_at_once_and_what_is_good_still_checked() -> None:
    bad = bent(cluster("bad"), {"spec.netwrok": {}, "spec.paused": 1})
    outcome = checked(bad, example("packageversions/v1.35.4.yaml"))
    assert outcome.code == Exit.REFUSED
    assert outcome.err.splitlines()[0] == "error: stdin, document 1: cluster bad: not of its schema"
    assert [line.split(":")[0] for line in outcome.err.splitlines()[1:]] == ["  spec.netwrok", "  spec.paused"]
    assert outcome.out == "clusterpackageversion.cluster.homeostat.dev/v1.35.4 checked (client dry run)\n"


def test_kinds_of_others_are_read_and_said_to_be_not_checked() -> None:
    outcome = checked({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}, "dat": {}})
    told = "configmap/other not checked, a kind of others (client dry run)\n"
    assert (outcome.code, outcome.out) == (0, told)


@pytest.mark.parametrize("dry_run", ["none", "client", "server"])
def test_two_objects_of_one_name_are_refused_before_anything_is_sent(dry_run: str) -> None:
    text = yaml.safe_dump_all([cluster("twin"), cluster("twin", paused=True)])
    outcome = run("apply", "-f", "-", f"--dry-run={dry_run}", stdin=text)
    assert (outcome.code, outcome.out) == (Exit.USAGE, "")
    assert "stdin, document 2: cluster twin: expected once, found also in stdin, document 1" in outcome.err


def test_the_same_name_in_another_namespace_is_another_object() -> None:
    assert checked(cluster("twin", "a"), cluster("twin", "b")).code == 0


def test_directories_below_a_directory_are_read_when_that_is_asked(tmp_path: Path) -> None:
    below = tmp_path / "shops" / "north"
    below.mkdir(parents=True)
    (tmp_path / "top.yaml").write_text(yaml.safe_dump(cluster("top")))
    (below / "low.json").write_text(yaml.safe_dump(cluster("low")))
    (below / "notes.txt").write_text("a: [")
    flat = run("apply", "-f", str(tmp_path), "--dry-run=client", "-o", "name")
    deep = run("apply", "-R", "-f", str(tmp_path), "--dry-run=client", "-o", "name")
    assert flat.out.split() == ["cluster.cluster.homeostat.dev/top"]
    assert deep.out.split() == ["cluster.cluster.homeostat.dev/low", "cluster.cluster.homeostat.dev/top"]
