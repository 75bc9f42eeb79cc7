"""Whose the claims of a StatefulSet are, and so with whom they go: the set's, a Pod's, or nobody's. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from homeostat.api.meta import OwnerReference
from homeostat.sim.world.controllers.workloads.owning import reference_to
from homeostat.sim.world.kinds.pods import POD, Pod
from homeostat.sim.world.kinds.volumes import Claim
from homeostat.sim.world.kinds.workloads import STATEFUL_SET, StatefulSet

_DELETE = "Delete"


def owner_of_claims(owner: StatefulSet, pod: Pod | None, *, is_condemned: bool) -> dict[str, Any] | None:
    """Who owns the claims of a Pod, or of one that is to be made."""
    policy = owner.spec.retention
    if policy.when_scaled == _DELETE and is_condemned and pod is not None:
        return reference_to(POD, pod)
    return reference_to(STATEFUL_SET, owner) if policy.when_deleted == _DELETE else None


def changed_owners(
    claim: Claim, owner: StatefulSet, pod: Pod, *, is_condemned: bool
) -> tuple[OwnerReference, ...] | None:
    """The owners that a claim is to have; None when it has them."""
    wanted = owner_of_claims(owner, pod, is_condemned=is_condemned)
    there = claim.metadata.owner_references
    ours = (owner.metadata.uid, pod.metadata.uid)
    if [each.uid for each in there if each.uid in ours] == ([wanted["uid"]] if wanted is not None else []):
        return None
    others = tuple(each for each in there if each.uid not in ours)
    return (*others, msgspec.convert(wanted, OwnerReference)) if wanted is not None else others
