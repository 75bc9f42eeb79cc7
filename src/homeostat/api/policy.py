"""PodDisruptionBudgets, as far as somebody looks whether theirs is still there."""

from __future__ import annotations

from msgspec import Struct

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta


class PodDisruptionBudget(Struct, frozen=True, gc=False):
    """A PodDisruptionBudget; its generation tells of edits."""

    metadata: ObjectMeta


POD_DISRUPTION_BUDGET = Kind(
    Resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"), PodDisruptionBudget
)
