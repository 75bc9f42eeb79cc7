"""The harness sees what it is there to see: operators that are broken in one place are caught, each of them."""

from __future__ import annotations

import pytest
from tests.support.killing.course import take, undisturbed, writes_of
from tests.support.killing.faults import KINDS, Fault
from tests.support.killing.scenarios import SCENARIOS
from tests.support.killing.telling import assert_alike
from tests.support.killing.variants import VARIANTS, Variant

from homeostat.sim.time.loop import Spinning


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_an_operator_that_is_broken_is_caught(variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = next(each for each in SCENARIOS if each.name == variant.scenario)
    usual = undisturbed(scenario, 0)
    variant.breaks(monkeypatch)
    faults: list[Fault | None] = [
        Fault(kind, at) for kind in KINDS if kind == variant.needs for at in range(writes_of(usual))
    ]
    with pytest.raises((AssertionError, Spinning)):  # noqa: PT012  (whichever disturbance it is that shows it)
        for fault in faults or [None]:
            assert_alike(take(scenario, fault=fault), usual, variant.name)
