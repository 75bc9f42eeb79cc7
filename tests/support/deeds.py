"""What people ask of clusters, and how it ends: the deeds of which tests make changes, whatever plays the rest."""

from __future__ import annotations

from typing import Any

from tests.support.cells import Cell
from tests.support.cutting import WITHIN_S, Deed

OLD, NEW, HOSTED = "v1.34.4", "v1.35.4", "v1.35.4-hosted"
BROKEN_IMAGE = f"homeostat.local/kube-apiserver:{NEW}"


def declaring(**spec: Any) -> Deed:
    """The creation of a Cluster."""

    async def declare(cell: Cell) -> None:
        await cell.declare(**spec)

    return declare


def setting(**spec: Any) -> Deed:
    """A change of its spec."""

    async def change(cell: Cell) -> None:
        await cell.set_spec(**spec)

    return change


async def ready(cell: Cell) -> None:
    """Ready, and what follows from that is done too."""
    await cell.until_ready(within_s=WITHIN_S)

    def is_settled() -> bool:
        membership = cell.find("ConfigMap", "demo-etcd") or {"data": {}}
        return membership["data"].get("initial-cluster-state") == "existing" and "rollback" in cell.status()

    await cell.kubelet.until(is_settled, "it is settled", within_s=WITHIN_S)


async def place_given_back(cell: Cell) -> None:
    """All masters are at rest, and the next cluster in line may have its masters made anew."""
    given_back = "its place is given back"
    await cell.kubelet.until(lambda: "rollingSince" not in cell.status(), given_back, within_s=WITHIN_S)


async def delete(cell: Cell) -> None:
    await cell.delete()


async def gone(cell: Cell) -> None:
    await cell.until_gone(within_s=WITHIN_S)


def of(package: str) -> Deed:
    """The end of a move between a package version without a hosted operator and one with it."""

    async def moved(cell: Cell) -> None:
        def is_so() -> bool:
            parts = [each["name"] for each in cell.status().get("components", ())]
            left = cell.find("Secret", "demo-op-homeostat") is not None
            is_right = left == (package == HOSTED) == ("homeostat" in parts)
            return cell.status().get("packageVersion") == package and "upgrade" not in cell.status() and is_right

        await cell.kubelet.until(is_so, f"all are of {package}", within_s=WITHIN_S)
        await cell.until_ready(within_s=WITHIN_S)
        await place_given_back(cell)

    return moved


async def upgraded(cell: Cell) -> None:
    def there() -> bool:
        return cell.status().get("packageVersion") == NEW and "upgrade" not in cell.status()

    await cell.kubelet.until(there, f"the masters are of {NEW}", within_s=WITHIN_S)
    await cell.until_ready(within_s=WITHIN_S)
    await place_given_back(cell)


async def went_back(cell: Cell) -> None:
    await cell.until_condition("UpToDate", "RolledBack", within_s=WITHIN_S)

    def all_serve() -> bool:
        parts = cell.status()["components"]
        return all((each["state"], each["packageVersion"]) == ("Ready", OLD) for each in parts)

    await cell.kubelet.until(all_serve, f"all masters are of {OLD} and ready", within_s=WITHIN_S)
    await place_given_back(cell)


def scaled(topology: str) -> Deed:
    """The end of a change of the topology."""

    async def changed(cell: Cell) -> None:
        def there() -> bool:
            told = cell.status().get("topology", {})
            return told.get("complete") == topology and "startedAt" not in told

        await cell.kubelet.until(there, f"the topology is {topology}", within_s=WITHIN_S)
        await cell.until_ready(within_s=WITHIN_S)
        await place_given_back(cell)

    return changed


def rotated(keys: str, within_s: float = WITHIN_S) -> Deed:
    """The end of the first rotation of a kind of keys that waits for no release."""

    async def changed(cell: Cell) -> None:
        def there() -> bool:
            return cell.status().get("rotations") == {keys: 1} and "rotation" not in cell.status()

        await cell.kubelet.until(there, "the keys are others", within_s=within_s)
        await cell.until_ready(within_s=within_s)
        await place_given_back(cell)

    return changed
