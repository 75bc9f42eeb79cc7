"""Running the machine's own commands: argument lists only, and errors that say what was run and what it said."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from homeostat.kit.clock import Clock

_SHOWN = 2000  # characters of output that an error repeats
_SYSTEM = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class Finished(Struct, frozen=True):
    """What a command left."""

    code: int
    stdout: str
    stderr: str


class CommandError(Exception):
    """A command of this machine failed, hung or is missing; the message says which and what it printed."""


def search_path() -> str:
    """Where commands are looked for: as the caller does, then where the system keeps its own (not in every PATH)."""
    own = [directory for directory in os.environ.get("PATH", "").split(":") if directory]
    return ":".join(dict.fromkeys((*own, *_SYSTEM)))


def confined(argv: Sequence[str | Path]) -> tuple[str | Path, ...]:
    """A command whose processes and mounts all end with it, and which ends with this process, however that ends."""
    return ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", *argv)


async def run(
    argv: Sequence[str | Path],
    *,
    clock: Clock,
    timeout_s: float = 60.0,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    check: bool = True,
) -> Finished:
    """Run a command to its end. Raises CommandError when it is missing, hangs, or (with `check`) fails."""
    words = [str(word) for word in argv]
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**(os.environ if env is None else env), "PATH": search_path()},
            process_group=0,
        )
    except FileNotFoundError as error:
        raise CommandError(
            f"{words[0]}: command not found; `homeostat doctor` names the package that has it"
        ) from error
    try:
        async with clock.timeout(timeout_s):
            out, err = await process.communicate(stdin)
    except TimeoutError as error:
        raise CommandError(f"{' '.join(words)}: did not end within {timeout_s:g} s and was killed") from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it may end between the look and the signal
                os.killpg(process.pid, signal.SIGKILL)  # with whatever it has started
            await process.wait()
    done = Finished(process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace"))
    if check and done.code:
        said = (done.stderr.strip() or done.stdout.strip())[-_SHOWN:]
        raise CommandError(f"{' '.join(words)}: exit code {done.code}: {said}")
    return done
