"""The page of figures says of every goal whether it is met, and by how much it is missed."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import report
from benchmarks.columns import Column, Goal
from benchmarks.datacentre import as_at_first, bare
from benchmarks.idle import allocator


def rounds(**figures: list[float]) -> report.Rounds:
    """Contenders by their `list_us` in each round."""
    return {name.replace("_", "-"): [{"list_us": value} for value in values] for name, values in figures.items()}


def goal_lines(measured: report.Rounds, *goals: Goal) -> list[str]:
    return [line for line in report.verdicts({"machines": measured}, goals) if line.startswith("| list")]


LIST = Goal("list", "machines", "list_us", 0.5, "controller-runtime")


def test_a_goal_compares_medians_of_one_run() -> None:
    met = rounds(homeostat=[10, 40, 900], controller_runtime=[100, 100, 100])
    assert goal_lines(met, LIST) == ["| list | at most 0.50 | 0.40 | met |"]


def test_a_missed_goal_says_by_how_much() -> None:
    missed = rounds(homeostat=[75], controller_runtime=[100])
    assert goal_lines(missed, LIST) == ["| list | at most 0.50 | 0.75 | missed by 50 % |"]


def test_a_goal_whose_peer_was_not_measured_is_not_claimed() -> None:
    assert goal_lines(rounds(homeostat=[75]), LIST) == []


def test_a_table_shows_the_range_of_the_rounds() -> None:
    table = report.table(rounds(homeostat=[3, 1, 2]), [Column("list_us", "list")])
    assert table[-1] == "| homeostat | 2 (1-3) |"


def test_objects_by_hand_carry_nothing_that_a_server_added() -> None:
    service = {
        "kind": "Service",
        "metadata": {"name": "a", "uid": "1", "ownerReferences": [{}], "labels": {"app": "a"}},
        "spec": {"clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7"], "ports": []},
        "status": {},
    }
    assert bare(service) == {
        "kind": "Service",
        "metadata": {"name": "a", "labels": {"app": "a"}},
        "spec": {"ports": []},
    }


def test_what_a_run_did_not_measure_stays_on_the_page(tmp_path: Path) -> None:
    page, results = tmp_path / "page.md", tmp_path / "results"
    results.mkdir()
    page.write_text(
        "# Benchmarks\n\n## How long people wait\n\nOld words.\n\n| a | b |\n\n## Goals\n\n"
        "| 100 idle clusters, memory | at most 20 MB | 19 MB | met |\n"
    )
    pods = {"homeostat": [{"rss_mb": 388}]}
    machine = {"cpus": 2, "python": "3.11", "kernel": "6.1", "load": 0.25}
    (results / "pods.json").write_text(json.dumps({"machine": machine, "rounds": pods}))
    report.write(results, page)
    report.write(results, page)  # a second time changes nothing
    written = page.read_text()
    assert written.count("## How long people wait\n\nOld words.\n\n| a | b |\n\n## 100,000 Pods\n") == 1
    assert "load average of the machine just before: 0.2." in written
    assert "| 100 idle clusters, memory | at most 20 MB | 19 MB | met |\n" in written
    assert "| 100,000 Pods, resident | at most 400 MB | 388 MB | met |\n" in written


def test_members_applied_by_hand_may_begin_empty() -> None:
    data = {"initial-cluster": "a=https://a,nobody=https://n", "initial-cluster-state": "existing"}
    membership = {"kind": "ConfigMap", "metadata": {"name": "a-etcd"}, "data": data}
    begun = {"initial-cluster": "a=https://a", "initial-cluster-state": "new"}
    assert as_at_first(membership)["data"] == begun
    assert as_at_first({"kind": "ConfigMap", "data": {"a": "b"}}) == {"kind": "ConfigMap", "data": {"a": "b"}}


def test_idle_clusters_are_measured_with_the_allocator_that_the_deployment_sets_up() -> None:
    assert allocator() == {"MALLOC_MMAP_THRESHOLD_": "131072"}
