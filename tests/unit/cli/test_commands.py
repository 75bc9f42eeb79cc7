"""The command line without an API server: help, names, usage errors, start-up cost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.terminal import run
from tests.support.tree import ROOT

from homeostat.cli.exits import MEANINGS, Exit, page
from homeostat.cli.release import program_name, release
from homeostat.cli.root import COMMANDS, INTERNAL

HEAVY = ("aiohttp", "rich", "asyncssh", "yaml", "msgspec", "click", "homeostat.kube")


def imported_by(*arguments: str) -> set[str]:
    code = f"import sys; sys.argv = ['homeostat', *{arguments!r}]\nfrom homeostat.cli.main import main\n"
    code += "try:\n    main()\nexcept SystemExit:\n    sys.stdout.write('')\n"
    code += "sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_version_imports_no_library_at_all() -> None:
    assert imported_by("--version") & set(HEAVY) == set()


def test_help_imports_no_command() -> None:
    modules = imported_by("--help")
    assert modules & {"aiohttp", "rich", "asyncssh", "yaml", "homeostat.kube", "homeostat.cli.get"} == set()


def test_version_is_that_of_the_distribution() -> None:
    outcome = run("--version")
    assert (outcome.code, outcome.out) == (0, f"homeostat {release()}\n")
    assert f'version = "{release()}"' in (ROOT / "pyproject.toml").read_text()


def test_help_names_every_command_with_a_line_about_it() -> None:
    out = run("--help").out
    assert [name for name, (_, text) in COMMANDS.items() if f"  {name} " not in out or text not in out] == []


def test_what_only_pods_run_is_no_command_for_people() -> None:
    assert [name for name in INTERNAL if f"  {name} " in run("--help").out or name in run("membre").err] == []
    assert [name for name in INTERNAL if run(name, "--help").code != Exit.OK] == []


def test_the_help_of_health_ports_names_the_paths_that_the_guides_name() -> None:
    for process in ("cell", "cluster"):
        assert "The port of /livez, /readyz and /metrics" in " ".join(run("run", process, "--help").out.split())


def test_usage_shows_the_name_by_which_we_were_called() -> None:
    assert program_name("/usr/bin/kubectl-homeostat") == "kubectl homeostat"
    assert program_name("/usr/bin/homeostat") == "homeostat"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["gte"], "unknown command 'gte'; did you mean 'get'?"),
        (["get", "clustres"], "unknown kind 'clustres'; did you mean 'clusters'?"),
        (["get", "zzz"], "unknown kind 'zzz'; expected one of"),
        (["upgrade", "demo", "--to", "v1"], "expected cluster before the name: `homeostat upgrade cluster demo`"),
        (["pause", "clustre", "demo"], "unknown kind 'clustre'; did you mean 'cluster'?"),
        (["pause", "packageversion", "demo"], "expected cluster, found clusterpackageversion"),
        (["pause", "--dry-run", "cluster", "demo"], "found 'cluster'; before another word write --dry-run=client"),
        (["get", "snapshots"], "unknown kind 'snapshots'; `homeostat snapshots cluster NAME` lists"),
        (["get"], "Missing argument 'KIND'"),
        (["run", "cell", "--webhook-service", "hooks"], "expected NAMESPACE/NAME such as homeostat-system/"),
        (["get", "clusters", "a", "-A"], "expected either names or a selection"),
        (["get", "clusters", "-w", "-o", "json"], "-w: expected a table"),
        (["get", "clusters", "-o", "jsn"], "'jsn' is not one of"),
        (["wait", "cluster", "a", "--for=foo"], "expected delete or condition=TYPE[=STATUS], found 'foo'"),
        (["wait", "cluster", "a", "--for=delete", "--timeout=5x"], "expected a duration such as 90s, 5m or 1h30m"),
        (["apply", "-f", "/nonexistent.yaml"], "/nonexistent.yaml: No such file or directory"),
        (["get", "clusters", "--kubeconfig", "/nonexistent"], "--kubeconfig /nonexistent: expected a kubeconfig file"),
    ],
)
def test_a_wrong_command_line_is_told_on_stderr_with_exit_code_2(arguments: list[str], told: str) -> None:
    outcome = run(*arguments)
    assert (outcome.code, outcome.out) == (Exit.USAGE, "")
    assert told in outcome.err
    assert "Traceback" not in outcome.err


def test_without_any_kubeconfig_the_remedy_is_told() -> None:
    outcome = run("get", "clusters")
    assert outcome.code == Exit.UNREACHABLE
    assert outcome.err.splitlines() == [
        "error: /nonexistent/.kube/config: expected a kubeconfig file, found none",
        "  name one with --kubeconfig or $KUBECONFIG, or raise a data centre on this machine with `homeostat up`",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "stdin: expected YAML"),
        ("- 1", "stdin: expected an object, found list"),
        ("kind: Cluster", "stdin: apiVersion: expected a text, found None"),
        ("apiVersion: v1\nkind: Cluster\n", "stdin: metadata.name: expected a text, found None"),
        ("---\n---\nkind: 3\napiVersion: v1", "stdin, document 2: kind: expected a text, found 3"),
        ("", "expected at least one object, found none"),
    ],
)
def test_a_bad_file_is_refused_before_anything_is_sent(text: str, told: str) -> None:
    outcome = run("apply", "-f", "-", stdin=text)
    assert (outcome.code, outcome.out) == (Exit.USAGE, "")
    assert told in outcome.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_call_us_back(shell: str) -> None:
    assert f"_HOMEOSTAT_COMPLETE={shell}_complete" in run("completion", shell).out


def test_completion_offers_commands_and_kinds() -> None:
    def offered(words: str) -> str:
        env = {
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
            "_HOMEOSTAT_COMPLETE": "bash_complete",
        }
        return run(env=env).out

    assert "plain,get" in offered("homeostat g")
    assert "plain,packageversions" in offered("homeostat get pack")


def test_the_client_version_needs_no_server() -> None:
    assert run("version", "--client").out == f"homeostat: {release()}\n"


def test_every_exit_code_is_documented() -> None:
    assert [code for code in Exit if code not in MEANINGS or f"| {code.value} | " not in page()] == []


@pytest.mark.parametrize("name", ["homeostat", "kubectl-homeostat"])
def test_both_commands_are_installed(name: str) -> None:
    done = subprocess.run([Path(sys.executable).parent / name, "gte"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        2,
        f"Usage: {name.replace('-', ' ')} [OPTIONS] COMMAND [ARGS]...",
    )


CHANGING = ("backup", "pause", "restore", "resume", "rollback", "rotate", "upgrade")


@pytest.mark.parametrize("command", CHANGING)
def test_all_that_change_a_cluster_have_the_same_options(command: str) -> None:
    out = run(command, "--help").out
    assert "--dry-run [none|client|server]" in out
    assert "-o, --output [json|yaml|name]" in out
    assert "--timeout DURATION" in out
    assert "--wait / --no-wait" in out
    assert "client (also without a value): read what there is, and send no change" in " ".join(out.split())


@pytest.mark.parametrize("command", [*CHANGING, "delete"])
def test_a_time_that_would_not_be_waited_is_a_usage_error(command: str) -> None:
    need = {"upgrade": ["--to", "v1"], "rotate": ["--release"], "restore": ["--take-back"]}.get(command, [])
    done = run(command, "cluster", "demo", *need, "--timeout", "5s")
    assert (done.code, "--timeout: expected --wait beside it" in done.err) == (Exit.USAGE, True)
