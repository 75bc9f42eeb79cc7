"""What simulations have found in the cluster operator, each with the scenario and the moment that show it."""

from __future__ import annotations

import pytest
from tests.support.killing.course import take, undisturbed
from tests.support.killing.faults import Fault
from tests.support.killing.scenarios import SCENARIOS
from tests.support.killing.telling import assert_alike

HALF_MADE = next(each for each in SCENARIOS if each.name == "delete in the middle of creation")


@pytest.mark.parametrize("at", [9, 18])
def test_a_claim_that_is_made_while_watches_are_cut_goes_with_its_cluster(at: int) -> None:
    """Its maker was removed before our cache heard of the claim, and the finalizer went without it."""
    assert_alike(take(HALF_MADE, fault=Fault("cut", at)), undisturbed(HALF_MADE, 0), f"cut at {at}")
