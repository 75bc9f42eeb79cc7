"""What a Cluster tells of its certificates."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Struct

from homeostat.api.schema import doc


class ClusterCertificateStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """One authority of the cluster, and what it signed for its masters."""

    authority: Annotated[str, doc("The authority: ca, etcd-ca or front-proxy-ca.", maxLength=63)]
    not_after: Annotated[datetime, doc("When the authority's own certificate runs out.")]
    secret: Annotated[str, doc("The Secret with the certificate that runs out first.", maxLength=253)] = ""
    soonest: Annotated[datetime | None, doc("When that certificate runs out, unless it is renewed before.")] = None
    renews_at: Annotated[datetime | None, doc("When it is renewed; nothing if no later one can be had.")] = None
