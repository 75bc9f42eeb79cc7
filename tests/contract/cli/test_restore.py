"""`restore` against a real API server, with what an operator would tell put there by the test."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from tests.contract.cli.conftest import Homeostat
from tests.support.apiserver import ApiServer
from tests.support.declaring import put, put_status, whole
from tests.support.kinds import cluster
from tests.support.terminal import Outcome

from homeostat.cli.exits import Exit

pytestmark = pytest.mark.real

NEWEST, OLDER, BROKEN = "20260304T050607Z-r4711", "20260304T040607Z-r4000", "20260304T030607Z-r3000"
KNOWN = [
    {"id": NEWEST, "takenAt": "2026-03-04T05:06:07Z", "revision": 4711},
    {"id": OLDER, "takenAt": "2026-03-04T04:06:07Z", "revision": 4000},
    {"id": BROKEN, "takenAt": "2026-03-04T03:06:07Z", "revision": 3000, "damaged": "its bytes are missing"},
]
LOSS = {"since": "2026-03-04T05:20:00Z", "newestSnapshot": NEWEST, "lostSeconds": 833}
LOST = {"backup": {"snapshots": KNOWN}, "quorumLoss": LOSS}
SINCE = "2026-03-04T05:25:00Z"
Look = Callable[[], dict[str, Any]]
Declare = Callable[..., Look]
Tell = Callable[[str, str, dict[str, Any]], AbstractContextManager[None]]
Restore = Callable[..., Outcome]


@pytest.fixture
def declare(server: ApiServer) -> Declare:
    """Puts a Cluster whose operator has told something, and returns a look at it."""

    def declared(name: str, status: dict[str, Any], **spec: Any) -> Look:
        put(server, cluster(name, "cli", **spec))
        put_status(server, name, **status)
        return lambda: whole(server, name)

    return declared


@pytest.fixture
def tell(server: ApiServer) -> Tell:
    """Has an operator tell something once a Cluster is as `kubectl wait --for` says."""

    @contextmanager
    def told(name: str, awaited: str, status: dict[str, Any]) -> Iterator[None]:
        awaiting = ("wait", f"hc/{name}", "-n", "cli", f"--for={awaited}", "--timeout=30s")
        patch = ("patch", "hc", name, "-n", "cli", "--subresource=status", "--type=merge", "-p")
        # Made before: while homeostat runs in this process, it has an environment of its own.
        commands = [server.kubectl_command(*words) for words in (awaiting, (*patch, json.dumps({"status": status})))]

        def act() -> None:
            for command in commands:
                subprocess.run(command, capture_output=True, check=True, timeout=60)

        with ThreadPoolExecutor(1) as pool:
            telling = pool.submit(act)
            yield
            telling.result()

    return told


@pytest.fixture
def restore(homeostat: Homeostat) -> Restore:
    """`homeostat restore cluster` in these tests' namespace."""
    return lambda *words: homeostat("restore", "cluster", *words, "-n", "cli")


def approved(look: Look) -> str:
    return str(look()["spec"].get("healing", {}).get("approveRestore", ""))


def refusal(outcome: Outcome, code: Exit) -> str:
    assert (outcome.code, outcome.out) == (code, "")
    return outcome.err


def restored(snapshot: str, stage: str) -> dict[str, Any]:
    owner = {"namespace": "cli", "name": "any", "uid": "any"}
    moments = {"startedAt": SINCE, "takenAt": SINCE}
    return {"snapshot": snapshot, "cluster": owner, "number": 1, "stage": stage, **moments}


def condition(type_: str, status: str, reason: str, message: str = "") -> dict[str, Any]:
    told = {"type": type_, "status": status, "reason": reason, "message": message}
    return {**told, "lastTransitionTime": SINCE, "observedGeneration": 99}


def test_an_approval_names_its_snapshot_and_its_price(restore: Restore, declare: Declare) -> None:
    look = declare("lost", LOST)
    done = restore("lost", "--snapshot", NEWEST)
    told = "what was written in the 0:13:53 before the loss is gone for good"
    assert done.out == f"cluster lost: approved the restore from {NEWEST}; {told}\n"
    assert approved(look) == NEWEST


def test_an_older_snapshot_costs_more(restore: Restore, declare: Declare) -> None:
    look = declare("older", LOST)
    assert "in the 1:13:53 before the loss" in restore("older", "--snapshot", OLDER).out
    assert approved(look) == OLDER


def test_an_approval_for_corrupt_data_says_that_masters_write_on_and_which_snapshots_are_doubtful(
    restore: Restore, declare: Declare
) -> None:
    etcd = {"agreedAt": "2026-03-04T05:00:00Z"}
    look = declare("corrupt", {**LOST, "etcd": etcd, "quorumLoss": {**LOSS, "corrupt": True}})
    told = "what was written in the 1:13:53 before that was found, and since, is gone for good"
    assert restore("corrupt", "--snapshot", OLDER).out.endswith(f"{told}\n")
    doubtful = (
        "; the snapshot is not from before a comparison at which all members agreed, and may be corrupt as well\n"
    )
    assert restore("corrupt", "--snapshot", NEWEST).out.endswith(doubtful)
    assert approved(look) == NEWEST


