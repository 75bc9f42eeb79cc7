"""What one process knows of the rights of a cluster's hosted operators. Losing it costs granting them once more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct


class RightsSeen(Struct, frozen=True):
    """The last attempt to grant them."""

    at: datetime
    digest: str  # of what was asked for
    refused: Mapping[str, str] = {}  # why, by operator; the others have theirs
    unreachable: str = ""  # why nobody could be asked; what `refused` says is older then
    tries: int = 0  # in a row that did not end well

    @property
    def is_well(self) -> bool:
        """Whether all was granted, and nothing else is left."""
        return not self.tries
