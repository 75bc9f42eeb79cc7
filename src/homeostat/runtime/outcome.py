"""How one reconcile, or one action of it, ended. Nothing else decides about requeueing.

| outcome | means | requeue | back-off |
|---|---|---|---|
| Done | observed = declared, or this action is done | no | forgotten |
| Progress | going well, not finished | after `after_s`, or when something changes | forgotten |
| Retry | it failed, and trying again can help | after the key's back-off | grows |
| Stop | a person must act | when something changes | forgotten |
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct


class Done(Struct, frozen=True):
    """Nothing is left to do."""


class Progress(Struct, frozen=True):
    """Look again after so many seconds; changes wake the key earlier anyway."""

    after_s: float
    why: str = ""


class Retry(Struct, frozen=True):
    """It failed for now; the key's back-off says when to try again, `after_s` is the least (a Retry-After)."""

    error: Exception
    after_s: float = 0.0


class Stop(Struct, frozen=True):
    """No trying will help until a person or another program changes something."""

    why: str


Outcome = Done | Progress | Retry | Stop
DONE = Done()


def combine(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome of a whole: an error wins over a stop, a stop over the soonest progress, that over done."""
    result: Outcome = DONE
    for outcome in outcomes:
        match outcome, result:
            case Retry(), Retry():
                result = outcome if outcome.after_s > result.after_s else result
            case Retry(), _:
                result = outcome
            case (_, Retry()) | (_, Stop()):
                continue
            case Stop(), _:
                result = outcome
            case Progress(after_s=soon), Progress(after_s=late):
                result = outcome if soon < late else result
            case Progress(), _:
                result = outcome
            case _:
                continue
    return result
