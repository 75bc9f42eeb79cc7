"""Tokens of service accounts: signed by a key of the server, good while the account is, and what they are bound to.

The key comes from the server's own chance and signs the same text always alike, so that one seed gives the same
tokens. Times are those of its Clock.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.sim.apiserver.printing.ages import moment
from homeostat.sim.apiserver.store.record import key_of
from homeostat.sim.apiserver.store.store import Collection, Store
from homeostat.sim.apiserver.types.metadata import new_uid
from homeostat.sim.apiserver.types.user import ACCOUNT, AUTHENTICATED, User, account_groups

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

ISSUER = "https://kubernetes.default.svc"
LEEWAY_S = 60  # that clocks may differ by, and that what is deleted still counts
_HALF = 32  # bytes of each number of a signature
_CREDENTIAL = "authentication.kubernetes.io/credential-id"
_BOUND: dict[str, tuple[Collection, bool]] = {
    "pod": (("", "pods"), True),
    "secret": (("", "secrets"), True),
    "node": (("", "nodes"), False),
}


class BadToken(ValueError):
    """A token that proves nothing; the text says why."""


class Tokens:
    """Makes and reads the tokens of one server."""

    def __init__(self, store: Store, clock: Clock, random: Random) -> None:
        self._store = store
        self._clock = clock
        self._random = random

    def made(self, claims: dict[str, Any], lasts_s: int) -> str:
        """A token of these claims that lasts for so long from now on."""
        now = int(self._clock.now().timestamp())
        whole = {
            **claims,
            "exp": now + lasts_s,
            "iat": now,
            "nbf": now,
            "iss": ISSUER,
            "jti": new_uid(self._random),
        }
        head = {"alg": "ES256", "kid": self._key_id}
        text = b".".join(_encoded(msgspec.json.encode(part, order="sorted")) for part in (head, whole))
        return (text + b"." + _encoded(self._signed(text))).decode()

    def user_of(self, token: str, audiences: Sequence[str] = ()) -> tuple[User, tuple[str, ...]]:
        """Whom a token is of, and which of the audiences it is for (none: the server's own). Raises BadToken."""
        claims = self._claims(token)
        heard = tuple(each for each in audiences or (ISSUER,) if each in claims["aud"])
        if not heard:
            raise BadToken(f"token audiences {claims['aud']} is invalid for the target audiences {list(audiences)}")
        self._check_times(claims)
        kubernetes = claims["kubernetes.io"]
        namespace, account = kubernetes["namespace"], kubernetes["serviceaccount"]
        self._check_there(("", "serviceaccounts"), namespace, account)
        extra = {_CREDENTIAL: (f"JTI={claims['jti']}",)}
        for name, (collection, is_within) in _BOUND.items():
            if name in kubernetes:
                bound = kubernetes[name]
                if bound.get("uid"):
                    self._check_there(collection, namespace if is_within else "", bound)
                if name != "secret":
                    extra[f"authentication.kubernetes.io/{name}-name"] = (bound["name"],)
                    if bound.get("uid"):
                        extra[f"authentication.kubernetes.io/{name}-uid"] = (bound["uid"],)
        groups = (*account_groups(namespace), AUTHENTICATED)
        return User(f"{ACCOUNT}:{namespace}:{account['name']}", groups, account["uid"], extra), heard

    def _claims(self, token: str) -> dict[str, Any]:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
        from cryptography.hazmat.primitives.hashes import SHA256

        try:
            text, _, shown = token.rpartition(".")
            signature = _decoded(shown)
            numbers = (int.from_bytes(signature[:_HALF]), int.from_bytes(signature[_HALF:]))
            public = self._key.public_key()
            public.verify(encode_dss_signature(*numbers), text.encode(), ECDSA(SHA256()))
            claims: dict[str, Any] = msgspec.json.decode(_decoded(text.partition(".")[2]))
        except (InvalidSignature, ValueError, binascii.Error, msgspec.DecodeError) as error:
            raise BadToken("invalid bearer token") from error
        return claims

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self._clock.now().timestamp()
        if now > claims["exp"] + LEEWAY_S:
            raise BadToken("[invalid bearer token, service account token has expired]")
        if now < claims["nbf"] - LEEWAY_S:
            raise BadToken("[invalid bearer token, service account token is not valid yet]")

    def _check_there(self, collection: Collection, namespace: str, named: dict[str, str]) -> None:
        record = self._store.shelf(collection).get(key_of(namespace, named["name"]))
        metadata = record.value(b"")["metadata"] if record is not None else {}
        ends_at: datetime | None = moment(metadata["deletionTimestamp"]) if "deletionTimestamp" in metadata else None
        is_over = ends_at is not None and (self._clock.now() - ends_at).total_seconds() > LEEWAY_S
        if metadata.get("uid") != named["uid"] or is_over:
            raise BadToken("[invalid bearer token, service account token has been invalidated]")

    @cached_property
    def _key(self) -> EllipticCurvePrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

        return derive_private_key(self._random.randrange(1, 1 << 255), SECP256R1())

    @cached_property
    def _key_id(self) -> str:
        return _encoded(sha256(str(self._key.public_key().public_numbers().x).encode()).digest()).decode()

    def _signed(self, text: bytes) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
        from cryptography.hazmat.primitives.hashes import SHA256

        signed = self._key.sign(text, ECDSA(SHA256(), deterministic_signing=True))
        return b"".join(number.to_bytes(_HALF) for number in decode_dss_signature(signed))


def _encoded(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