@pytest.mark.parametrize("kind", ["client", "server"])
def test_a_dry_run_says_the_price_and_approves_nothing(restore: Restore, declare: Declare, kind: str) -> None:
    look = declare("dry", LOST)
    done = restore("dry", "--snapshot", NEWEST, "--wait", f"--dry-run={kind}")
    assert (done.code, "0:13:53" in done.out, "dry run" in done.out) == (0, True, True)
    shown = json.loads(restore("dry", "--snapshot", NEWEST, f"--dry-run={kind}", "-o", "json").out)
    assert shown["spec"]["healing"]["approveRestore"] == NEWEST
    assert approved(look) == ""


def test_nothing_is_approved_while_there_is_a_quorum(restore: Restore, declare: Declare) -> None:
    look = declare("calm", {"backup": {"snapshots": KNOWN}})
    told = refusal(restore("calm", "--snapshot", NEWEST), Exit.REFUSED)
    assert "its etcd has a quorum that agrees on the data" in told
    assert "--into" in told
    assert approved(look) == ""


def test_nothing_is_approved_while_a_restore_is_under_way(restore: Restore, declare: Declare) -> None:
    declare("going", {**LOST, "restore": restored(OLDER, "Stopping")})
    told = refusal(restore("going", "--snapshot", NEWEST), Exit.REFUSED)
    assert f"it is being restored from {OLDER}, the stage is Stopping" in told


def test_an_unknown_snapshot_is_refused_with_whose_it_is(restore: Restore, declare: Declare) -> None:
    look = declare("mine", LOST)
    theirs = "20260101T000000Z-r7"
    told = refusal(restore("mine", "--snapshot", theirs), Exit.NOT_FOUND)
    assert f"cluster mine: it has no snapshot {theirs}\n" in told
    assert "homeostat snapshots cluster mine" in told
    declare("yours", {"backup": {"snapshots": [{"id": theirs, "revision": 7}]}})
    for words in ((), ("--into", "copy")):
        told = refusal(restore("mine", "--snapshot", theirs, *words), Exit.NOT_FOUND)
        assert f"it has no snapshot {theirs}, which is of cluster yours\n" in told
    assert approved(look) == ""


def test_a_damaged_snapshot_is_refused(restore: Restore, declare: Declare) -> None:
    look = declare("spoilt", LOST)
    told = refusal(restore("spoilt", "--snapshot", BROKEN), Exit.REFUSED)
    assert f"snapshot {BROKEN} is damaged: its bytes are missing" in told
    assert approved(look) == ""


def test_an_approval_from_before_the_loss_is_taken_back_and_given_again(restore: Restore, declare: Declare) -> None:
    early = {"healing": {"approveRestore": NEWEST}}
    look = declare("early", {**LOST, "quorumLoss": {**LOSS, "spentApproval": NEWEST}}, **early)
    told = refusal(restore("early", "--snapshot", NEWEST), Exit.REFUSED)
    assert "was approved before this loss was told, which does not count" in told
    assert restore("early", "--take-back").out == f"cluster early: the approval of {NEWEST} is taken back\n"
    assert approved(look) == ""
    assert restore("early", "--snapshot", NEWEST).code == 0


def test_an_approval_cannot_be_taken_back_once_masters_are_stopped(restore: Restore, declare: Declare) -> None:
    approval = {"healing": {"approveRestore": NEWEST}}
    look = declare("late", {**LOST, "restore": restored(NEWEST, "Stopping")}, **approval)
    assert "it is too late" in refusal(restore("late", "--take-back"), Exit.REFUSED)
    assert approved(look) == NEWEST
    declare("never", LOST)
    assert "no restore is approved" in refusal(restore("never", "--take-back"), Exit.REFUSED)


def test_what_does_not_go_together_is_refused(restore: Restore) -> None:
    for words in ((), ("--snapshot", NEWEST, "--take-back")):
        assert "expected one of --snapshot and --take-back" in refusal(restore("any", *words), Exit.USAGE)
    assert "--keys-from: expected --into" in refusal(
        restore("any", "--snapshot", NEWEST, "--keys-from", "k"), Exit.USAGE
    )
    assert "--into: expected --snapshot" in refusal(restore("any", "--take-back", "--into", "new"), Exit.USAGE)


def test_a_paused_cluster_is_approved_with_a_warning(restore: Restore, declare: Declare) -> None:
    declare("asleep", LOST, healing={"paused": True})
    done = restore("asleep", "--snapshot", NEWEST)
    assert (done.code, "spec.healing.paused is true" in done.err) == (0, True)


