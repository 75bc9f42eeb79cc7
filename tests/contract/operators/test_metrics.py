"""What an operator at work tells in numbers: everything that began and ended, once, and what there is now."""

from __future__ import annotations

from tests.support.cells import Cell

OLD, NEW = "v1.34.4", "v1.35.4"


async def test_a_life_from_creation_over_an_upgrade_to_the_deletion_is_counted(cell: Cell) -> None:
    cell.kubelet.collects_pods = True
    async with cell.operator() as operator:

        def ended(operation: str) -> float:
            return operator.value("orchestrations_total", operation=operation, result="succeeded")

        async def until_ended(operation: str) -> None:
            await cell.kubelet.until(lambda: ended(operation), f"one {operation} is counted")

        await cell.declare(packageVersion=OLD)
        await cell.until_ready()
        await until_ended("create")
        await cell.kubelet.until(lambda: operator.value("clusters", phase="Ready", version=NEW), "one is Ready")
        await cell.set_spec(packageVersion=NEW)
        await cell.kubelet.until(
            lambda: operator.value("orchestrations_running", operation="upgrade"), "a move is under way"
        )
        await until_ended("upgrade")
        await cell.set_spec(packageVersion=OLD)
        await until_ended("rollback")
        await cell.delete()
        await cell.until_gone()
        assert await operator.end() == 0  # the look that let it go is over then
        for operation in ("create", "upgrade", "rollback", "delete"):
            assert ended(operation) == 1, operation
            took = operator.value("orchestration_duration_seconds_sum", operation=operation, result="succeeded")
            assert 0 <= took < 60, operation
            assert operator.value("orchestrations_running", operation=operation) == 0, operation
        assert operator.value("clusters", phase="Ready", version=NEW) == 0
        assert operator.value("cluster_conditions", condition="Ready", status="True", reason="Serving") == 0
        assert operator.value("probe_duration_seconds_count", target="endpoint", result="answered") > 0


async def test_an_operator_that_starts_knows_all_clusters_at_once_and_counts_nothing_twice(cell: Cell) -> None:
    async with cell.operator() as first:
        await cell.declare()
        await cell.until_ready()
        assert await first.end() == 0
    async with cell.operator() as second:
        await cell.kubelet.until(
            lambda: second.value("cluster_conditions", condition="Ready", status="True", reason="Serving"), "it is seen"
        )
        await cell.endpoint.until_asked(1)
        assert second.value("orchestrations_total", operation="create", result="succeeded") == 0
