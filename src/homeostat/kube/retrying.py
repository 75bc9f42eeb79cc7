"""When a failed request is tried again, as a pure decision.

Only two kinds of request are: those that change nothing when repeated, and those that certainly were not applied.
Certain are: no connection, and an answer of 429 (the server turns a request away before it runs it). Everything else
that fails in the middle of a change is the caller's to look at.
"""

from __future__ import annotations

from msgspec import Struct

from homeostat.kit.backoff import Backoff
from homeostat.kit.random import Random
from homeostat.kube.errors import (
    ApiError,
    ConnectionFailed,
    InternalError,
    KubeError,
    ServerTimeout,
    ServiceUnavailable,
    TooManyRequests,
    UntrustedServer,
)


class Retries(Struct, frozen=True):
    """How patient one call is."""

    attempts: int = 5  # tries in all, the first included; client-go takes 11, but waits there block a worker
    backoff: Backoff = Backoff(base_s=0.1, factor=2.0, cap_s=5.0, jitter=0.5)
    longest_wait_s: float = 30.0  # a Retry-After beyond this is the caller's to wait for

    def delay_s(self, error: KubeError, attempt: int, *, idempotent: bool, random: Random) -> float | None:
        """Seconds to wait before the next try, or None to give the error to the caller. `attempt` counts from 0."""
        if attempt + 1 >= self.attempts or not _may_retry(error, idempotent=idempotent):
            return None
        asked = error.retry_after_s if isinstance(error, ApiError) else None
        if asked is None:
            return self.backoff.delay_s(attempt, random)
        if asked > self.longest_wait_s:
            return None
        # Everybody was told the same number: spread the return over half as much again, never below it.
        return asked * (1.0 + 0.5 * random.random())


NO_RETRIES = Retries(attempts=1)


def _may_retry(error: KubeError, *, idempotent: bool) -> bool:
    if isinstance(error, UntrustedServer):
        return False
    if isinstance(error, TooManyRequests):
        return True
    if isinstance(error, ConnectionFailed):
        return idempotent or not error.sent
    return idempotent and isinstance(error, InternalError | ServiceUnavailable | ServerTimeout)
