"""Sequences of wishes for one cluster: each is refused at the door, or followed, or refused in so many words.

A sequence reverses itself in the middle: a wish may come while the one before is still under way. In the end the spec
is what it was when all was well, and then all must be well again.
"""

from __future__ import annotations

from random import Random
from typing import Any

from tests.support.chaos.event import Broken
from tests.support.chaos.invariants import POLICY
from tests.support.chaos.specs import Wish, wished
from tests.support.fleets import KINDS, Fleet, fleet

from homeostat.api.cluster.v1alpha1 import CLUSTER
from homeostat.kit.clock import Clock
from homeostat.kit.pki.source import drawn_from
from homeostat.kit.random import Random as Chance
from homeostat.kube.errors import ApiError, Invalid
from homeostat.operators.cluster.words import CONDITIONS
from homeostat.sim.keys import SeededKeys
from homeostat.sim.time.running import run

SETTLES_S, RECOVERS_S, IDLE_S = 1200.0, 3600.0, 60.0
MOST_WRITES_AT_REST = 40  # in a minute in which a cluster waits for somebody to mend its spec
MOST_STEPS = 400_000
SOUND: dict[str, Any] = {"packageVersion": "v1.35.4"}
NAME = "demo"


def wish(seed: int, wishes: int) -> tuple[int, int]:
    """A sequence of so many; how many were refused at the door, and how many were taken. Raises Broken."""

    async def main(clock: Clock, random: Chance) -> tuple[int, int]:
        with drawn_from(SeededKeys(random)):
            async with fleet(clock, random, policy=POLICY) as cell:
                return await _through(cell, Random(seed), wishes)

    return run(main, seed=seed, most_steps=MOST_STEPS)


async def _through(cell: Fleet, chance: Random, wishes: int) -> tuple[int, int]:
    refused = 0
    await _begin(cell, chance)
    for _ in range(wishes):
        is_taken = await _wish(cell, wished(chance))
        refused += not is_taken
        if is_taken and chance.random() < 0.5:
            await cell.clock.sleep(chance.choice((0.0, 1.0, 7.0, 30.0, 90.0)))
        elif is_taken:
            await _settle(cell)
    await _settle(cell)
    await _recover(cell)
    return refused, wishes - refused


async def _begin(cell: Fleet, chance: Random) -> None:
    """Created as somebody wishes, where that can be; created soundly otherwise."""
    drawn = wished(chance)
    try:
        await cell.declare(NAME, **{**SOUND, **drawn.patch})
    except ApiError as error:
        _clearly_refused(cell, error, drawn)
        await cell.declare(NAME, **SOUND)
        return
    if drawn.must_fail:
        raise Broken("what_the_schema_forbids_is_not_taken", f"{drawn.patch}", cell.clock.monotonic())


async def _wish(cell: Fleet, drawn: Wish) -> bool:
    """Whether it was taken. Raises Broken when the server's answer is not clear, or what cannot be was taken."""
    try:
        await cell.change(NAME, **drawn.patch)
    except ApiError as error:
        _clearly_refused(cell, error, drawn)
        return False
    if drawn.must_fail:
        raise Broken("what_the_schema_forbids_is_not_taken", f"{drawn.patch}", cell.clock.monotonic())
    return True


def _clearly_refused(cell: Fleet, error: ApiError, drawn: Wish) -> None:
    is_clear = isinstance(error, Invalid) and any(cause.field and cause.message for cause in error.causes)
    if not is_clear:
        raise Broken("a_refusal_names_field_and_reason", f"{drawn.patch}: {error!r}", cell.clock.monotonic())


async def _settle(cell: Fleet) -> None:
    """It becomes Ready, or says why not and rests. Raises Broken."""
    until = cell.clock.monotonic() + SETTLES_S
    while not cell.is_ready(NAME) and cell.clock.monotonic() < until:
        await cell.clock.sleep(5)
    before = cell.world.server.store.revision
    await cell.clock.sleep(IDLE_S)
    if cell.is_ready(NAME):
        return
    written = cell.world.server.store.revision - before
    meta, status = (cell.find("Cluster", NAME) or {}).get("metadata", {}), cell.status(NAME)
    if status.get("observedGeneration") != meta.get("generation"):
        raise Broken("every_spec_is_answered", f"{status.get('observedGeneration')}", cell.clock.monotonic())
    said = [each for each in status["conditions"] if each["type"] in CONDITIONS and each["status"] != "True"]
    if not said or any(not each["reason"] or not each.get("message") for each in said):
        raise Broken("what_is_not_followed_is_refused_in_words", f"{said}", cell.clock.monotonic())
    if written > MOST_WRITES_AT_REST:
        raise Broken("what_is_refused_rests", f"{written} writes in a minute; {cell.story()}", cell.clock.monotonic())


async def _recover(cell: Fleet) -> None:
    """The spec becomes sound, and the cluster well. Raises Broken."""
    before = cell.find("Cluster", NAME)
    assert before is not None
    is_fresh = "readyAt" not in before.get("status", {})
    spec: dict[str, Any] = {
        name: None for name in before["spec"] if name not in ("network", "endpoint", "storage", "restoreFrom")
    }
    package = before.get("status", {}).get("packageVersion") or SOUND["packageVersion"]
    attempt = min(before["spec"].get("upgradePolicy", {}).get("attempt", 0), (1 << 62)) + 1
    released = before["spec"].get("keys", {}).get("rotations", {})
    spec |= {"packageVersion": package, "upgradePolicy": {"attempt": attempt}}
    spec |= {"keys": {"rotations": released, "released": released}}
    if is_fresh and "restoreFrom" in before["spec"]:  # it cannot be mended, only left
        await cell.client.delete(CLUSTER, NAME, "default")
        await cell.until_gone(NAME, within_s=RECOVERS_S)
        await cell.declare(NAME, **SOUND)
    else:
        await cell.client.merge_patch(KINDS["Cluster"], NAME, {"spec": spec}, "default")
    try:
        await cell.until_ready(NAME, within_s=RECOVERS_S)
    except AssertionError as error:
        told = f"{(cell.find('Cluster', NAME) or {}).get('spec')}: {error}"
        raise Broken("what_is_sound_again_recovers", told, cell.clock.monotonic()) from error