def test_waiting_ends_when_clients_are_served_again(restore: Restore, declare: Declare, tell: Tell) -> None:
    declare("back", LOST)
    done = {"restore": restored(NEWEST, "Done"), "conditions": [condition("Ready", "True", "Serving")]}
    with tell("back", f"jsonpath=.spec.healing.approveRestore={NEWEST}", done):
        said = restore("back", "--snapshot", NEWEST, "--wait", "--timeout", "30s")
    assert (said.code, said.out.splitlines()[-1]) == (0, f"cluster back: serves the data of {NEWEST}")


def test_waiting_ends_with_the_refusal(restore: Restore, declare: Declare, tell: Tell) -> None:
    refused = {"conditions": [condition("EtcdReady", "False", "RestoreRefused", "the key is missing")]}
    declare("locked", {**LOST, **refused})
    said = restore("locked", "--snapshot", NEWEST, "--wait", "--timeout", "30s")
    assert (said.code, "cluster locked: RestoreRefused: the key is missing" in said.err) == (Exit.REFUSED, True)
    refused = {"conditions": [condition("Accepted", "False", "RestoreRefused", "the snapshot is gone")]}
    with tell("locked-2", "create", refused):
        said = restore("locked", "--snapshot", OLDER, "--into", "locked-2", "--wait", "--timeout", "30s")
    assert (said.code, "cluster locked-2: RestoreRefused: the snapshot is gone" in said.err) == (Exit.REFUSED, True)


def test_waiting_ends_when_somebody_takes_the_approval_back(restore: Restore, declare: Declare, tell: Tell) -> None:
    declare("doubt", LOST)
    with tell("doubt", f"jsonpath=.spec.healing.approveRestore={OLDER}", {"restore": restored(OLDER, "Dropped")}):
        said = restore("doubt", "--snapshot", OLDER, "--wait", "--timeout", "30s")
    assert (said.code, "was taken back meanwhile" in said.err) == (Exit.REFUSED, True)


def test_waiting_ends_when_the_quorum_is_back_by_itself(restore: Restore, declare: Declare, tell: Tell) -> None:
    declare("well", LOST)
    dropped = restored(OLDER, "Dropped") | {"droppedBecause": "etcd has its quorum again"}
    with tell("well", f"jsonpath=.spec.healing.approveRestore={OLDER}", {"restore": dropped}):
        said = restore("well", "--snapshot", OLDER, "--wait", "--timeout", "30s")
    assert said.code == Exit.REFUSED
    assert "cluster well: etcd has its quorum again; the restore was dropped, and nothing was touched" in said.err


def test_a_new_cluster_is_declared_as_the_old_one_with_its_data_and_its_keys(
    restore: Restore, declare: Declare, server: ApiServer
) -> None:
    mine = {
        "healing": {"approveRestore": OLDER, "replaceMemberAfterSeconds": 60},
        "keys": {"rotations": {"authorities": 2}},
        "paused": True,
        "endpoint": {"address": "192.0.2.7"},
    }
    look = declare("shop", {"backup": {"snapshots": KNOWN}}, topology="ha", **mine)
    dry = restore("shop", "--snapshot", OLDER, "--into", "shop-2", "--dry-run=client", "-o", "json")
    done = restore("shop", "--snapshot", OLDER, "--into", "shop-2")
    assert done.out == f"cluster shop-2: declared with the data of {OLDER} of shop, and the keys in shop-pki\n"
    spec = json.loads(server.kubectl("get", "hc", "shop-2", "-n", "cli", "-o", "json"))["spec"]
    owner = {"namespace": "cli", "name": "shop", "uid": look()["metadata"]["uid"]}
    assert spec["restoreFrom"] == {"snapshot": OLDER, "cluster": owner, "keysFrom": "shop-pki"}
    assert json.loads(dry.out)["spec"]["restoreFrom"] == spec["restoreFrom"]
    assert (spec["topology"], spec["network"]) == ("ha", look()["spec"]["network"])
    assert (spec["healing"]["replaceMemberAfterSeconds"], spec["healing"].get("approveRestore", "")) == (60, "")
    assert spec.get("endpoint", {}).get("address", "") == ""
    assert not spec.get("paused")
    assert spec["keys"]["rotations"]["authorities"] == 0
    again = restore("shop", "--snapshot", OLDER, "--into", "shop-2")
    assert (again.code, "shop-2" in again.err) == (Exit.REFUSED, True)


def test_keys_may_be_kept_elsewhere(restore: Restore, declare: Declare, server: ApiServer) -> None:
    declare("kept", {"backup": {"snapshots": KNOWN}})
    assert restore("kept", "--snapshot", OLDER, "--into", "kept-2", "--keys-from", "safe").code == 0
    found = json.loads(server.kubectl("get", "hc", "kept-2", "-n", "cli", "-o", "json"))
    assert found["spec"]["restoreFrom"]["keysFrom"] == "safe"
