"""A newer Kubernetes that still serves and stores what the minor version before it did, so that it can be left."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Struct

from homeostat.api.schema import doc

EMULATION_ENDS = ("Immediately", "AfterDelay", "Manual")


class ClusterEmulationStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """The masters are of a newer minor version than the one that they serve, or were before `endedAt`."""

    version: Annotated[str, doc("The minor version that is served and stored, such as 1.34.", maxLength=31)]
    since: Annotated[datetime, doc("When all masters were of the newer package version.")]
    left_at: Annotated[
        datetime | None,
        doc("When the first API server left it. What was stored since may be more than the older version knows."),
    ] = None
    ended_at: Annotated[datetime | None, doc("When all masters served their own version.")] = None
    snapshot: Annotated[
        str,
        doc("The snapshot from before the first master was of the newer version; empty: there is none.", maxLength=253),
    ] = ""
    failure: Annotated[
        str, doc("Why it could not be ended; tried again once `finishEmulation` was Manual.", maxLength=1024)
    ] = ""
