"""Conditions as the Kubernetes API conventions want them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from homeostat.api.meta import Condition

TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"


def set_condition(
    conditions: Iterable[Condition],
    type_: str,
    status: bool | str | None,
    reason: str,
    message: str = "",
    *,
    generation: int,
    now: datetime,
) -> tuple[Condition, ...]:
    """The conditions with this one set, in their old order; None means Unknown.

    The transition time is kept while the status is equal and it is past, and has whole seconds, as metav1.Time has.
    """
    word = status if isinstance(status, str) else {True: TRUE, False: FALSE, None: UNKNOWN}[status]
    before = tuple(conditions)
    old = find_condition(before, type_)
    since = old.last_transition_time if old is not None and old.status == word else None
    if since is not None and since > now:
        since = None  # a hasty clock wrote it: trusted, the condition would not age before that time
    new = Condition(
        type=type_,
        status=word,
        reason=reason,
        message=message,
        last_transition_time=since or now.replace(microsecond=0),
        observed_generation=generation,
    )
    if old is None:
        return (*before, new)
    return tuple(new if condition.type == type_ else condition for condition in before)


def remove_condition(conditions: Iterable[Condition], type_: str) -> tuple[Condition, ...]:
    """The conditions without this one."""
    return tuple(condition for condition in conditions if condition.type != type_)


def find_condition(conditions: Iterable[Condition], type_: str) -> Condition | None:
    """The condition of a type, if there is one."""
    return next((condition for condition in conditions if condition.type == type_), None)


def is_true(conditions: Iterable[Condition], type_: str) -> bool:
    """Whether the condition is there and true."""
    found = find_condition(conditions, type_)
    return found is not None and found.status == TRUE
