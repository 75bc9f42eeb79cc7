"""PodDisruptionBudgets, as whoever keeps or honours them reads them."""

from __future__ import annotations

from msgspec import Struct

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import Condition, ObjectMeta
from homeostat.sim.world.kinds.pods import Selector


class BudgetSpec(Struct, frozen=True, gc=False, rename="camel"):
    """How many must stay, or how many may be missing."""

    selector: Selector | None = None
    min_available: int | str | None = None
    max_unavailable: int | str | None = None


class BudgetStatus(Struct, frozen=True, gc=False, rename="camel"):
    """What was counted last."""

    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0
    observed_generation: int = 0
    disrupted_pods: dict[str, str] | None = None
    conditions: tuple[Condition, ...] = ()


class Budget(Struct, frozen=True, gc=False):
    """A PodDisruptionBudget."""

    metadata: ObjectMeta
    spec: BudgetSpec = BudgetSpec()
    status: BudgetStatus = BudgetStatus()


BUDGET = Kind(Resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"), Budget)
