"""Which snapshots may go, as a pure decision: what is there, what is wanted and the time give what to delete.

Only sound snapshots count. Hours, days and weeks are those of UTC in which there are snapshots, so a pause of a month
does not age the last good ones out; of each, the newest snapshot stands for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from homeostat.operators.cluster.backup.listing import Entry, newest_first

# A clock that is further ahead than this is wrong. Kubernetes' own leases and certificates bear about as much.
SKEW = timedelta(minutes=5)


class Policy(Struct, frozen=True):
    """How many sound snapshots are wanted; a snapshot may count for several. Raises ValueError."""

    last: int = 5
    hourly: int = 0
    daily: int = 7
    weekly: int = 4
    damaged: timedelta = timedelta(days=7)  # how long people can look at a damaged one before it goes

    def __post_init__(self) -> None:
        """Refuse what can only be a slip."""
        for name in ("last", "hourly", "daily", "weekly"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: expected 0 or more, found {getattr(self, name)}")
        if self.damaged < timedelta(days=1):
            raise ValueError(f"damaged: expected a day or more, found {self.damaged}; uploads may be under way")


class Verdict(Struct, frozen=True):
    """One snapshot with the reasons that decided."""

    id: str
    reasons: tuple[str, ...]


class Retention(Struct, frozen=True):
    """Every snapshot, once; the newest first."""

    keep: tuple[Verdict, ...] = ()
    go: tuple[Verdict, ...] = ()


def retain(
    snapshots: Iterable[Entry], policy: Policy, now: datetime, pinned: frozenset[str] = frozenset()
) -> Retention:
    """What stays and what goes. `pinned` are ids that a restore or an upgrade under way names: those never go."""
    ordered = newest_first(snapshots)
    reasons = _reasons_to_keep(ordered, policy, now, pinned)
    newest_sound = next((one.id for one in ordered if one.is_sound), "")
    keep, go = [], []
    for one in ordered:
        if one.id in reasons:
            keep.append(Verdict(one.id, tuple(reasons[one.id])))
        elif one.is_sound:
            go.append(Verdict(one.id, ("no rule of the policy keeps it",)))
        else:
            go.append(Verdict(one.id, (f"damaged for long, and {newest_sound} is sound: {one.damaged}",)))
    return Retention(tuple(keep), tuple(go))


def _reasons_to_keep(
    ordered: tuple[Entry, ...], policy: Policy, now: datetime, pinned: frozenset[str]
) -> dict[str, list[str]]:
    sound = [(one, one.taken_at) for one in ordered if one.is_sound and one.taken_at is not None]
    reasons = _reasons_of_the_policy(sound, policy, now)
    for one in ordered:
        if one.id in pinned:
            reasons[one.id].append("a restore or an upgrade under way names it")
        if not one.is_sound and (why := _why_a_damaged_one_stays(one, policy, now, has_sound=bool(sound))):
            reasons[one.id].append(why)
    return reasons


def _reasons_of_the_policy(sound: list[tuple[Entry, datetime]], policy: Policy, now: datetime) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = defaultdict(list)
    past = [(one, taken_at) for one, taken_at in sound if taken_at <= now + SKEW]
    for one, taken_at in sound:
        if taken_at > now + SKEW:
            reasons[one.id].append("it is dated in the future, so its age is not known")
    for one, _ in (*sound[:1], *past[:1]):
        if "the newest" not in reasons[one.id]:
            reasons[one.id].append("the newest")
    for one, _ in past[: policy.last]:
        reasons[one.id].append(f"one of the last {policy.last}")
    for number, word, period in (
        (policy.hourly, "hour", _hour),
        (policy.daily, "day", _day),
        (policy.weekly, "week", _week),
    ):
        for one in _newest_of_each(past, period)[:number]:
            reasons[one.id].append(f"the newest of one of the last {number} {word}s")
    return reasons


def _why_a_damaged_one_stays(one: Entry, policy: Policy, now: datetime, *, has_sound: bool) -> str:
    if one.taken_at is None:
        return "homeostat did not name it, so homeostat does not delete it"
    if not has_sound:
        return "nothing sound is there, so people may want what is left of it"
    if now - one.taken_at <= policy.damaged:
        return "damaged, but young enough to be under way or looked at"
    return ""


def _newest_of_each(past: list[tuple[Entry, datetime]], period: Callable[[datetime], tuple[int, ...]]) -> list[Entry]:
    newest: dict[tuple[int, ...], Entry] = {}
    for one, taken_at in past:
        newest.setdefault(period(taken_at), one)
    return list(newest.values())


def _hour(time: datetime) -> tuple[int, ...]:
    return (time.year, time.month, time.day, time.hour)


def _day(time: datetime) -> tuple[int, ...]:
    return (time.year, time.month, time.day)


def _week(time: datetime) -> tuple[int, ...]:
    return tuple(time.isocalendar()[:2])
