"""What the operator does about hosted operators beside making their Deployments, as data."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from homeostat.api.kind import Kind


class GrantRights(Struct, frozen=True, tag=True):
    """Have the rights of all hosted operators in the business cluster as declared, and nothing else that is theirs."""

    operators: tuple[str, ...]
    digest: str  # of the rights


class Withdraw(Struct, frozen=True, tag=True):
    """Destructive: delete what is left in the cell of an operator that is hosted no longer, by uid.

    Its Secret goes last, when its rights in the business cluster are gone. Looked at again right before.
    """

    operator: str
    kind: Kind[Any]
    name: str
    uid: str


HostingAction = GrantRights | Withdraw
