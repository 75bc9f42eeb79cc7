"""How long a kubelet waits before it tries again: ten seconds, doubled each time, up to five minutes. Pure.

As the documentation of Kubernetes has it for containers that end (Pod lifecycle) and for images (Images): the first
restart comes at once, and who was well for ten minutes is forgiven.
"""

from __future__ import annotations

from msgspec import Struct

FIRST_S = 10.0
LONGEST_S = 300.0
FORGIVEN_S = 600.0


class BackOff(Struct, frozen=True):
    """How long is waited after the latest try, and when that was; times are monotonic seconds."""

    wait_s: float = 0.0
    at: float = 0.0

    def until(self, failed_at: float) -> float:
        """Until when to wait after a failure at that time."""
        return failed_at if self._is_forgiven(failed_at) else failed_at + self.wait_s

    def tried(self, now: float) -> BackOff:
        """It is tried again now."""
        doubled = FIRST_S if self._is_forgiven(now) else min(self.wait_s * 2, LONGEST_S)
        return BackOff(doubled, now)

    def _is_forgiven(self, now: float) -> bool:
        return not self.wait_s or now - self.at > FORGIVEN_S


def spoken(seconds: float) -> str:
    """A time as Go writes it: 10s, 1m20s, 5m0s."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
