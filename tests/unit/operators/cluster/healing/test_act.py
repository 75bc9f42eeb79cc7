"""What a replacement discards is looked at again right before: whoever has a vote keeps its volume and its Pod."""

from __future__ import annotations

import pytest
from msgspec import to_builtins
from tests.support.ailing import DEAD, NAMES, ailing, host_of, replacing
from tests.support.membership import FakeEtcd
from tests.support.scripted import Answer, Scripted, Step, status

from homeostat.api.core import PERSISTENT_VOLUME_CLAIM
from homeostat.api.pods import POD
from homeostat.operators.cluster.actions import Discard
from homeostat.operators.cluster.healing.act import MemberActor
from homeostat.operators.cluster.observe import Memory, Observed
from homeostat.operators.cluster.ports import EtcdAccess
from homeostat.runtime.outcome import DONE, Outcome, Progress

CLAIM = Discard(PERSISTENT_VOLUME_CLAIM, f"data-{DEAD}", f"uid-data-{DEAD}")
LEFT_POD = Discard(POD, DEAD, f"uid-{DEAD}")
KEYS = Answer(body={"metadata": {"name": "demo-apiserver"}})
GONE = Answer(body=status(200))
ACCESS = EtcdAccess({name: host_of(name) for name in NAMES}, b"", b"", b"")


def told(seen: Observed) -> Answer:
    """The Cluster as the API has it at this moment."""
    return Answer(body=to_builtins(seen.cluster))


async def after_removal(*, learner: bool = True) -> FakeEtcd:
    """An etcd without the dead member, and with a learner in its place."""
    etcd = FakeEtcd()
    (dead,) = [each for each in await etcd.members(ACCESS) if each.name == DEAD]
    await etcd.remove(ACCESS, dead.id)
    if learner:
        await etcd.add_learner(ACCESS, host_of(DEAD))
    return etcd


async def discard(etcd: FakeEtcd, action: Discard, *script: Step) -> tuple[Outcome, list[str]]:
    """The outcome, and what was asked of the API."""
    scripted = Scripted(KEYS, *script)
    actor = MemberActor(scripted.client, etcd, lambda _: Memory(), clock=scripted.clock)
    outcome = await actor.act(replacing(ailing(DEAD)), action)
    return outcome, [request.method for request in scripted.transport.requests]


@pytest.mark.parametrize("action", [CLAIM, LEFT_POD])
@pytest.mark.parametrize("learner", [True, False])
async def test_what_a_removed_member_left_goes_while_a_learner_or_nobody_is_in_its_place(
    action: Discard, learner: bool
) -> None:
    etcd = await after_removal(learner=learner)
    assert await discard(etcd, action, told(replacing(ailing(DEAD))), GONE) == (DONE, ["GET", "GET", "DELETE"])


@pytest.mark.parametrize("action", [CLAIM, LEFT_POD])
async def test_what_a_member_with_a_vote_stands_on_stays_whatever_was_planned(action: Discard) -> None:
    outcome, asked = await discard(FakeEtcd(), action)
    assert outcome == Progress(5.0, f"{action.name} does not go: a member with a vote stands on it")
    assert asked == ["GET"]


async def test_nothing_is_discarded_while_etcd_cannot_be_asked() -> None:
    etcd = await after_removal()
    etcd.failure = "no route"
    assert await discard(etcd, CLAIM) == (Progress(5.0, "no route"), ["GET"])


async def test_nothing_is_discarded_for_a_replacement_that_ended_meanwhile() -> None:
    outcome, asked = await discard(await after_removal(), CLAIM, told(ailing(DEAD)))
    assert outcome == Progress(5.0, f"{CLAIM.name} is not to go any more")
    assert asked == ["GET", "GET"]
