"""What a Cluster declares of its audit log."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from homeostat.api.schema import doc

OFF, METADATA, REQUEST = "Off", "Metadata", "Request"


class ClusterAudit(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """The log of who asked the API for what."""

    level: Annotated[
        str,
        doc(
            "How much is told of a request. `Metadata`: who asked for what, when, and what became of it. `Request`: of"
            " writes also what was written, but never what is in Secrets, ConfigMaps and tokens. `Off`: nothing. What"
            " Kubernetes' own components read is told in no case.",
            enum=[OFF, METADATA, REQUEST],
        ),
    ] = METADATA
