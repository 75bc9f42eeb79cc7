"""`homeostat sim` where no data centre runs: what there is to be injected, and what is said of mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.terminal import run

from homeostat.cli.simulated import summary
from homeostat.sim.standing.place import Place, Reached
from homeostat.sim.world.faults.injecting import CATALOGUE


def test_all_faults_are_listed_with_what_they_do() -> None:
    outcome = run("sim", "faults")
    lines = {line.split()[0]: line for line in outcome.out.splitlines()[1:]}
    assert list(lines) == list(CATALOGUE)
    assert all(CATALOGUE[name].what in line for name, line in lines.items())


def test_one_fault_is_told_with_its_parameters_and_what_they_may_be() -> None:
    assert (
        run("sim", "faults", "packet-loss").out.splitlines()[-1] == "  share=0.1  of all packets; a number from 0 to 1"
    )
    (told,) = json.loads(run("sim", "faults", "memory-errors", "-o", "json").out)
    assert told["parameters"]["severity"]["expected"] == "corrected or fatal"
    assert told["lasts"] is False


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            ("faults", "disk-slw"),
            2,
            "FAULT: expected a fault of the catalogue, found 'disk-slw'; did you mean disk-slow?",
        ),
        (("faults", "disk-slow", "--active"), 2, "expected no FAULT beside it"),
        (("inject", "disk-slow", "host-a1"), 2, "as KEY=VALUE, found 'host-a1'; a target stands behind --on"),
        (("inject", "disk-slow", "times=1", "times=2"), 2, "times: expected one value, found '1' and '2'"),
        (("inject", "disk-slow", "--on", "host-a1", "--for", "soon"), 2, "expected a duration such as 90s"),
        (("inject", "disk-slow", "--on", "host-a1", "--name", "small"), 3, "small: there is none on this machine"),
        (("heal",), 2, "expected one of ID and --all, found neither"),
        (("heal", "host-down-1", "--all"), 2, "expected one of ID and --all, found both"),
        (("faults", "--active"), 3, "raise it with `homeostat up --engine sim`"),
    ],
)
def test_mistakes_are_told_with_what_to_do(words: tuple[str, ...], code: int, said: str, tmp_path: Path) -> None:
    outcome = run("sim", *words, env={"XDG_STATE_HOME": str(tmp_path)})
    assert outcome.code == code
    assert said in outcome.err
    assert "Traceback" not in outcome.err


def test_real_hosts_are_not_injured(tmp_path: Path) -> None:
    (tmp_path / "homeostat" / "blue").mkdir(parents=True)
    (tmp_path / "homeostat" / "blue" / "state.json").write_text("{}")
    outcome = run("sim", "inject", "host-down", "--on", "all", "--name", "blue", env={"XDG_STATE_HOME": str(tmp_path)})
    assert outcome.code == 2
    assert "found blue, which is one of real hosts" in outcome.err


def test_of_many_hosts_the_first_are_named(tmp_path: Path) -> None:
    hosts = tuple(f"host-a{number}" for number in range(1, 1001))
    told = summary(Place(tmp_path), Reached("small", "https://127.0.0.1:1", hosts, "127.64.0.0/16"))
    assert "host-a29, host-a30 and 970 more\n" in told
    assert "host-a31" not in told


def test_a_simulated_data_centre_may_have_hosts_by_the_thousand(tmp_path: Path) -> None:
    words = ("up", "--engine", "sim", "--name", "large", "--hosts", "1000", "--dry-run")
    assert "large: 1000 hosts in three zones" in run(*words, env={"XDG_STATE_HOME": str(tmp_path)}).out
