"""Who asks."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

ANONYMOUS, UNAUTHENTICATED, AUTHENTICATED = "system:anonymous", "system:unauthenticated", "system:authenticated"
ACCOUNT, ACCOUNTS = "system:serviceaccount", "system:serviceaccounts"


class User(Struct, frozen=True):
    """A name, and what else is known of somebody."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = {}

    def told(self, *, name: str = "username") -> dict[str, object]:
        """As objects that speak of users write it; `name` is the field of the name."""
        found = {
            name: self.name,
            "uid": self.uid,
            "groups": list(self.groups),
            "extra": {key: list(values) for key, values in sorted(self.extra.items())},
        }
        return {key: value for key, value in found.items() if value}


NOBODY = User(ANONYMOUS, (UNAUTHENTICATED,))


def account_groups(namespace: str) -> tuple[str, ...]:
    """Of every service account of a namespace."""
    return (ACCOUNTS, f"{ACCOUNTS}:{namespace}")
