"""What is tried about a stateless master that is ill, and how long after the last try. Pure.

A new Pod costs least and cures most. When the same host makes it ill again, another one is preferred. What is ill after
that is not cured by restarting, so a person is told, and nothing is tried any more until it was well once.

| attempts so far | the last one was on the same host, and another host is open | next |
|---|---|---|
| 0 | - | Recreate |
| 1 to 3 | no | Recreate |
| 1 to 3 | yes | Move |
| 4 | - | HandOver |

Hosts that made a component ill stand in the template of its Pods. So they are not forgotten with the rest after a calm:
that would replace all of it, well as it is, for nothing. They go when its Pods are made anew for another version.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from homeostat.api.cluster.healing import MasterRestartStatus
from homeostat.kit.backoff import doubled

RECREATE, MOVE, HAND_OVER = "Recreate", "Move", "HandOver"
LAST_ATTEMPT = 4
FORGOTTEN_AFTER = timedelta(hours=12)  # of calm: then the next illness is a first one
_REMEMBERED = 8  # as the CRD says
_FIRST_BACK_OFF, _LONGEST_BACK_OFF = timedelta(minutes=2), timedelta(hours=6)

STEPS: Mapping[tuple[int, bool], str] = {
    (0, False): RECREATE,
    (0, True): RECREATE,
    **{(attempts, False): RECREATE for attempts in range(1, LAST_ATTEMPT)},
    **{(attempts, True): MOVE for attempts in range(1, LAST_ATTEMPT)},
    (LAST_ATTEMPT, False): HAND_OVER,
    (LAST_ATTEMPT, True): HAND_OVER,
}


def back_off(attempts: int) -> timedelta:
    """How long after the last attempt the next one waits: what breaks for ever must not use up the cell's budget."""
    return doubled(_FIRST_BACK_OFF, attempts, _LONGEST_BACK_OFF)


def is_handed_over(entry: MasterRestartStatus) -> bool:
    """Whether a person must look at it, and nothing is tried any more."""
    return entry.step == HAND_OVER and entry.ended_at is None


def is_under_way(entry: MasterRestartStatus) -> bool:
    """Whether something was tried, and all of the component is not well since."""
    return entry.step != HAND_OVER and entry.ended_at is None


def is_starting(entry: MasterRestartStatus, now: datetime, settling: timedelta) -> bool:
    """Whether what was tried has the time that a container may take to start."""
    return is_under_way(entry) and now < entry.started_at + settling


def is_forgotten(before: MasterRestartStatus, now: datetime) -> bool:
    """Whether it was well for so long that nothing follows from it any more."""
    return before.ended_at is not None and now >= before.ended_at + FORGOTTEN_AFTER


def is_void(before: MasterRestartStatus, now: datetime) -> bool:
    """Whether it is forgotten, and nothing of it is in the template of the component's Pods."""
    return is_forgotten(before, now) and not before.avoided_hosts


def attempts_so_far(before: MasterRestartStatus | None, now: datetime) -> int:
    """How many attempts count for the next one."""
    return 0 if before is None or is_forgotten(before, now) else before.attempts


def next_attempt(
    before: MasterRestartStatus | None, ill: MasterRestartStatus, now: datetime, *, has_room: bool
) -> MasterRestartStatus:
    """What is to be done about `ill`, of which only Pod, host and reason count; `has_room`: another host is open."""
    attempts = attempts_so_far(before, now)
    known = before if before is not None and attempts else ill
    step = STEPS[min(attempts, LAST_ATTEMPT), known.host == ill.host and has_room]
    if step == HAND_OVER:
        return replace(known, step=HAND_OVER, reason=ill.reason, ended_at=None)
    kept = before.avoided_hosts if before is not None else ()
    avoided = (*kept, ill.host) if step == MOVE else kept
    return replace(
        ill,
        step=step,
        attempts=attempts + 1,
        started_at=now.replace(microsecond=0),
        earlier=(*known.earlier, known.started_at)[-_REMEMBERED:] if attempts else (),
        avoided_hosts=tuple(dict.fromkeys(avoided))[-_REMEMBERED:],
    )
