"""Starting and ending the process of a simulated data centre.

The starter hears from the child by a pipe: a word when it serves, and the end of the pipe when it died instead.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from homeostat.sim.standing.place import Place, Reached

READY = b"ready\n"
_LINES = 12  # of the log, told when a start fails
_KILLED_AFTER_S = 5.0


class StartFailed(Exception):
    """The process ended, or did not serve in time; the message shows the end of its log."""


def start(place: Place, command: Sequence[str], *, within_s: float) -> Reached:
    """Run a command in the background until it says that it serves. Raises StartFailed.

    The command is given `--ready-fd N`: a descriptor to write READY to.
    """
    place.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as heard:
        try:
            process = _spawn(place, [*command, "--ready-fd", str(writing)], writing)
        finally:
            os.close(writing)
        is_heard = bool(select.select([heard], [], [], within_s)[0])
        if is_heard and heard.read(len(READY)) == READY:
            reached = place.reached()
            if reached is not None:
                return reached
    _signal(process, signal.SIGKILL)
    os.waitpid(process, 0)
    why = "it ended" if is_heard else f"it did not serve within {within_s:g} s"
    lines = place.log.read_text(errors="replace").splitlines()[-_LINES:]
    raise StartFailed("\n".join((f"the simulation did not start: {why}", *(f"  {line}" for line in lines))))


def end(place: Place, *, within_s: float) -> bool:
    """End whoever runs it, by force when it takes too long; whether anybody did. Nothing of it is left."""
    runner = place.runner()
    if runner:
        with _watched(runner) as watched:
            _signal(runner, signal.SIGTERM)
            if not (_is_free(place, within_s) and _is_over(watched, _KILLED_AFTER_S)):
                _signal(runner, signal.SIGKILL)
                _is_free(place, _KILLED_AFTER_S)
                _is_over(watched, _KILLED_AFTER_S)
    was_used = place.is_used()
    place.remove()
    return was_used


def _spawn(place: Place, command: list[str], kept: int) -> int:
    """A process of its own session, that outlives this one; its id. All that it says goes to the log."""
    os.set_inheritable(kept, True)
    opened = os.O_WRONLY | os.O_CREAT | os.O_APPEND  # whoever runs already may write there
    actions = (
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(place.log), opened, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    )
    return os.posix_spawn(command[0], command, os.environ, file_actions=actions, setsid=True)


def _signal(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


@contextmanager
def _watched(process: int) -> Iterator[int]:
    """A descriptor that is readable when a process is over; -1 where the system has none, or it is over already.

    The lock says less: it is let go of by a process that goes on for a moment.
    """
    try:
        descriptor = os.pidfd_open(process) if sys.platform == "linux" else -1
    except ProcessLookupError:
        descriptor = -1
    try:
        yield descriptor
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _is_over(watched: int, within_s: float) -> bool:
    """Wait for it."""
    return watched < 0 or bool(select.select([watched], [], [], within_s)[0])


def _is_free(place: Place, within_s: float) -> bool:
    """Wait for the lock: it is let go of when the process is gone."""
    waiting = threading.Thread(target=place.wait_until_free, daemon=True)
    waiting.start()
    waiting.join(within_s)
    return not waiting.is_alive()
