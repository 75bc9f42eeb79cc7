"""`backup` and `snapshots` against a real API server, with what an operator would tell put there by the test."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.contract.cli.conftest import Homeostat
from tests.support.apiserver import ApiServer
from tests.support.declaring import put, put_status, whole
from tests.support.kinds import cluster

from homeostat.cli.exits import Exit

pytestmark = pytest.mark.real

ID = "20260101T000000Z-r7"
LAST = {"id": ID, "takenAt": "2026-01-01T00:00:00Z", "revision": 7, "bytes": 20512, "generation": 99}
FAILURE = {
    "because": "Request",
    "reason": "StoreFull",
    "message": "no room; make some",
    "at": "2026-01-01T00:00:00Z",
    "attempts": 1,
    "retryAt": "2026-01-01T00:01:00Z",
    "generation": 99,
}
Declare = Callable[..., Callable[[], dict[str, Any]]]


@pytest.fixture
def declare(server: ApiServer) -> Declare:
    """Puts a Cluster whose operator has told something, and returns a look at its spec."""

    def declared(name: str, **status: Any) -> Callable[[], dict[str, Any]]:
        put(server, cluster(name, "cli"))
        put_status(server, name, **status)
        return lambda: dict(whole(server, name)["spec"])

    return declared


def test_each_call_asks_anew(homeostat: Homeostat, declare: Declare) -> None:
    spec = declare("asked")
    assert homeostat("backup", "cluster", "asked", "-n", "cli").code == 0
    first = spec()["backup"]["request"]
    assert homeostat("backup", "cluster", "asked", "-n", "cli").code == 0
    assert spec()["backup"]["request"] not in ("", first)


def test_a_dry_run_asks_for_nothing(homeostat: Homeostat, declare: Declare) -> None:
    spec = declare("dry")
    done = homeostat("backup", "cluster", "dry", "-n", "cli", "--wait", "--dry-run=server")
    assert (done.code, "server dry run" in done.out) == (0, True)
    assert "request" not in spec()["backup"]


def test_waiting_ends_when_it_is_stored(homeostat: Homeostat, declare: Declare) -> None:
    declare("stored", backup={"last": LAST})
    done = homeostat("backup", "cluster", "stored", "-n", "cli", "--wait", "--timeout", "20s")
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1] == f"cluster stored: {ID} is stored, 20512 bytes at revision 7"


def test_waiting_ends_with_the_failure(homeostat: Homeostat, declare: Declare) -> None:
    declare("full", backup={"failure": FAILURE})
    done = homeostat("backup", "cluster", "full", "-n", "cli", "--wait", "--timeout", "20s")
    assert done.code == Exit.FAILURE
    assert "cluster full: StoreFull: no room; make some" in done.err


def test_waiting_ends_where_there_is_no_store(homeostat: Homeostat, declare: Declare) -> None:
    told = {"type": "BackedUp", "status": "False", "reason": "NoStore", "message": "this cell has no store"}
    declare("bare", conditions=[{**told, "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 99}])
    done = homeostat("backup", "cluster", "bare", "-n", "cli", "--wait", "--timeout", "20s")
    assert (done.code, "this cell has no store" in done.err) == (Exit.REFUSED, True)


def test_snapshots_are_listed_with_what_is_wrong_with_them(homeostat: Homeostat, declare: Declare) -> None:
    known = [
        {"id": ID, "takenAt": "2026-01-01T00:00:00Z", "revision": 7, "storedBytes": 3 << 20},
        {"id": "20251231T000000Z-r5", "revision": 5, "damaged": "its bytes are missing"},
    ]
    declare("listed", backup={"snapshots": known})
    done = homeostat("snapshots", "cluster", "listed", "-n", "cli")
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[0] == ["ID", "AGE", "REVISION", "STORED", "STATE"]
    assert (rows[1][0], rows[1][2:]) == (ID, ["7", "3.0", "MiB", "sound"])
    assert done.out.splitlines()[2].endswith("its bytes are missing")
    names = homeostat("snapshots", "cluster", "listed", "-n", "cli", "-o", "name")
    assert names.out.splitlines() == [ID, "20251231T000000Z-r5"]
    data = homeostat("snapshots", "cluster", "listed", "-n", "cli", "-o", "json")
    assert json.loads(data.out)[0]["storedBytes"] == 3 << 20


def test_a_cluster_without_snapshots_says_what_to_do(homeostat: Homeostat, declare: Declare) -> None:
    declare("none")
    done = homeostat("snapshots", "cluster", "none", "-n", "cli")
    assert (done.code, done.out) == (0, "")
    assert "homeostat backup cluster none" in done.err
