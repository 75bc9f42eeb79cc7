"""`upgrade`, `rollback`, `pause` and `resume` against a real API server, without an operator behind it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.contract.cli.conftest import Homeostat
from tests.support.apiserver import ApiServer
from tests.support.declaring import put, put_status, whole
from tests.support.kinds import bent, cluster, example

from homeostat.cli.exits import Exit

pytestmark = pytest.mark.real

OLD, NEW, HOSTED = "v1.34.4", "v1.35.4", "v1.35.4-hosted"
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
Declare = Callable[..., Callable[[], dict[str, Any]]]


@pytest.fixture
def declare(server: ApiServer) -> Declare:
    """Puts a Cluster with a status, and returns a look at its spec."""
    far = [
        {**part, "version": part["version"].replace("v1.34.", "v1.33.")}
        for part in example(f"packageversions/{OLD}.yaml")["spec"]["components"]
    ]
    changes = {"metadata.name": "v1.33.4", "spec.kubernetesVersion": "v1.33.4", "spec.components": far}
    packages = (example(f"packageversions/{version}.yaml") for version in (OLD, NEW, HOSTED))
    put(server, *packages, bent(example(f"packageversions/{OLD}.yaml"), changes))

    def declared(name: str, at: str, *, before: str = "", **spec: Any) -> Callable[[], dict[str, Any]]:
        put(server, cluster(name, "cli", packageVersion=at, **spec))
        parts = [
            {
                "name": each,
                "version": at,
                "image": "i",
                "desired": 1,
                "ready": 1,
                "state": "Ready",
                "packageVersion": at,
            }
            for each in COMPONENTS
        ]
        status = {
            "packageVersion": at,
            "previousPackageVersion": before,
            "components": parts,
            "readyAt": "2026-01-01T00:00:00Z",
        }
        put_status(server, name, **status)
        return lambda: dict(whole(server, name)["spec"])

    return declared


@pytest.mark.parametrize("dry_run", ["--dry-run", "--dry-run=client", "--dry-run=server"])
def test_a_dry_run_prints_the_plan_and_declares_nothing(homeostat: Homeostat, declare: Declare, dry_run: str) -> None:
    spec = declare("planned", OLD)
    done = homeostat("upgrade", "cluster", "planned", "-n", "cli", "--to", NEW, dry_run)
    assert done.code == 0, done.err
    assert done.out.splitlines()[:5] == [
        "1. etcd: v1.34.4 (3.6.16) -> v1.35.4 (3.6.16)",
        "2. kube-apiserver: v1.34.4 (1.34.4) -> v1.35.4 (1.35.4)",
        "3. kube-controller-manager: v1.34.4 (1.34.4) -> v1.35.4 (1.35.4)",
        "4. kube-scheduler: v1.34.4 (1.34.4) -> v1.35.4 (1.35.4)",
        "5. kube-apiserver, kube-controller-manager, kube-scheduler: serve 1.35, until then 1.34"
        " (finishEmulation: Immediately)",
    ]
    assert "dry run" in done.out.splitlines()[5]
    assert spec()["packageVersion"] == OLD


def test_a_plan_tells_of_the_snapshot_before_it_where_the_cell_has_a_store(
    server: ApiServer, homeostat: Homeostat, declare: Declare
) -> None:
    declare("secured", OLD)
    put_status(server, "secured", backup={"store": "directory /snapshots"})
    done = homeostat("upgrade", "cluster", "secured", "-n", "cli", "--to", NEW, "--dry-run=client")
    assert "before the first, a snapshot of etcd is taken (Auto)" in done.out.splitlines()
    back = homeostat("upgrade", "cluster", "secured", "-n", "cli", "--to", OLD, "--dry-run=client")
    assert "snapshot" not in back.out


def test_a_plan_tells_which_hosted_operators_come_and_go(homeostat: Homeostat, declare: Declare) -> None:
    declare("plain", NEW)
    done = homeostat("upgrade", "cluster", "plain", "-n", "cli", "--to", HOSTED, "--dry-run")
    assert done.out.splitlines()[4] == "5. homeostat: begins with v1.35.4-hosted (0.1.0)"
    declare("hosting", HOSTED)
    done = homeostat("upgrade", "cluster", "hosting", "-n", "cli", "--to", NEW, "--dry-run")
    assert done.out.splitlines()[4] == "5. homeostat: ends with v1.35.4-hosted (0.1.0)"


def test_a_plan_names_other_overrides_and_refuses_those_of_homeostat(homeostat: Homeostat, declare: Declare) -> None:
    declare("tuned", OLD, overrides=[{"name": "kube-scheduler", "args": {"v": "4"}}])
    done = homeostat("upgrade", "cluster", "tuned", "-n", "cli", "--to", OLD, "--dry-run=client")
    assert done.out.splitlines()[0] == "1. kube-scheduler: v1.34.4 (1.34.4) -> v1.34.4 (1.34.4), with other overrides"
    back = homeostat("rollback", "cluster", "tuned", "-n", "cli")
    assert (back.code, "set spec.overrides back" in back.err) == (Exit.REFUSED, True)
    declare("fighting", OLD, overrides=[{"name": "kube-scheduler", "args": {"config": "/etc/mine"}}])
    done = homeostat("upgrade", "cluster", "fighting", "-n", "cli", "--to", NEW, "--dry-run=client")
    assert done.code == Exit.REFUSED
    assert "spec.overrides[kube-scheduler].args[config]: the flag is homeostat's own" in done.err


def test_an_upgrade_is_declared_and_a_rollback_takes_it_back(homeostat: Homeostat, declare: Declare) -> None:
    spec = declare("there", OLD)
    assert homeostat("upgrade", "cluster", "there", "-n", "cli", "--to", NEW).code == 0
    assert spec()["packageVersion"] == NEW
    back = homeostat("rollback", "cluster", "there", "-n", "cli")
    assert (back.code, spec()["packageVersion"]) == (0, OLD)
    assert "all masters are there already" in back.out, "nothing had moved yet"


def test_a_rollback_after_a_move_leads_to_the_version_before(homeostat: Homeostat, declare: Declare) -> None:
    spec = declare("moved", NEW, before=OLD)
    assert homeostat("rollback", "cluster", "moved", "-n", "cli").code == 0
    assert spec()["packageVersion"] == OLD


def test_a_rollback_of_what_never_moved_says_so(homeostat: Homeostat, declare: Declare) -> None:
    declare("new", OLD)
    done = homeostat("rollback", "cluster", "new", "-n", "cli")
    assert done.code == Exit.REFUSED
    assert "it never was of another package version" in done.err
    assert "--to" in done.err


def test_what_the_operator_would_refuse_is_refused_at_once(homeostat: Homeostat, declare: Declare) -> None:
    spec = declare("far", NEW)
    done = homeostat("rollback", "cluster", "far", "-n", "cli", "--to", "v1.33.4")
    assert done.code == Exit.REFUSED
    assert "1.35 -> 1.34 -> 1.33" in done.err
    unknown = homeostat("upgrade", "cluster", "far", "-n", "cli", "--to", "v9")
    assert (unknown.code, "v1.35.4" in unknown.err) == (Exit.NOT_FOUND, True)
    assert spec()["packageVersion"] == NEW


def test_kubelets_that_are_known_forbid_at_once_what_they_would_forbid(
    server: ApiServer, homeostat: Homeostat, declare: Declare
) -> None:
    spec = declare("young", NEW)
    put_status(server, "young", kubelets=["v1.35.4"])
    for dry_run in ("--dry-run=client", "--dry-run=server", "--dry-run=none"):
        done = homeostat("upgrade", "cluster", "young", "-n", "cli", "--to", OLD, dry_run)
        assert (done.code, done.out) == (Exit.REFUSED, "")
        assert "there are kubelets of 1.35, which must not be newer than the API server" in done.err
        assert "they were asked within the hour" in done.err
    assert spec()["packageVersion"] == NEW


def test_a_version_that_failed_is_tried_again_when_it_is_asked_for_once_more(
    server: ApiServer, homeostat: Homeostat, declare: Declare
) -> None:
    spec = declare("again", OLD, upgradePolicy={"onFailure": "Rollback"})
    assert homeostat("upgrade", "cluster", "again", "-n", "cli", "--to", NEW).code == 0
    assert spec()["upgradePolicy"]["attempt"] == 0
    when = "2026-01-01T00:00:00Z"
    failed = {"from": OLD, "to": OLD, "startedAt": when, "failedVersion": NEW, "failure": "an image is not there"}
    put_status(server, "again", upgrade=failed)
    done = homeostat("upgrade", "cluster", "again", "-n", "cli", "--to", NEW)
    assert (done.code, spec()["upgradePolicy"]["attempt"]) == (0, 1)
    assert "failed before (an image is not there) and is tried again" in done.err
    assert done.out.splitlines()[0] == "1. etcd: v1.34.4 (3.6.16) -> v1.35.4 (3.6.16)"


def test_waiting_ends_with_the_failure_of_the_move(server: ApiServer, homeostat: Homeostat, declare: Declare) -> None:
    declare("failing", OLD)
    told = {
        "type": "UpToDate",
        "status": "False",
        "reason": "UpgradeFailed",
        "message": "kube-apiserver: bad flag",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "observedGeneration": 9,
    }
    put_status(server, "failing", conditions=[told])
    done = homeostat("upgrade", "cluster", "failing", "-n", "cli", "--to", NEW, "--wait", "--timeout", "20s")
    assert done.code == Exit.FAILURE
    assert "UpgradeFailed: kube-apiserver: bad flag" in done.err


def test_pause_and_resume_are_said_once(homeostat: Homeostat, declare: Declare) -> None:
    spec = declare("still", OLD)
    assert homeostat("pause", "cluster", "still", "-n", "cli").out == "cluster still: paused\n"
    assert spec()["paused"] is True
    assert homeostat("pause", "cluster", "still", "-n", "cli").out == "cluster still: is paused already\n"
    warned = homeostat("upgrade", "cluster", "still", "-n", "cli", "--to", NEW)
    assert "nothing moves before `homeostat resume cluster still`" in warned.err
    assert homeostat("resume", "cluster", "still", "-n", "cli").out == "cluster still: resumed\n"
    assert spec()["paused"] is False


VERBS = (
    ("upgrade", "--to", NEW),
    ("rollback", "--to", OLD),
    ("pause",),
    ("resume",),
    ("backup",),
    ("rotate", "--keys", "token-key"),
)


@pytest.mark.parametrize("verb", VERBS, ids=[verb[0] for verb in VERBS])
def test_all_verbs_print_the_object_and_keep_what_is_said_apart(
    server: ApiServer, homeostat: Homeostat, declare: Declare, verb: tuple[str, ...]
) -> None:
    name = f"shape-{verb[0]}"
    declare(name, OLD)
    before = whole(server, name)
    for dry_run in ("client", "server"):
        done = homeostat(*verb[:1], "cluster", name, "-n", "cli", *verb[1:], "-o", "json", "--dry-run", dry_run)
        assert done.code == 0, done.err
        assert json.loads(done.out)["metadata"]["name"] == name
        assert whole(server, name) == before
        told = homeostat(*verb[:1], "cluster", name, "-n", "cli", *verb[1:], "--dry-run", dry_run)
        assert told.out.splitlines()[-1].endswith(
            {"client": " (client dry run)", "server": " (server dry run)"}[dry_run]
        )
    done = homeostat(*verb[:1], "cluster", name, "-n", "cli", *verb[1:], "-o", "name")
    assert (done.code, done.out) == (0, f"cluster.cluster.homeostat.dev/{name}\n")


def test_what_is_printed_in_a_dry_run_is_the_object_as_it_would_be(homeostat: Homeostat, declare: Declare) -> None:
    declare("would", OLD)
    for dry_run in ("--dry-run=client", "--dry-run=server"):
        done = homeostat("upgrade", "cluster", "would", "-n", "cli", "--to", NEW, "-o", "json", dry_run)
        shown = json.loads(done.out)
        assert (shown["kind"], shown["spec"]["packageVersion"]) == ("Cluster", NEW)
        assert shown["spec"]["topology"] == "single"
        assert done.err.splitlines()[0] == "1. etcd: v1.34.4 (3.6.16) -> v1.35.4 (3.6.16)"


def test_other_kinds_do_not_move(homeostat: Homeostat) -> None:
    done = homeostat("upgrade", "packageversion", OLD, "--to", NEW)
    assert done.code == Exit.USAGE
    assert "expected cluster" in done.err
