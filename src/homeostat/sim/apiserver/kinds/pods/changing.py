"""What of a Pod may change while it lives: images, a deadline, more tolerations, and fewer scheduling gates."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import forbidden, invalid
from homeostat.sim.apiserver.types.type import Value

# A real server goes on with what differs, as Go prints it.
_FIXED = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_OPEN = ("activeDeadlineSeconds", "tolerations", "schedulingGates")
_NUMBER = "pod updates may not add or remove containers"
_MOVED = "existing toleration can not be modified except its tolerationSeconds"


def change_causes(spec: Value, old: Value) -> Iterator[Cause]:
    """Faults of a change."""
    for part in ("containers", "initContainers"):
        if len(spec.get(part) or ()) != len(old.get(part) or ()):
            yield forbidden(f"spec.{part}", _NUMBER)
            return
    deadline, before = spec.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds")
    if deadline != before and before is not None:
        if deadline is None:
            yield invalid("spec.activeDeadlineSeconds", None, "must not update from a positive integer to nil value")
        elif deadline > before:
            text = f"must be less than or equal to previous value of {before}"
            yield invalid("spec.activeDeadlineSeconds", deadline, text)
    kept = [_lasting(each) for each in spec.get("tolerations") or ()]
    if any(_lasting(each) not in kept for each in old.get("tolerations") or ()):
        yield forbidden("spec.tolerations", _MOVED)
    before_gates = [each.get("name") for each in old.get("schedulingGates") or ()]
    for gate in spec.get("schedulingGates") or ():
        if gate.get("name") not in before_gates:
            text = f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'"
            yield forbidden("spec.schedulingGates", text)
    if _fixed(spec, old) != _fixed(old, old):
        yield forbidden("spec", _FIXED)


def _fixed(spec: Value, old: Value) -> Value:
    kept = {key: each for key, each in spec.items() if key not in _OPEN}
    if old.get("terminationGracePeriodSeconds", 0) < 0 and kept.get("terminationGracePeriodSeconds") == 1:
        kept["terminationGracePeriodSeconds"] = old["terminationGracePeriodSeconds"]
    for part in ("containers", "initContainers"):
        if part in kept:
            kept[part] = copy.deepcopy(kept[part])
            for container in kept[part]:
                container.pop("image", None)
    return kept


def _lasting(toleration: Value) -> Value:
    return {key: each for key, each in toleration.items() if key != "tolerationSeconds"}
