"""What a data centre remembers about itself: state.json in its state directory, versioned, atomic, behind a lock.

Only choices are recorded (index, number of hosts, bootstrap token); whether things run is always asked of the world. A
file of an older version is upgraded step by step when read; one of a newer version is refused, not guessed at.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

VERSION = 1
FILE = "state.json"
_TOKEN_LETTERS = string.ascii_lowercase + string.digits


class StateError(Exception):
    """The record of a data centre cannot be used; the message says why and what to do."""


class State(Struct, frozen=True):
    """The choices that a data centre was made with."""

    name: str
    index: int  # 10.(100+index).0.0/16 is its address range
    hosts: int
    token: str  # kubeadm's bootstrap token
    kubernetes_version: str
    version: int = VERSION


# From version N to N+1: a function of the raw document. Version 1 is the first.
UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


def decode(content: bytes, source: str) -> State:
    """The state in a file's content, upgraded where it is old. Raises StateError."""
    try:
        document = msgspec.json.decode(content, type=dict[str, Any])
        version = int(document.get("version", 0))
        if version > VERSION:
            raise StateError(
                f"{source}: written by a newer homeostat (version {version}, this one knows {VERSION});"
                " use that one, or remove the data centre with it"
            )
        for step in range(version, VERSION):
            document = UPGRADES[step](document)
        return msgspec.convert(document, State)
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        raise StateError(
            f"{source}: not a state of homeostat ({error}); `homeostat down` removes what it can"
        ) from error


def load(directory: Path) -> State | None:
    """The state kept in a directory; None where there is none."""
    file = directory / FILE
    return decode(file.read_bytes(), str(file)) if file.is_file() else None


def save(directory: Path, state: State) -> None:
    """Keep it: readers see the old or the new, whole."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = directory / f".{FILE}.{os.getpid()}"
    with temporary.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)  # it holds the bootstrap token
        file.write(msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(directory / FILE)


def all_states(root: Path) -> dict[str, State]:
    """The data centres that have a state below a root; unreadable ones are left out, their own commands complain."""
    found = {}
    for file in sorted(root.glob(f"*/{FILE}")):
        try:
            found[file.parent.name] = decode(file.read_bytes(), str(file))
        except StateError:
            continue
    return found


def new_token() -> str:
    """A bootstrap token as kubeadm wants them, from the operating system's randomness."""
    letters = [secrets.choice(_TOKEN_LETTERS) for _ in range(22)]
    return "".join(letters[:6]) + "." + "".join(letters[6:])


@contextmanager
def locked(root: Path, name: str, *, doing: str) -> Iterator[Path]:
    """Hold a data centre alone. Raises StateError when another process holds it; the kernel frees it at any death."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = root / f".{name}.lock"
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 200).decode(errors="replace").strip() or "another process"
            os.close(descriptor)
            raise StateError(f"data centre {name}: {holder} works on it; wait for its end or stop it") from error
        if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
            break
        os.close(descriptor)  # the previous holder removed the file between our open and our lock
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"`homeostat {doing}` (process {os.getpid()})".encode())
        yield path
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)
