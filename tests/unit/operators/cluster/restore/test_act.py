"""What a restore deletes is looked at again right before: the host that is away may be back."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import to_builtins
from msgspec.structs import replace
from tests.support.ailing import NAMES
from tests.support.clusters import NOW
from tests.support.restoring import ID, OWN, FakeHandout, FakeStore, manifest, restoring
from tests.support.scripted import Answer, Scripted, Step, status

from homeostat.api.cluster.certificates import ClusterRotationStatus
from homeostat.api.core import PERSISTENT_VOLUME_CLAIM
from homeostat.operators.cluster.actions import Wrote
from homeostat.operators.cluster.observe import Memory, Observed, Rewriting
from homeostat.operators.cluster.restore.act import RestoreActor
from homeostat.operators.cluster.restore.actions import Clear, RestoreMember
from homeostat.operators.cluster.restore.beginning import RESTORING, STARTING
from homeostat.operators.cluster.restore.ports import RestoreTools
from homeostat.runtime.outcome import DONE, Outcome, Progress

CLAIM = f"data-{NAMES[1]}"
GIVE_UP = Clear(PERSISTENT_VOLUME_CLAIM, CLAIM, f"uid-{CLAIM}", away="h1")


def told(seen: Observed, **spec: Any) -> Answer:
    """The Cluster as the API has it at this moment."""
    return Answer(body=to_builtins(replace(seen.cluster, spec=replace(seen.cluster.spec, **spec))))


def host(*, ready: bool) -> Answer:
    conditions = [{"type": "Ready", "status": "True" if ready else "Unknown"}]
    return Answer(body={"metadata": {"name": "h1"}, "status": {"conditions": conditions}})


async def give_up(*script: Step) -> tuple[Outcome, list[str]]:
    """The outcome, and what was asked of the API."""
    scripted = Scripted(*script)
    actor = RestoreActor(scripted.client, None, lambda _: Memory(), clock=scripted.clock)
    outcome = await actor.act(restoring(RESTORING), GIVE_UP)
    return outcome, [request.method for request in scripted.transport.requests]


@pytest.mark.parametrize("answer", [host(ready=False), Answer(404, status(404, "NotFound"))])
async def test_a_volume_on_a_host_that_is_still_away_is_given_up(answer: Answer) -> None:
    gone = Answer(body=status(200))
    assert await give_up(told(restoring(RESTORING)), answer, gone) == (DONE, ["GET", "GET", "DELETE"])


async def test_a_volume_whose_host_is_back_is_kept() -> None:
    outcome, asked = await give_up(told(restoring(RESTORING)), host(ready=True))
    assert outcome == Progress(5.0, f"{CLAIM} is not given up: its host h1 is ready again")
    assert asked == ["GET", "GET"]


@pytest.mark.parametrize("now", [told(restoring(RESTORING), paused=True), told(restoring(STARTING))])
async def test_a_restore_that_was_paused_or_went_on_meanwhile_deletes_nothing(now: Answer) -> None:
    assert await give_up(now) == (Progress(5.0, f"{CLAIM} is not in the way of a restore any more"), ["GET"])


async def test_what_a_rotation_had_written_anew_is_not_in_the_snapshot_and_is_written_once_more() -> None:
    seen, made = restoring(RESTORING), Answer(body={"metadata": {"name": "any"}})
    going = ClusterRotationStatus(keys="encryptionKey", number=1, stage="Holding", started_at=NOW, stage_started_at=NOW)
    memory = Memory(rewriting=Rewriting(going, is_done=True))
    store = FakeStore(manifest())
    handout = FakeHandout(store)
    await handout.offer(seen.cluster.metadata.uid, OWN, ID)
    scripted = Scripted(told(seen), *[made] * 3)
    tools = RestoreTools(store, handout, "homeostat:test")
    actor = RestoreActor(scripted.client, tools, lambda _: memory, clock=scripted.clock)
    assert isinstance(await actor.act(seen, RestoreMember(NAMES[0])), Wrote)
    assert memory.rewriting is None
