"""Claims of volumes: one each, and the room that they ask for; both also by their class."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_CEILING

from homeostat.sim.apiserver.quotas.amounts import ONE, Amount, Amounts, amount_of
from homeostat.sim.apiserver.quotas.counter import Counter
from homeostat.sim.apiserver.types.type import Value

CLAIMS = ("", "persistentvolumeclaims")
_NUMBER, _ROOM = "persistentvolumeclaims", "requests.storage"
_OF_CLASS = ".storageclass.storage.k8s.io/"
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"


class ClaimCounter(Counter):
    """A claim may grow."""

    weighs_updates = True

    def __init__(self) -> None:
        super().__init__(CLAIMS)

    def tracks(self, name: str) -> bool:
        """Also by room, and by class."""
        is_of_class = name.endswith((f"{_OF_CLASS}{_NUMBER}", f"{_OF_CLASS}{_ROOM}"))
        return is_of_class or name in (_NUMBER, _ROOM) or super().tracks(name)

    def used(self, value: Value, now: datetime) -> Amounts:
        """What it asks for."""
        found = {_NUMBER: ONE}
        room = _room(value)
        if room is not None:
            found[_ROOM] = room
        class_ = _class_of(value)
        by_class = {f"{class_}{_OF_CLASS}{name}": each for name, each in found.items()} if class_ else {}
        return super().used(value, now) | found | by_class


def _room(value: Value) -> Amount | None:
    """In whole bytes; what it has got already counts while it is more."""
    asked = ((value.get("spec") or {}).get("resources") or {}).get("requests") or {}
    if "storage" not in asked:
        return None
    room, given = amount_of(asked["storage"]), ((value.get("status") or {}).get("allocatedResources") or {})
    if "storage" in given and amount_of(given["storage"]).value > room.value:
        room = amount_of(given["storage"])
    return Amount(room.value.to_integral_value(ROUND_CEILING), room.form)


def _class_of(value: Value) -> str:
    old = (value["metadata"].get("annotations") or {}).get(_OLD_CLASS)
    return old if old is not None else (value.get("spec") or {}).get("storageClassName") or ""
