"""What one process knows of the rights of a hosted operator. Losing it costs granting them once more."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class RightsSeen(Struct, frozen=True):
    """The last attempt to grant them."""

    at: datetime
    digest: str = ""  # of those that were granted when it last succeeded
    failure: str = ""  # why the last attempt did not
