"""The page of figures says of every goal whether it is met, and by how much it is missed."""

from __future__ import annotations

from benchmarks import report
from benchmarks.datacentre import bare


def rounds(**figures: list[float]) -> report.Rounds:
    """Contenders by their `list_us` in each round."""
    return {name.replace("_", "-"): [{"list_us": value} for value in values] for name, values in figures.items()}


def goal_lines(measured: report.Rounds, *goals: report.Goal) -> list[str]:
    return [line for line in report.verdicts({"machines": measured}, goals) if line.startswith("| list")]


LIST = report.Goal("list", "machines", "list_us", 0.5, "controller-runtime")


def test_a_goal_compares_medians_of_one_run() -> None:
    met = rounds(homeostat=[10, 40, 900], controller_runtime=[100, 100, 100])
    assert goal_lines(met, LIST) == ["| list | at most 0.50 | 0.40 | met |"]


def test_a_missed_goal_says_by_how_much() -> None:
    missed = rounds(homeostat=[75], controller_runtime=[100])
    assert goal_lines(missed, LIST) == ["| list | at most 0.50 | 0.75 | missed by 50 % |"]


def test_a_goal_whose_peer_was_not_measured_is_not_claimed() -> None:
    assert goal_lines(rounds(homeostat=[75]), LIST) == []


def test_a_table_shows_the_range_of_the_rounds() -> None:
    table = report.table(rounds(homeostat=[3, 1, 2]), [report.Column("list_us", "list")])
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
