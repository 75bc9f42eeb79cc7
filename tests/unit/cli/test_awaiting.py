"""What a person who waits is told."""

from __future__ import annotations

from homeostat.cli.awaiting import story


def test_the_story_tells_phase_reason_and_message_once_each() -> None:
    waiting = {"type": "Ready", "status": "False", "reason": "Deleting", "message": "removing etcd: demo-etcd-0"}
    metadata = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["cluster.homeostat.dev/masters"]}
    content = {"metadata": metadata, "status": {"phase": "Deleting", "conditions": [waiting]}}
    assert story(content) == "Deleting: removing etcd: demo-etcd-0: held by cluster.homeostat.dev/masters"
    assert story({"metadata": {}}) == "no status yet"
    assert story(None) == "does not exist"


def test_the_story_is_told_by_the_condition_that_is_asked_for() -> None:
    keys = {"type": "PKIReady", "status": "True", "reason": "RotationStuck", "message": "secrets shop/legacy: denied"}
    content = {"metadata": {}, "status": {"phase": "Ready", "conditions": [keys]}}
    assert story(content, "PKIReady") == "Ready: RotationStuck: secrets shop/legacy: denied"
