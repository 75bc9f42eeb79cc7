"""A new release of homeostat over masters that run: it touches none, and brings its own ways with the next move."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.cells import Cell
from tests.support.kubelet import KINDS, Whole

from homeostat.operators.cluster.manifests import shape

OLD_S = 17
TUNED = [{"name": "kube-scheduler", "args": {"profiling": "true"}}]


def away_s(cell: Cell, name: str) -> int:
    tolerations: list[Whole] = cell.get("Deployment", name)["spec"]["template"]["spec"]["tolerations"]
    found: int = tolerations[0]["tolerationSeconds"]
    return found


def generations(cell: Cell) -> dict[str, Any]:
    workloads = (*cell.all("StatefulSet"), *cell.all("Deployment"))
    return {each["metadata"]["name"]: each["metadata"]["generation"] for each in workloads}


async def test_masters_run_on_as_the_release_before_made_them_until_something_else_changes(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(shape, "_AWAY_S", OLD_S)
        async with cell.operator():
            await cell.declare()
            await cell.until_ready()
    made, started = generations(cell), len(cell.kubelet.started)
    async with cell.operator() as operator:
        # A second Cluster that becomes Ready is the proof that the first was looked at by this process.
        await cell.declare("demo-2")
        await cell.until_ready("demo-2")
        assert {name: count for name, count in generations(cell).items() if name in made} == made
        touched = [sent.path for sent in operator.faults.writes if "/deployments/demo-apiserver" in sent.path]
        assert touched == []
        # A move brings the release's own way, to the component that moves and to no other.
        await cell.set_spec(overrides=TUNED)
        await cell.kubelet.until(
            lambda: away_s(cell, "demo-scheduler") != OLD_S, "the scheduler is made anew", within_s=60
        )
        await cell.until_ready(within_s=60)
        changed = {name for name, count in generations(cell).items() if made.get(name, count) != count}
        assert changed == {"demo-scheduler"}
        # And so does putting right what somebody edits.
        edit = {"spec": {"template": {"metadata": {"annotations": {"edited": "yes"}}}}}
        await cell.client.merge_patch(KINDS["Deployment"], "demo-controller-manager", edit, cell.namespace)
        await cell.kubelet.until(
            lambda: away_s(cell, "demo-controller-manager") != OLD_S, "the controller manager is made anew", within_s=60
        )
        await cell.until_ready(within_s=60)
    assert (away_s(cell, "demo-apiserver"), generations(cell)["demo-etcd"]) == (OLD_S, made["demo-etcd"])
    anew = [name for _, name in cell.kubelet.started[started:] if not name.startswith("demo-2-")]
    # What somebody edited may be made before it is put right.
    edited = sum(name.startswith("demo-controller-manager-") for name in anew)
    assert edited in (1, 2)
    assert [name for name in anew if not name.startswith("demo-controller-manager-")] == anew[:1], "the scheduler, once"
    assert anew[0].startswith("demo-scheduler-")
