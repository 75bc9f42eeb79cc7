"""Keys are changed as the Cluster stands at that moment, not as it was when the plan was made."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import to_builtins
from msgspec.structs import replace
from tests.support.clusters import NOW, running
from tests.support.operating import FakeEndpoint
from tests.support.scripted import Answer, Scripted

from homeostat.api.cluster.certificates import ClusterRotationStatus
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.kube.errors import Conflict
from homeostat.operators.cluster.actions import ChangeKeys, RewriteSecrets
from homeostat.operators.cluster.observe import Memory, Observed
from homeostat.operators.cluster.pki import states
from homeostat.operators.cluster.turns.act import KeyActor
from homeostat.runtime.outcome import Outcome, Progress

GOING = ClusterRotationStatus(
    keys=states.AUTHORITIES, number=1, stage=states.PREPARING, started_at=NOW, stage_started_at=NOW
)


def rotating() -> Observed:
    seen = running()
    return replace(seen, cluster=replace(seen.cluster, status=replace(seen.cluster.status, rotation=GOING)))


async def change(now: Cluster) -> tuple[Outcome, int]:
    """The outcome, and how often the API was asked."""
    scripted = Scripted(Answer(body=to_builtins(now)))
    actor = KeyActor(scripted.client, FakeEndpoint(), lambda _: Memory(), clock=scripted.clock)
    outcome = await actor.act(rotating(), ChangeKeys(states.AUTHORITIES, "add"))
    return outcome, len(scripted.transport.requests)


@pytest.mark.parametrize("changes", [{"spec": {"paused": True}}, {"metadata": {"deletion_timestamp": NOW}}])
async def test_no_key_of_a_cluster_that_was_paused_or_deleted_meanwhile_is_changed(changes: dict[str, Any]) -> None:
    now = rotating().cluster
    for field, change_ in changes.items():
        now = replace(now, **{field: replace(getattr(now, field), **change_)})
    outcome, asked = await change(now)
    assert outcome == Progress(5.0, "keys are left as they are: the Cluster is paused or is being deleted")
    assert asked == 1


async def test_no_key_is_changed_when_the_rotation_went_on_meanwhile() -> None:
    now = rotating().cluster
    moved = replace(now, status=replace(now.status, rotation=replace(GOING, stage=states.TRUSTING)))
    with pytest.raises(Conflict, match="is another one now"):
        await change(moved)


async def test_a_failure_costs_one_page_and_five_in_a_row_the_whole_walk() -> None:
    seen, endpoint, memory = rotating(), FakeEndpoint(), Memory()
    secret = Answer(body={"metadata": {"name": "demo-admin"}})
    scripted = Scripted(*[secret] * 11)
    actor = KeyActor(scripted.client, endpoint, lambda _: memory, clock=scripted.clock)

    async def page(failure: str = "") -> str:
        """Where it goes on after one more try."""
        endpoint.failure = failure
        await actor.act(seen, RewriteSecrets())
        assert memory.rewriting is not None
        return memory.rewriting.after

    assert await page() == "1"
    assert [await page("no route") for _ in range(4)] == ["1"] * 4
    assert await page() == "2", "a page that succeeds makes it forget"
    assert [await page("no route") for _ in range(5)] == [*["2"] * 4, ""]


async def test_what_stops_the_walk_is_kept_until_all_are_written_and_asked_for_seldom() -> None:
    seen, endpoint, memory = rotating(), FakeEndpoint(), Memory()
    scripted = Scripted(*[Answer(body={"metadata": {"name": "demo-admin"}})] * 11)
    actor = KeyActor(scripted.client, endpoint, lambda _: memory, clock=scripted.clock)

    async def page(failure: str = "") -> tuple[float | None, str]:
        """When it is tried again, and what is known to stop it."""
        endpoint.failure = failure
        outcome = await actor.act(seen, RewriteSecrets())
        assert isinstance(outcome, Progress)
        assert memory.rewriting is not None
        return outcome.after_s, memory.rewriting.stuck

    assert [await page("denied") for _ in range(5)] == [*[(5.0, "")] * 4, (60.0, "denied")]
    assert await page() == (0.5, "denied"), "others may be written, and it is not passed by that"
    assert await page("denied again") == (60.0, "denied")
    assert [stuck for _, stuck in [await page(), await page()]] == ["denied", ""]
    assert memory.rewriting is not None
    assert memory.rewriting.is_done
