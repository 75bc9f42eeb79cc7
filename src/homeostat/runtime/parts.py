"""What a manager asks of the parts of its process: those that work while it leads, and those that always serve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from homeostat.runtime.informer import Informer


class Runnable(Protocol):
    """What the manager asks of a controller; the key's type does not matter to it."""

    name: str
    permission: Callable[[], bool]
    informers: list[Informer[Any]]

    async def run(self) -> None:
        """Work until drained or cancelled."""

    def drain(self) -> None:
        """Take no more keys."""

    def trouble(self) -> str:
        """Why it counts as wedged."""
        ...


class Server(Protocol):
    """What answers others for as long as the process lives, whether it leads or not."""

    name: str

    async def run(self) -> None:
        """Serve until cancelled."""

    async def drain(self) -> None:
        """Let clients go elsewhere and finish what is under way; it is still run meanwhile."""

    def trouble(self) -> list[str]:
        """Why nobody should be sent here now."""
        ...
