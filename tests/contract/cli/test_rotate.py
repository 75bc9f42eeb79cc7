"""`rotate` against a real API server, without an operator behind it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.contract.cli.conftest import Homeostat
from tests.support.apiserver import ApiServer
from tests.support.kinds import cluster
from tests.support.terminal import Outcome

from homeostat.cli.exits import Exit

pytestmark = pytest.mark.real

GOING = {
    "keys": "authorities",
    "number": 3,
    "stage": "Holding",
    "startedAt": "2026-01-01T00:00:00Z",
    "stageStartedAt": "2026-01-01T00:00:00Z",
}
Declare = Callable[..., Callable[[], dict[str, Any]]]


@pytest.fixture
def declare(server: ApiServer) -> Declare:
    """Puts a Cluster with a status, and returns a look at what its spec says of keys."""

    def put(name: str, keys: dict[str, Any], **status: Any) -> Callable[[], dict[str, Any]]:
        content = cluster(name, "cli", keys=keys)
        server.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(content))
        patch = json.dumps({"status": status})
        server.kubectl("patch", "hc", name, "-n", "cli", "--subresource=status", "--type=merge", "-p", patch)

        def look() -> dict[str, Any]:
            found = json.loads(server.kubectl("get", "hc", name, "-n", "cli", "-o", "json"))
            asked: dict[str, Any] = {}
            for field, numbers in found["spec"].get("keys", {}).items():
                if raised := {keys: number for keys, number in numbers.items() if number}:
                    asked[field] = raised
            return asked

        return look

    return put


def refusal(outcome: Outcome, code: Exit) -> str:
    assert outcome.code == code
    return outcome.err


def test_a_rotation_raises_the_number_of_the_last_one(homeostat: Homeostat, declare: Declare) -> None:
    look = declare("turn", {}, rotations={"tokenKey": 4})
    said = homeostat("rotate", "cluster", "turn", "--keys", "token-key", "-n", "cli").out
    assert said == "cluster turn: declared rotation 5 of tokenKey\n"
    assert look() == {"rotations": {"tokenKey": 5}}


def test_a_dry_run_tells_the_stages_and_declares_nothing(homeostat: Homeostat, declare: Declare) -> None:
    look = declare("dry", {})
    lines = homeostat("rotate", "cluster", "dry", "--keys", "token-key", "-n", "cli", "--dry-run").out.splitlines()
    assert [line.split()[1] for line in lines[:-1]] == ["Preparing:", "Trusting:", "Using:", "Holding:", "Dropping:"]
    assert lines[-1] == "cluster dry: declared rotation 1 of tokenKey (client dry run)"
    assert look() == {}
    look = declare("undo", {"rotations": {"authorities": 3}}, rotation=GOING, rotations={"authorities": 2})
    lines = homeostat("rotate", "cluster", "undo", "--take-back", "-n", "cli", "--dry-run=server").out.splitlines()
    assert [line.split()[1] for line in lines[:-1]] == ["Holding:", "Trusting:", "Abandoning:"]
    assert look() == {"rotations": {"authorities": 3}}


def test_one_rotation_at_a_time(homeostat: Homeostat, declare: Declare) -> None:
    look = declare("busy", {"rotations": {"authorities": 3}}, rotation=GOING)
    refused = refusal(homeostat("rotate", "cluster", "busy", "--keys", "token-key", "-n", "cli"), Exit.REFUSED)
    assert "authorities are being rotated, the stage is Holding" in refused
    assert look() == {"rotations": {"authorities": 3}}


def test_the_old_keys_are_released_by_number(homeostat: Homeostat, declare: Declare) -> None:
    look = declare("held", {"rotations": {"authorities": 3}}, rotation=GOING, rotations={"authorities": 2})
    said = homeostat("rotate", "cluster", "held", "--release", "-n", "cli").out
    assert "the old authorities may go" in said
    assert look() == {"rotations": {"authorities": 3}, "released": {"authorities": 3}}


def test_a_rotation_is_taken_back_by_the_number_before(homeostat: Homeostat, declare: Declare) -> None:
    look = declare("sorry", {"rotations": {"authorities": 3}}, rotation=GOING, rotations={"authorities": 2})
    homeostat("rotate", "cluster", "sorry", "--take-back", "-n", "cli")
    assert look()["rotations"] == {"authorities": 2}


def test_what_is_not_going_on_can_be_neither_released_nor_taken_back(homeostat: Homeostat, declare: Declare) -> None:
    declare("calm", {})
    for option in ("--release", "--take-back"):
        refused = refusal(homeostat("rotate", "cluster", "calm", option, "-n", "cli"), Exit.REFUSED)
        assert "no keys are being rotated" in refused
    assert "expected one of" in refusal(homeostat("rotate", "cluster", "calm", "-n", "cli"), Exit.USAGE)


@pytest.mark.parametrize(
    ("option", "stage", "asked", "why"),
    [
        ("--take-back", "Dropping", 3, "it is too late to take the rotation of authorities back"),
        ("--take-back", "Abandoning", 2, "is being taken back, the stage is Abandoning"),
        ("--release", "Using", 2, "is being taken back, the stage is Using"),
    ],
)
def test_what_the_operator_would_not_do_is_refused(
    homeostat: Homeostat, declare: Declare, option: str, stage: str, asked: int, why: str
) -> None:
    numbers = {"rotations": {"authorities": asked}}
    look = declare("late", numbers, rotation={**GOING, "stage": stage}, rotations={"authorities": 2})
    assert why in refusal(homeostat("rotate", "cluster", "late", option, "-n", "cli"), Exit.REFUSED)
    assert look() == numbers


def test_a_rotation_of_the_encryption_key_is_neither_released_nor_taken_back_when_nobody_asked_for_it(
    homeostat: Homeostat, declare: Declare
) -> None:
    look = declare("sealed", {}, rotation={**GOING, "keys": "encryptionKey", "number": 0})
    released = refusal(homeostat("rotate", "cluster", "sealed", "--release", "-n", "cli"), Exit.REFUSED)
    assert "the old encryption key goes by itself" in released
    back = refusal(homeostat("rotate", "cluster", "sealed", "--take-back", "-n", "cli"), Exit.REFUSED)
    assert "nobody asked for the rotation of encryptionKey" in back
    assert look() == {}


def test_waiting_ends_when_the_new_keys_are_in_use(homeostat: Homeostat, declare: Declare) -> None:
    declare("there", {"rotations": {"authorities": 3}}, rotation=GOING, rotations={"authorities": 2})
    said = homeostat("rotate", "cluster", "there", "--keys", "authorities", "--wait", "-n", "cli").out
    assert "both are accepted; let the old authorities go with --release" in said
