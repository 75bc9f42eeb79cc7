"""Waiting for an object: read it, judge it, watch it until the judgement is yes.

Progress goes to stderr, a line for each new word of the object's own story.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import click
from msgspec import Struct

from homeostat.api.kind import Kind
from homeostat.cli.exits import CliError, Exit
from homeostat.cli.session import Session
from homeostat.kube.errors import Gone


class Awaited(Struct, frozen=True):
    """What is waited for; `met` is asked about the object, None when it is gone."""

    kind: Kind[dict[str, Any]]
    name: str
    what: str
    met: Callable[[dict[str, Any] | None], bool]
    tells: str = "Ready"  # the condition that says how far it is


async def wait_until_met(session: Session, awaited: Awaited, timeout_s: float, *, asked_s: float | None = None) -> None:
    """Return when the judgement is yes. Raises CliError with the last known state after the timeout.

    `asked_s` is the timeout to name in the message, where others have used a part of it.
    """
    progress = _Progress(awaited)
    allowed_s = timeout_s if asked_s is None else asked_s
    try:
        async with session.clock.timeout(timeout_s):
            await _watch(session, awaited, progress)
    except TimeoutError:
        raise CliError(
            f"{awaited.kind.resource.kind.lower()} {awaited.name}: not {awaited.what} after {allowed_s:g} s",
            Exit.TIMEOUT,
            remedy=f"last known: {progress.last or 'nothing'}",
        ) from None


async def _watch(session: Session, awaited: Awaited, progress: _Progress) -> None:
    namespace = session.namespace if awaited.kind.resource.namespaced else ""
    fields = f"metadata.name={awaited.name}"
    while True:
        listed = await session.client.list(awaited.kind, namespace, fields=fields)
        content = listed.items[0] if listed.items else None
        version = listed.resource_version
        if progress.is_met(content):
            return
        try:
            stream = session.client.watch(awaited.kind, namespace, resource_version=version, fields=fields)
            async with aclosing(stream) as events:
                async for event in events:
                    if event.type == "BOOKMARK":
                        continue
                    if progress.is_met(None if event.type == "DELETED" else event.object):
                        return
        except Gone:
            continue


class _Progress:
    """What was told already, so that each state is told once."""

    def __init__(self, awaited: Awaited) -> None:
        self._awaited = awaited
        self.last = ""

    def is_met(self, content: dict[str, Any] | None) -> bool:
        if self._awaited.met(content):
            return True
        state = story(content, self._awaited.tells)
        if state != self.last:
            click.echo(f"{self._awaited.kind.resource.kind.lower()} {self._awaited.name}: {state}", err=True)
        self.last = state
        return False


def story(content: dict[str, Any] | None, tells: str = "Ready") -> str:
    """Where an object stands, on one line: its phase, and what a condition says of it."""
    if content is None:
        return "does not exist"
    status = content.get("status") or {}
    told = condition(content, tells) or {}
    parts = [str(status.get("phase") or "no status yet"), told.get("reason", ""), told.get("message", "")]
    if content["metadata"].get("deletionTimestamp"):
        parts.append(f"held by {', '.join(content['metadata'].get('finalizers') or ('nothing',))}")
    return ": ".join(part for part in dict.fromkeys(parts) if part)


def condition(content: dict[str, Any], type_: str) -> dict[str, Any] | None:
    """The condition of a type, without regard to case, as kubectl wait takes it."""
    conditions = (content.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each["type"].lower() == type_.lower()), None)
