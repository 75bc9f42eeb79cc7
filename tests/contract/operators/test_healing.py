"""A dead member of etcd gives way to a new one, step by step, and whoever dies in between changes nothing of it."""

from __future__ import annotations

from tests.support.cells import Cell

VICTIM = "demo-etcd-1"
STORY = [f"removed {VICTIM}", f"added {VICTIM}", f"promoted {VICTIM}"]
HASTE = 30.0  # so that the least patience, half a minute, is a second


async def declare(cell: Cell, **healing: object) -> None:
    await cell.declare(topology="ha", healing={"replaceMemberAfterSeconds": 30, **healing})
    await cell.until_ready()


def die(cell: Cell) -> None:
    """The member's process ends again and again, and nobody answers at its address."""
    cell.etcd.dead.add(f"{VICTIM}.demo-etcd.{cell.namespace}.svc")
    cell.kubelet.behave("crash", VICTIM)


def claim_of(cell: Cell) -> str:
    found = cell.find("PersistentVolumeClaim", f"data-{VICTIM}")
    return "" if found is None else str(found["metadata"]["uid"])


async def until_new(cell: Cell, old: str) -> None:
    """A Pod with an empty volume has come."""

    def came() -> bool:
        pod = cell.find("Pod", VICTIM)
        is_new = claim_of(cell) not in ("", old)
        return is_new and pod is not None and "deletionTimestamp" not in pod["metadata"]

    await cell.kubelet.until(came, "the volume is another one")


async def until_told_of(cell: Cell, story: list[str]) -> None:
    await cell.kubelet.until(lambda: cell.etcd.story[: len(story)] == story, f"etcd was told: {story}")


async def until_whole(cell: Cell) -> None:
    await cell.kubelet.until(
        lambda: cell.condition("Ready")["status"] == "True" and "replacement" not in cell.status().get("healing", {}),
        "all members are there again",
    )


async def test_a_dead_member_is_replaced_and_the_story_is_told(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=HASTE):
        await declare(cell)
        old, others = claim_of(cell), [claim["metadata"]["uid"] for claim in cell.all("PersistentVolumeClaim")]
        die(cell)
        told = await cell.until_condition("EtcdReady", "ReplacingMember")
        assert VICTIM in told["message"]
        await until_new(cell, old)
        await until_told_of(cell, STORY[:2])
        cell.kubelet.behave("run", VICTIM)
        cell.etcd.start(VICTIM)
        await until_whole(cell)
        await cell.until_told("MemberReplaced", f"{VICTIM} is a member again, and ready")
    assert cell.etcd.story == STORY
    now = [claim["metadata"]["uid"] for claim in cell.all("PersistentVolumeClaim")]
    assert len(set(others) & set(now)) == 2
    assert cell.status()["healing"]["attempts"] == 1


async def test_an_operator_that_dies_after_every_step_goes_on_where_it_was(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=HASTE):
        await declare(cell)
        old = claim_of(cell)
        die(cell)
        await cell.kubelet.until(lambda: "replacement" in cell.status().get("healing", {}), "it is written down")
    for story in (STORY[:1], STORY[:2]):
        async with cell.operator(haste=HASTE):
            await until_told_of(cell, story)
    async with cell.operator(haste=HASTE):
        await until_new(cell, old)
    cell.kubelet.behave("run", VICTIM)
    cell.etcd.start(VICTIM)
    async with cell.operator(haste=HASTE):
        await until_told_of(cell, STORY)
    async with cell.operator(haste=HASTE):
        await until_whole(cell)
    assert cell.etcd.story == STORY
    assert cell.status()["healing"]["attempts"] == 1


async def test_without_the_others_nothing_is_touched_and_a_person_is_told(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=HASTE):
        await declare(cell)
        old = claim_of(cell)
        cell.etcd.dead.add(f"demo-etcd-2.demo-etcd.{cell.namespace}.svc")
        die(cell)
        await cell.until_condition("EtcdReady", "QuorumAtRisk")
    assert cell.etcd.story == []
    assert claim_of(cell) == old


async def test_while_healing_is_paused_a_dead_member_is_told_and_left_until_it_goes_on(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=HASTE):
        await declare(cell, paused=True)
        die(cell)
        await cell.until_condition("EtcdReady", "HealingPaused")
        assert cell.etcd.story == []
        await cell.set_spec(healing={"paused": False})
        await until_told_of(cell, STORY[:2])


async def test_a_member_that_only_its_kubelet_finds_dead_stays(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=HASTE):
        await declare(cell)
        cell.kubelet.behave("start", VICTIM)
        told = await cell.until_condition("EtcdReady", "MemberUnready")
        await cell.kubelet.until(
            lambda: "answers, but its Pod is not ready" in cell.condition("EtcdReady")["message"], told["message"]
        )
    assert cell.etcd.story == []
