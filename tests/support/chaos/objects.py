"""What single objects say, as invariants read them."""

from __future__ import annotations

from collections.abc import Iterable

from tests.support.fleets import Whole
from tests.support.killing.invariants import Happened

from homeostat.operators.cluster.names import UID_LABEL


def is_true(obj: Whole, type_: str) -> bool:
    """Whether a condition is."""
    conditions = obj.get("status", {}).get("conditions", ())
    return any(each["type"] == type_ and each["status"] == "True" for each in conditions)


def why_not(obj: Whole, type_: str) -> str:
    """What a condition says."""
    found = (each for each in obj.get("status", {}).get("conditions", ()) if each["type"] == type_)
    return next((f"{each['reason']}: {each.get('message', '')}" for each in found), "nothing is said")


def is_going(obj: Whole | None) -> bool:
    """Whether it is being deleted."""
    return obj is not None and "deletionTimestamp" in obj["metadata"]


def begins_to_go(now: Happened) -> bool:
    """Whether somebody has just deleted it."""
    return not is_going(now.old) and now.old is not None and (now.new is None or is_going(now.new))


def is_of(obj: Whole, cluster: Whole) -> bool:
    """Whether it was made for a Cluster."""
    return labels_of(obj).get(UID_LABEL) == uid_of(cluster)


def labels_of(obj: Whole) -> dict[str, str]:
    """Its labels."""
    return obj["metadata"].get("labels") or {}


def uid_of(cluster: Whole) -> str:
    """Its uid."""
    return str(cluster["metadata"]["uid"])


def name_of(obj: Whole) -> str:
    """Its name."""
    return str(obj["metadata"]["name"])


def listed(found: Iterable[str]) -> str:
    """Names in a line."""
    return ", ".join(sorted(found)) or "none"


def told_of(now: Happened) -> str:
    """What it was that changed, for people."""
    return f"{now.kind} {name_of(now.obj)}"
