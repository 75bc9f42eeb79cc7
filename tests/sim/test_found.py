"""What simulations have found in the cluster operator, each with the scenario and the moment that show it."""

from __future__ import annotations

import pytest
from tests.support.killing.course import take, undisturbed
from tests.support.killing.faults import Fault
from tests.support.killing.scenarios import SCENARIOS
from tests.support.killing.telling import assert_alike

BY_NAME = {each.name: each for each in SCENARIOS}
HALF_MADE = BY_NAME["delete in the middle of creation"]


@pytest.mark.parametrize("at", [9, 18])
def test_a_claim_that_is_made_while_watches_are_cut_goes_with_its_cluster(at: int) -> None:
    """Its maker was removed before our cache heard of the claim, and the finalizer went without it."""
    assert_alike(take(HALF_MADE, fault=Fault("cut", at)), undisturbed(HALF_MADE, 0), f"cut at {at}")


def test_who_leads_no_longer_makes_nothing_anew_that_its_successor_has_removed() -> None:
    """It declared the StatefulSet of etcd once more, whose Pod then used a volume that was being deleted."""
    assert_alike(take(HALF_MADE, fault=Fault("overlap", 2)), undisturbed(HALF_MADE, 0), "overlap at 2")


@pytest.mark.parametrize("at", [0, 6])
def test_of_two_that_lead_the_certificates_that_one_has_issued_are_the_others_too(at: int) -> None:
    """Either issued those of a hosted operator, one after the other, and its Pods were replaced for that."""
    comes = BY_NAME["hosted comes"]
    assert_alike(take(comes, fault=Fault("overlap", at)), undisturbed(comes, 0), f"overlap at {at}")


@pytest.mark.parametrize("at", [0, 14])
def test_who_declares_masters_anew_does_not_call_the_cluster_ready_in_one_breath(at: int) -> None:
    """It knew what another leader had told of the end of the change, and not yet what that one had declared for it."""
    back = BY_NAME["ha to single"]
    assert_alike(take(back, fault=Fault("overlap", at)), undisturbed(back, 0), f"overlap at {at}")


def test_two_that_lead_do_not_take_back_in_turn_when_all_members_of_etcd_agreed_last() -> None:
    """Each told what it had found itself, over and over, and no time passed."""
    dies = BY_NAME["a member of etcd dies"]
    assert_alike(take(dies, fault=Fault("overlap", 6)), undisturbed(dies, 0), "overlap at 6")


def test_what_was_made_beside_a_strangers_object_is_not_made_again() -> None:
    """Its versions were forgotten when the name was found to be taken: the next look came before the caches had it."""
    take(BY_NAME["a stranger has a name"])


def test_what_a_restore_has_made_is_not_made_again() -> None:
    """Nobody waited for the caches to show the Secret, the volume and the Pod."""
    take(BY_NAME["restore"])


def test_what_another_leader_has_made_for_a_restore_is_awaited_too() -> None:
    """Its Pod was in the way, and the Secret was written over and over until the caches had it."""
    restore = BY_NAME["restore"]
    assert_alike(take(restore, fault=Fault("overlap", 8)), undisturbed(restore, 0), "overlap at 8")
