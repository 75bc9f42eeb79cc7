"""Masters move to another package version one by one, and go back when one of them fails."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.cells import Cell
from tests.support.kinds import bent, example
from tests.support.kubelet import Whole
from tests.support.podlife import HOST

from homeostat.api.cluster.v1alpha1 import CLUSTER, CLUSTER_PACKAGE_VERSION
from homeostat.api.core import NODE
from homeostat.api.kind import unstructured
from homeostat.cli.moving import plan
from homeostat.cli.session import Session
from homeostat.kit.clock import SystemClock
from homeostat.kube.target import Config
from homeostat.operators.cluster.rollout.foreseen import asking_for

OLD, NEW = "v1.34.4", "v1.35.4"
WITHIN_S = 60.0
STEP = timedelta(seconds=30)  # the least that a step may have
CONTROLLERS = ("demo-controller-manager", "demo-scheduler")
BROKEN_IMAGE = f"homeostat.local/kube-apiserver:{NEW}"
ON_TRIAL = ("--endpoint-reconciler-type=none",)  # what marks an API server that is tried
TRIED = "one is tried beside the others: "
PACKAGE_VERSION = unstructured(CLUSTER_PACKAGE_VERSION.resource)


async def made(cell: Cell, **spec: Any) -> None:
    await cell.declare(packageVersion=OLD, **spec)
    await cell.until_ready()


async def until_at(cell: Cell, version: str) -> Whole:
    def there() -> Whole | None:
        status = cell.status()
        is_ended = "emulation" not in status or "endedAt" in status["emulation"]
        is_there = status.get("packageVersion") == version and "upgrade" not in status and is_ended
        return status if is_there else None

    await cell.kubelet.until(there, f"the masters are of {version}", within_s=WITHIN_S)
    return await cell.until_ready(within_s=WITHIN_S)


def images(cell: Cell) -> set[str]:
    return {pod["spec"]["containers"][0]["image"].rpartition(":")[2] for pod in cell.all("Pod")}


async def planned(cell: Cell, to: str) -> list[str]:
    """Which masters the command line says will move, in order."""
    session = Session(cell.client, Config(server="https://unused:1"), cell.namespace, SystemClock())
    found = await plan(session, asking_for(await cell.client.get(CLUSTER, "demo", cell.namespace), to))
    return list(found.moves)


async def test_masters_move_as_the_plan_says_and_the_story_is_told(cell: Cell) -> None:
    async with cell.operator():
        await made(cell)
        shown = await planned(cell, NEW)
        await cell.set_spec(packageVersion=NEW)
        status = await until_at(cell, NEW)
        await cell.until_told("Upgraded", f"all masters are of {NEW}, before {OLD}")
        moves = await cell.until_told("Upgrading", f"moves to {NEW}: kube-scheduler from {OLD}, 1 of 4 are left")
    assert [move.split(": ")[1].split(",")[0] for move in moves[:4]] == [
        f"{each} from {OLD}" for each in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
    ]
    assert [move.split(": ")[1].split()[0] for move in moves[:4]] == shown
    assert status["emulation"].keys() == {"version", "since", "leftAt", "endedAt"}
    assert not any("--emulated" in each for each in command(cell, "apiserver"))
    assert status["previousPackageVersion"] == OLD
    assert {each["packageVersion"] for each in status["components"]} == {NEW}
    assert images(cell) == {NEW, "3.6.16"}
    (way,) = [each for each in status["rollback"] if each["packageVersion"] == OLD]
    assert (way["possible"], "keepsData" in way) == (True, False)


async def test_the_older_version_is_served_until_somebody_says_otherwise_and_all_can_go_back(cell: Cell) -> None:
    async with cell.operator():
        await made(cell, upgradePolicy={"finishEmulation": "Manual"})
        await cell.set_spec(packageVersion=NEW)
        await cell.until_told("Upgraded", f"all masters are of {NEW}, before {OLD}")
        status = await cell.until_ready()
        assert status["emulation"]["version"] == "1.34"
        (way,) = [each for each in status["rollback"] if each["packageVersion"] == OLD]
        assert (way["possible"], way["keepsData"]) == (True, True)
        told = "serve 1.34 as before"
        await cell.kubelet.until(lambda: told in cell.condition("UpToDate")["message"], "it is told until when")
        assert all("--emulated-version=1.34" in command(cell, each) for each in ("apiserver", "scheduler"))
        await cell.set_spec(packageVersion=OLD)
        status = await until_at(cell, OLD)
    assert images(cell) == {OLD, "3.6.16"}
    assert not any("--emulated" in each for each in command(cell, "apiserver"))


def template(cell: Cell, component: str) -> Whole:
    """The container that a Deployment declares."""
    found: Whole = cell.get("Deployment", f"demo-{component}")["spec"]["template"]["spec"]["containers"][0]
    return found


def command(cell: Cell, component: str) -> list[str]:
    return list(template(cell, component)["command"])


async def test_and_back_with_their_volumes(cell: Cell) -> None:
    async with cell.operator():
        await made(cell)
        volumes = {each["metadata"]["uid"] for each in cell.all("PersistentVolumeClaim")}
        await cell.set_spec(packageVersion=NEW)
        await until_at(cell, NEW)
        await cell.set_spec(packageVersion=OLD)
        status = await until_at(cell, OLD)
    assert status["previousPackageVersion"] == NEW
    assert images(cell) == {OLD, "3.6.16"}
    assert {each["metadata"]["uid"] for each in cell.all("PersistentVolumeClaim")} == volumes


async def test_an_api_server_that_does_not_start_is_left_for_a_person_who_takes_it_back(cell: Cell) -> None:
    cell.kubelet.behave("crash", BROKEN_IMAGE)
    async with cell.operator(haste=20):
        await made(cell)
        await cell.set_spec(packageVersion=NEW)
        told = await cell.until_condition("UpToDate", "UpgradeFailed")
        assert f"set spec.packageVersion back to {OLD}" in told["message"]
        assert cell.condition("Available")["status"] == "True"
        await cell.set_spec(packageVersion=OLD)
        await until_at(cell, OLD)
    assert images(cell) == {OLD, "3.6.16"}


async def test_an_api_server_that_crashes_after_all_moved_is_left_when_the_wish_is_set_back(cell: Cell) -> None:
    """No controller becomes ready without an API server, and the one that there is crashes."""
    cell.kubelet.needs_servers = True
    async with cell.operator(haste=20):
        await made(cell)
        await cell.set_spec(packageVersion=NEW)
        await until_at(cell, NEW)
        cell.endpoint.failure = "connection refused"
        cell.kubelet.behave("crash", BROKEN_IMAGE)
        await cell.kubelet.until(lambda: cell.condition("Available")["status"] == "False", "nobody is served")
        await cell.set_spec(packageVersion=OLD)
        await cell.kubelet.until(lambda: OLD in served(cell), "an API server of the older version", within_s=WITHIN_S)
        cell.endpoint.failure = ""
        await until_at(cell, OLD)
    assert images(cell) == {OLD, "3.6.16"}


def served(cell: Cell) -> set[str]:
    """Of which versions API servers are ready."""
    return {
        pod["spec"]["containers"][0]["image"].rpartition(":")[2]
        for pod in cell.all("Pod")
        if "apiserver" in pod["metadata"]["name"]
        and {"type": "Ready", "status": "True"}.items()
        <= next((each for each in pod["status"].get("conditions", ()) if each["type"] == "Ready"), {}).items()
    }


async def test_or_goes_back_by_itself_and_is_tried_again_when_it_is_asked_for(cell: Cell) -> None:
    cell.kubelet.behave("crash", BROKEN_IMAGE)
    async with cell.operator(haste=20):
        await made(cell, upgradePolicy={"onFailure": "Rollback"})
        await cell.set_spec(packageVersion=NEW)
        told = await cell.until_condition("UpToDate", "RolledBack")
        went_back = f"{NEW} failed, so the masters went back to {OLD}: kube-apiserver: {TRIED}demo-apiserver-"
        assert went_back in told["message"]
        assert cell.condition("Available")["status"] == "True"
        failed = await cell.until_told("UpgradeFailed", f"{NEW}: {told['message'].split(': ', 1)[1].split(';')[0]}")
        assert len(failed) == 1
        await cell.kubelet.until(lambda: images(cell) == {OLD, "3.6.16"}, "the one that was tried is gone")
        assert cell.status()["upgrade"]["failedVersion"] == NEW
        cell.kubelet.behave("run", BROKEN_IMAGE)
        asked = asking_for(await cell.client.get(CLUSTER, "demo", cell.namespace), NEW)
        await cell.set_spec(upgradePolicy={"attempt": asked.spec.upgrade_policy.attempt})
        await until_at(cell, NEW)
    assert images(cell) == {NEW, "3.6.16"}


async def test_a_host_that_is_away_in_the_middle_fails_no_version_and_the_move_ends(cell: Cell) -> None:
    def has_waited() -> bool:
        upgrade = cell.status().get("upgrade", {})
        began, counted = upgrade.get("componentStartedAt", ""), upgrade.get("countedFrom", "")
        is_told = f"host {HOST} is away, and its time stands" in cell.condition("UpToDate").get("message", "")
        return is_told and counted != "" and datetime.fromisoformat(counted) > datetime.fromisoformat(began) + 2 * STEP

    cell.kubelet.behave("start", BROKEN_IMAGE)
    cell.kubelet.behave("run", *ON_TRIAL)
    async with cell.operator(haste=20):
        await made(cell, upgradePolicy={"stepTimeoutSeconds": STEP.seconds})
        await cell.client.create(NODE, {"metadata": {"name": HOST}})  # nobody says that it is ready
        try:
            await cell.set_spec(packageVersion=NEW)
            await cell.kubelet.until(has_waited, "more than the time of a step has passed, and the host is told")
            cell.kubelet.behave("run", BROKEN_IMAGE)  # in truth elsewhere, or when the host is back
            await until_at(cell, NEW)
        finally:
            await cell.client.delete(NODE, HOST)
    assert images(cell) == {NEW, "3.6.16"}


async def test_an_image_that_nobody_has_is_named_with_its_host_and_nothing_else_is_touched(cell: Cell) -> None:
    cell.kubelet.behave("image", BROKEN_IMAGE)
    async with cell.operator(haste=20):
        await made(cell)
        untouched = {name: cell.get("Deployment", name)["metadata"] for name in CONTROLLERS}
        await cell.set_spec(packageVersion=NEW)
        told = await cell.until_condition("UpToDate", "UpgradeFailed")
        assert f"kube-apiserver: {TRIED}image {BROKEN_IMAGE} cannot be had on host " in told["message"]
        assert cell.condition("Available")["status"] == "True"
        for name, before in untouched.items():
            now = cell.get("Deployment", name)["metadata"]
            assert (now["uid"], now["generation"]) == (before["uid"], before["generation"])


async def test_two_minors_back_are_refused_with_the_path(cell: Cell) -> None:
    parts = [
        {**part, "version": part["version"].replace("v1.34.", "v1.33.")}
        for part in example(f"packageversions/{OLD}.yaml")["spec"]["components"]
    ]
    name = f"back-{cell.namespace}"
    changes = {"metadata.name": name, "spec.kubernetesVersion": "v1.33.4", "spec.components": parts}
    await cell.client.create(PACKAGE_VERSION, bent(example(f"packageversions/{OLD}.yaml"), changes))
    async with cell.operator():
        await cell.declare(packageVersion=NEW)
        await cell.until_ready()
        await cell.set_spec(packageVersion=name)
        told = await cell.until_condition("Accepted", "UpgradeRefused")
        assert "1.35 -> 1.34 -> 1.33; declare a package version of 1.34 first" in told["message"]
    assert images(cell) == {NEW, "3.6.16"}
    await cell.client.delete(PACKAGE_VERSION, name)


async def test_kubelets_that_are_too_old_forbid_it(cell: Cell) -> None:
    cell.endpoint.kubelet_versions = ["v1.31.2"]
    async with cell.operator():
        await made(cell)
        await cell.set_spec(packageVersion=NEW)
        told = await cell.until_condition("Accepted", "UpgradeRefused")
        assert "kubelets of 1.31, more than 3 minor versions behind 1.35" in told["message"]
    assert images(cell) == {OLD, "3.6.16"}


async def test_a_skipped_minor_is_refused_with_the_path(cell: Cell) -> None:
    far = example(f"packageversions/{NEW}.yaml")
    parts = [{**part, "version": part["version"].replace("v1.35.", "v1.36.")} for part in far["spec"]["components"]]
    changes = {"metadata.name": f"far-{cell.namespace}", "spec.kubernetesVersion": "v1.36.4", "spec.components": parts}
    await cell.client.create(PACKAGE_VERSION, bent(far, changes))
    async with cell.operator():
        await made(cell)
        await cell.set_spec(packageVersion=f"far-{cell.namespace}")
        told = await cell.until_condition("Accepted", "UpgradeRefused")
        assert "1.34 -> 1.35 -> 1.36; declare a package version of 1.35 first" in told["message"]
        await cell.set_spec(packageVersion=NEW)
        await until_at(cell, NEW)
    await cell.client.delete(PACKAGE_VERSION, f"far-{cell.namespace}")


async def test_a_pause_stops_before_the_next_master(cell: Cell) -> None:
    cell.kubelet.behave("start", BROKEN_IMAGE)
    cell.kubelet.behave("run", *ON_TRIAL)
    async with cell.operator():
        await made(cell)
        await cell.set_spec(packageVersion=NEW)
        await cell.kubelet.until(lambda: NEW in template(cell, "apiserver")["image"], "the API server moves")
        await cell.set_spec(paused=True)
        await cell.until_condition("UpToDate", "Paused")
        cell.kubelet.behave("run", BROKEN_IMAGE)
        await cell.kubelet.until(
            lambda: (
                not any(
                    OLD in pod["spec"]["containers"][0]["image"] and "apiserver" in pod["metadata"]["name"]
                    for pod in cell.all("Pod")
                )
            ),
            "the API server came up",
        )
        assert cell.status()["upgrade"]["component"] == "kube-apiserver"
        await cell.set_spec(paused=False)
        await until_at(cell, NEW)


@pytest.mark.parametrize("policy", ["Pause", "Rollback"])
async def test_an_api_server_that_is_ready_and_refuses_clients_never_meets_any(tall: Cell, policy: str) -> None:
    cell = tall

    def refuses(url: str) -> str:
        bad = [pod for pod in cell.all("Pod") if pod["spec"]["containers"][0]["image"] == BROKEN_IMAGE]
        return "401 Unauthorized" if any(pod["status"].get("podIP", "-") in url for pod in bad) else ""

    cell.endpoint.refuses = refuses
    async with cell.operator(haste=30):
        await made(cell, topology="ha", upgradePolicy={"onFailure": policy})
        before = servers(cell)
        await cell.set_spec(packageVersion=NEW)
        told = await cell.until_condition("UpToDate", "UpgradeFailed" if policy == "Pause" else "RolledBack")
        assert f"{TRIED}401 Unauthorized" in told["message"]
        assert servers(cell) == before, "no API server of the endpoint was ever touched"
        assert cell.condition("Available")["status"] == "True"
        await cell.set_spec(packageVersion=OLD)
        await until_at(cell, OLD)
        await cell.kubelet.until(lambda: not tried(cell), "what was tried is gone")
        assert servers(cell) == before


def servers(cell: Cell) -> set[str]:
    """The uids of the Pods of the endpoint's Service, and all that were ever made for it."""
    chosen = cell.get("Service", "demo-apiserver")["spec"]["selector"].items()
    pods = [pod for pod in cell.all("Pod") if chosen <= pod["metadata"]["labels"].items()]
    made = [name for place, name in cell.kubelet.started if place == cell.namespace and "apiserver" in name]
    return {pod["metadata"]["uid"] for pod in pods} | {name for name in made if "-trial-" not in name}


def tried(cell: Cell) -> list[Whole]:
    """What there is of an API server that is tried."""
    return [each for kind in ("Deployment", "Pod") for each in cell.all(kind) if "-trial" in each["metadata"]["name"]]
