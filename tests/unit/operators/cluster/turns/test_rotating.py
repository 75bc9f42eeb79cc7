"""Keys are rotated with both known in between, one Secret at a time, and may be taken back until the old ones go."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store
from msgspec.structs import replace
from tests.support.clusters import NOW
from tests.support.rotating import World

from homeostat.api.cluster.certificates import ClusterRotations
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import IssueLeaf, RewriteSecrets
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.pki import states
from homeostat.operators.cluster.pki.authority import new_authorities
from homeostat.operators.cluster.pki.leaves import make
from homeostat.operators.cluster.pki.material import (
    NEXT,
    check_keys,
    encryption_config,
    left_of,
    material,
    name_of,
    next_keys,
    secrets_keys,
)
from homeostat.operators.cluster.report import report
from homeostat.runtime.conditions import find_condition

KEYS = new_authorities(NOW)


def both(kind: str) -> dict[str, bytes]:
    """The entries in the middle of a rotation."""
    return KEYS | next_keys(kind, KEYS, NOW)


def rotating(kind: str = states.AUTHORITIES, **spec: Any) -> World:
    """A cluster that is well, and asked to rotate."""
    field = {states.AUTHORITIES: "authorities", states.TOKEN_KEY: "tokenKey"}.get(kind, "encryptionKey")
    return World(KEYS, keys={"rotations": {field: 1}}, **spec)


def test_the_states_are_a_table_that_ends_and_goes_back_only_while_the_old_key_is_known() -> None:
    path = [states.PREPARING]
    while after := states.STATES[path[-1]].forward:
        path.append(after)
    assert path == ["Preparing", "Trusting", "Using", "Holding", "Dropping"]
    for one in states.STATES.values():
        assert not one.back or states.OLD in one.uses


@pytest.mark.parametrize("way", ["forward", "back"])
def test_two_neighbouring_states_always_accept_what_the_other_makes(way: str) -> None:
    for one in states.STATES.values():
        after = getattr(one, way)
        other = states.STATES[after] if after else None
        if other is not None:
            assert one.uses[0] in other.uses
            assert other.uses[0] in one.uses


@pytest.mark.parametrize("kind", [states.AUTHORITIES, states.TOKEN_KEY])
def test_a_rotation_goes_through_all_stages_and_waits_until_it_is_released(kind: str) -> None:
    world = rotating(kind)
    assert world.run() == ["Preparing", "Trusting", "Using", "Holding"]
    held = world.status.conditions[1]
    assert (held.type, held.status, held.reason) == (words.PKI_READY, "True", words.ROTATION_HELD)
    assert f"set spec.keys.released.{kind} to 1" in held.message
    old = dict(world.entries)
    world.release(kind)
    assert world.run() == ["Dropping"]
    assert world.status.rotation is None
    assert world.status.rotations.of(kind) == 1
    assert left_of(world.entries) == ()
    assert world.entries["sa.key"] == old[f"{NEXT}sa.key" if kind == states.TOKEN_KEY else "sa.key"]
    check_keys(world.entries)


def test_the_key_of_secrets_needs_nobody_to_release_it() -> None:
    world = rotating(states.ENCRYPTION_KEY)
    before = world.status.encryption_key
    assert world.run() == ["Preparing", "Trusting", "Using", "Holding", "Dropping"]
    assert world.rewrote == 1
    assert world.status.encryption_key == name_of(world.entries["encryption.key"]) != before


def test_a_cluster_of_a_release_before_comes_to_encrypt_its_secrets() -> None:
    world = World({entry: value for entry, value in KEYS.items() if entry != "encryption.key"})
    assert world.status.encryption_key == ""
    assert world.run() == ["Preparing", "Trusting", "Using", "Holding", "Dropping"]
    assert world.status.encryption_key == name_of(world.entries["encryption.key"])
    assert world.run() == []


def test_one_secret_is_made_anew_at_a_time_and_only_at_rest() -> None:
    world = rotating()
    world.run(until="Trusting")
    issued = []
    while world.status.rotation is not None and world.status.rotation.stage == "Trusting":
        plan = world.step()
        issued += [each.leaf.name for each in plan.actions if isinstance(each, IssueLeaf)]
        assert len([each for each in plan.actions if isinstance(each, IssueLeaf)]) <= 1
    assert sorted(issued) == sorted(
        leaf.leaf.name for leaf in world.seen().leaves if leaf.leaf.copies or leaf.leaf.kubeconfig
    )
    assert issued[0] == "demo-etcd"


@pytest.mark.parametrize("stage", ["Preparing", "Trusting", "Using", "Holding"])
@pytest.mark.parametrize("kind", [states.AUTHORITIES, states.TOKEN_KEY])
def test_a_rotation_that_is_taken_back_leaves_the_old_keys_and_nothing_else(stage: str, kind: str) -> None:
    world = rotating(kind)
    world.run(until=stage)
    world.ask(ClusterRotations())
    assert world.run()[-1] == "Abandoning"
    assert world.status.rotation is None
    assert world.entries == KEYS
    assert world.status.rotations == ClusterRotations()
    assert world.run() == []


@pytest.mark.parametrize("stage", ["Trusting", "Using", "Holding"])
def test_no_secret_is_left_encrypted_with_a_key_that_is_taken_back(stage: str) -> None:
    world = rotating(states.ENCRYPTION_KEY)
    world.run(until=stage)
    before = world.rewrote
    world.ask(ClusterRotations())
    world.run(until="Abandoning")
    assert world.rewrote == before + 1, "all were written anew while both keys were known"
    world.run()
    assert (world.entries, world.status.encryption_key) == (KEYS, name_of(KEYS["encryption.key"]))


@pytest.mark.parametrize(("asked", "way"), [(1, "encrypted anew"), (0, "encrypted with the old key again")])
def test_a_secret_that_cannot_be_written_is_told_on_either_way(asked: int, way: str) -> None:
    world = rotating(states.ENCRYPTION_KEY)
    world.run(until="Holding")
    world.ask(ClusterRotations(encryption_key=asked))
    world.run(until="Holding" if asked else "Trusting")
    while not any(isinstance(each, RewriteSecrets) for each in decide(world.seen(), world.now, Policy()).actions):
        world.step()
    stuck = replace(world.seen(), rewriting_stuck='patch secrets shop/legacy: webhook "policy" denied (403)')
    plan = decide(stuck, world.now, Policy())
    found = report(stuck, plan, (), world.now)
    assert found.status is not None
    told = find_condition(found.status.conditions, words.PKI_READY)
    assert told is not None
    assert (told.status, told.reason) == ("True", words.ROTATION_STUCK)
    assert f"Secrets are being {way}, but one cannot be written" in told.message
    assert "secrets shop/legacy" in told.message
    warnings = [note for note in found.notes if note.reason == words.ROTATION_STUCK]
    assert [note.type for note in warnings] == ["Warning"]
    again = replace(stuck, cluster=replace(stuck.cluster, status=found.status))
    notes = report(again, decide(again, world.now, Policy()), (), world.now).notes
    assert words.ROTATION_STUCK not in [note.reason for note in notes], "once"


@pytest.mark.parametrize(
    ("stage", "known"),
    [
        ("", ("old",)),
        ("Preparing", ("old",)),
        ("Trusting", ("old", "new")),
        ("Using", ("new", "old")),
        ("Holding", ("new", "old")),
        ("Dropping", ("new",)),
        ("Abandoning", ("old",)),
    ],
)
def test_secrets_are_read_with_the_keys_of_the_stage_alone(stage: str, known: tuple[str, ...]) -> None:
    entries = both(states.ENCRYPTION_KEY)
    names = {"old": name_of(entries["encryption.key"]), "new": name_of(entries[f"{NEXT}encryption.key"])}
    assert secrets_keys(entries, states.ENCRYPTION_KEY, stage) == tuple(names[each] for each in known)


def test_what_is_being_dropped_cannot_be_taken_back() -> None:
    world = rotating()
    world.run()
    world.release(states.AUTHORITIES)
    world.run(until="Dropping")
    world.ask(ClusterRotations())
    world.run()
    assert world.entries["ca.crt"] != KEYS["ca.crt"]


def test_the_operator_may_forget_everything_between_any_two_steps() -> None:
    world = rotating(states.ENCRYPTION_KEY)
    stages = []
    for _ in range(40):
        world.forget()
        world.step()
        if world.status.rotation is not None and world.status.rotation.stage not in stages:
            stages.append(world.status.rotation.stage)
    assert stages == ["Preparing", "Trusting", "Using", "Holding", "Dropping"]
    assert world.status.rotation is None


def test_new_keys_that_are_damaged_in_the_middle_are_told_and_nothing_goes_on() -> None:
    world = rotating()
    world.run(until="Using")
    del world.entries[f"{NEXT}ca.key"]
    assert world.run() == []
    assert world.status.conditions[1].reason == words.AUTHORITY_DAMAGED
    assert "next-ca.key is missing" in world.status.conditions[1].message


def test_the_key_that_secrets_are_encrypted_with_is_never_made_anew() -> None:
    world = World(KEYS)
    for change in ({}, {"encryption.key": b"x" * 32}, {"encryption.key": b"short"}):
        world.entries = {entry: value for entry, value in KEYS.items() if entry != "encryption.key"} | change
        assert world.run() == []
        assert world.status.conditions[1].reason == words.AUTHORITY_DAMAGED
        assert "encryption.key is" in world.status.conditions[1].message


def chain(pem: bytes) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem)


def follows(served: bytes, trusted: bytes) -> bool:
    """Whether a client that trusts some authorities follows what is served."""
    leaf, *others = chain(served)
    verifier = PolicyBuilder().store(Store(chain(trusted))).time(NOW + timedelta(minutes=1))
    try:
        verifier.build_server_verifier(x509.DNSName("kubernetes")).verify(leaf, others)
    except x509.verification.VerificationError:
        return False
    return True


@pytest.mark.parametrize(
    ("stage", "old", "new"),
    [("Trusting", True, False), ("Using", True, True), ("Holding", True, True), ("Dropping", False, True)],
)
def test_clients_with_the_old_authority_alone_are_served_until_it_is_dropped(stage: str, old: bool, new: bool) -> None:
    entries = both(states.AUTHORITIES)
    (leaf,) = [each for each in world_leaves() if each.name == "demo-apiserver"]
    served = make(leaf, material(entries, states.AUTHORITIES, stage), NOW)["serving.crt"]
    assert follows(served, entries["ca.crt"]) is old
    assert follows(served, entries[f"{NEXT}ca.crt"]) is new


def world_leaves() -> tuple[Any, ...]:
    return tuple(leaf.leaf for leaf in World(KEYS).seen().leaves)


def test_tokens_are_signed_by_one_key_and_verified_by_both() -> None:
    entries = both(states.TOKEN_KEY)
    for stage, signs, verifies in (
        ("Trusting", "sa.key", 2),
        ("Using", "next-sa.key", 2),
        ("Dropping", "next-sa.key", 1),
    ):
        made = material(entries, states.TOKEN_KEY, stage)
        assert made["sa.key"] == entries[signs]
        assert made["sa.pub"].count(b"BEGIN PUBLIC KEY") == verifies


def providers(content: bytes) -> list[str]:
    """In their order: names of keys, or identity."""
    (resource,) = yaml.safe_load(content)["resources"]
    assert resource["resources"] == ["secrets"]
    return [
        key
        for each in resource["providers"]
        for key in ([one["name"] for one in each["secretbox"]["keys"]] if "secretbox" in each else ["identity"])
    ]


def test_secrets_are_read_with_a_key_before_they_are_written_with_it() -> None:
    entries = both(states.ENCRYPTION_KEY)
    old, new = name_of(entries["encryption.key"]), name_of(entries[f"{NEXT}encryption.key"])

    def order(stage: str, held: dict[str, bytes] = entries) -> list[str]:
        return providers(material(held, states.ENCRYPTION_KEY, stage)["encryption.yaml"])

    assert [order(stage) for stage in ("Preparing", "Trusting", "Using", "Dropping")] == [
        [old, "identity"],
        [old, new, "identity"],
        [new, old, "identity"],
        [new, "identity"],
    ]
    first = {entry: value for entry, value in entries.items() if entry != "encryption.key"}
    assert [order(stage, first) for stage in ("Preparing", "Trusting", "Using", "Dropping")] == [
        ["identity"],
        ["identity", new],
        [new, "identity"],
        [new, "identity"],
    ]


def test_the_name_of_a_key_says_nothing_of_it() -> None:
    content = encryption_config([b"k" * 32])
    assert len(name_of(b"k" * 32)) == 12
    assert providers(content) == [name_of(b"k" * 32), "identity"]
