"""`python -m homeostat.local.binaries`: have all binaries and print where they are; CI warms its cache with it."""

from __future__ import annotations

import asyncio
import os
import sys

from homeostat.kit.clock import Clock, SystemClock
from homeostat.local.binaries import BinariesError, ensure
from homeostat.local.paths import Paths

_SECONDS_SHOWN_APART = 10.0


class Lines:
    """Progress as lines: a new text at once, a mere count now and then."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._title, self._shown = clock, "", 0.0

    def update(self, text: str) -> None:
        """Show a text, if it tells something new."""
        title, now = text.partition(":")[0], self._clock.monotonic()
        if title != self._title or now - self._shown >= _SECONDS_SHOWN_APART:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()
            self._title, self._shown = title, now


def main() -> int:
    """Exit code 1 and one message on the error stream when something cannot be had."""
    clock = SystemClock()
    try:
        binaries = asyncio.run(
            ensure(Paths.from_environment(os.environ), os.environ, clock=clock, progress=Lines(clock))
        )
    except BinariesError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    for one in binaries.found:
        sys.stdout.write(f"{one.component.name}\t{one.component.version}\t{one.source}\t{one.directory}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
