"""How many Events of one object are told: enough for any story, too few for a flood, and always room for its end.

A bucket of tokens per object, as in client-go. But there a chatter spends what its end would need, so the last five
tokens are kept for reasons that were not told of that object lately: that it is ready, or gone, is news after fifty
steps on the way.
"""

from __future__ import annotations

from collections import OrderedDict

from msgspec import Struct, field

BURST, REFILL_S = 25.0, 60.0  # at once, then one a minute
RESERVE = 5.0  # beyond these, for news
NEWS_S = 600.0  # how long a reason is none
REMEMBERED = 4096  # objects


class _Spent(Struct):
    """What is known of one object."""

    tokens: float
    since: float
    told: dict[str, float] = field(default_factory=dict)  # when which reason was told, if it was lately


class EventBudget:
    """The budgets of all objects that one process tells of."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, _Spent] = OrderedDict()

    def spend(self, who: str, reason: str, now: float) -> bool:
        """Whether one more may be told of this object; then it counts."""
        spent = self._of.pop(who, None) or _Spent(BURST + RESERVE, now)
        spent.tokens = min(BURST + RESERVE, spent.tokens + (now - spent.since) / REFILL_S)
        spent.since = now
        spent.told = {known: at for known, at in spent.told.items() if now - at < NEWS_S}
        may = spent.tokens >= (1.0 if reason not in spent.told else 1.0 + RESERVE)
        if may:
            spent.tokens -= 1.0
            spent.told[reason] = now
        self._of[who] = spent
        if len(self._of) > REMEMBERED:
            self._of.popitem(last=False)
        return may
