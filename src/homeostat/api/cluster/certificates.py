"""What a Cluster tells of its certificates."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Struct

from homeostat.api.schema import doc


class ClusterRotations(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """How often each kind of key was, or shall be, made anew."""

    authorities: Annotated[
        int, doc("The three authorities (ca, etcd-ca, front-proxy-ca), and all that they sign.", minimum=0)
    ] = 0
    token_key: Annotated[int, doc("The key that signs the tokens of service accounts.", minimum=0)] = 0
    encryption_key: Annotated[int, doc("The key that Secrets are encrypted with in etcd.", minimum=0)] = 0

    def of(self, kind: str) -> int:
        """The number of one kind, by the name of its field in the API."""
        return {"authorities": self.authorities, "tokenKey": self.token_key, "encryptionKey": self.encryption_key}[kind]


class ClusterKeys(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """Keys and certificates of the cluster."""

    rotations: Annotated[
        ClusterRotations,
        doc(
            "Raise a number to have these keys made anew: masters first come to accept the new ones, then to use them,"
            " and forget the old ones in the end. Lower it again to take the rotation back, as long as the old ones are"
            " known."
        ),
    ] = ClusterRotations()
    released: Annotated[
        ClusterRotations,
        doc(
            "Set a number to that of a rotation to let it forget the old keys. Until then whoever still uses them is"
            " served. The old encryption key needs no release: it goes when nothing is encrypted with it any more."
        ),
    ] = ClusterRotations()


class ClusterRotationStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """A rotation of keys that is under way; written before each step."""

    keys: Annotated[str, doc("Which keys: authorities, tokenKey or encryptionKey.", maxLength=63)]
    number: Annotated[int, doc("The number of the rotation.", minimum=0)]
    stage: Annotated[str, doc("How far it is, such as Trusting, Using or Holding.", maxLength=63)]
    started_at: Annotated[datetime, doc("When it began.")]
    stage_started_at: Annotated[datetime, doc("When it came to this stage.")]


class ClusterCertificateStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """One authority of the cluster, and what it signed for its masters."""

    authority: Annotated[str, doc("The authority: ca, etcd-ca or front-proxy-ca.", maxLength=63)]
    not_after: Annotated[datetime, doc("When the authority's own certificate runs out.")]
    secret: Annotated[str, doc("The Secret with the certificate that runs out first.", maxLength=253)] = ""
    soonest: Annotated[datetime | None, doc("When that certificate runs out, unless it is renewed before.")] = None
    renews_at: Annotated[datetime | None, doc("When it is renewed; nothing if no later one can be had.")] = None
