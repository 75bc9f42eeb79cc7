"""`python -m homeostat.local.binaries`: have the binaries and print where they are; CI warms its cache with it.

Without a name: all of them, a line for each component with name, version, source and directory. With the name of a
program: that program's component alone, and its path is all that is printed, for `"$(...)"` in scripts.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from homeostat.kit.clock import Clock, SystemClock
from homeostat.local.binaries import BinariesError, ensure, ensure_program
from homeostat.local.binaries.errors import Unknown
from homeostat.local.paths import Paths

_SECONDS_SHOWN_APART = 10.0
_FAILED, _SENSELESS, _INTERRUPTED = 1, 2, 130  # as `homeostat` itself exits


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


def main(arguments: Sequence[str] | None = None) -> int:
    """What is asked for on the output, progress and one message on the error stream; the exit code."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.version and not asked.name:
        parser.error("--version: expected the name of a program before it; all components have pinned versions")
    try:
        lines = asyncio.run(_look(asked.name, asked.version))
    except BinariesError as error:
        sys.stderr.write(f"error: {error}\n")
        return _SENSELESS if isinstance(error, Unknown) else _FAILED
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; what is finished stays in the cache\n")
        return _INTERRUPTED
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


async def _look(name: str, version: str) -> list[str]:
    clock = SystemClock()
    paths, progress = Paths.from_environment(os.environ), Lines(clock)
    if name:
        return [str(await ensure_program(name, version, paths, os.environ, clock=clock, progress=progress))]
    binaries = await ensure(paths, os.environ, clock=clock, progress=progress)
    return [f"{one.component.name}\t{one.component.version}\t{one.source}\t{one.directory}" for one in binaries.found]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m homeostat.local.binaries",
        description="Have the programs that clusters are made of, and print where they are: all, or one.",
        epilog="Sources, in this order: the directory HOMEOSTAT_BINARIES_DIR, the cache below XDG_CACHE_HOME, the "
        "projects' releases (or HOMEOSTAT_MIRROR), a build by Go from pinned modules.",
    )
    parser.add_argument("name", nargs="?", default="", help="a program, such as kubectl: print its path and no more")
    parser.add_argument(
        "--version", default="", help="the program's version or the beginning of one, such as 1.35; default: the newest"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
