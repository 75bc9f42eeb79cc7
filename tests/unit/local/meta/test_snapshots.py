"""The store of a local cell: its key is made once, and the operator is told of both."""

from __future__ import annotations

import stat
from base64 import b64decode
from datetime import date
from pathlib import Path

from homeostat.local.manifests import Manifests, root
from homeostat.local.meta.snapshots import ensure_keys, manifests, with_store
from homeostat.providers.snapshots.keyring import load

TODAY = date(2026, 11, 26)


def test_a_key_is_made_once_and_is_one(tmp_path: Path) -> None:
    first = ensure_keys(tmp_path / "keys", TODAY)
    assert list(first) == ["2026-11-26"]
    assert ensure_keys(tmp_path / "keys", date(2026, 12, 1)) == first
    assert load(tmp_path / "keys").ids == ("2026-11-26",)
    assert stat.S_IMODE((tmp_path / "keys" / "2026-11-26").stat().st_mode) == 0o600


def test_the_operator_is_given_the_keys_and_the_address() -> None:
    config, secret = manifests({"2026-11-26": "AGE"})
    assert config["data"] == {"store": "file:///var/lib/homeostat/snapshots"}
    assert b64decode(secret["data"]["2026-11-26"]) == b"AGE"


def test_the_objects_are_those_that_the_operators_deployment_looks_for() -> None:
    operator = [with_store(one) for one in Manifests(root()).operator("")]
    (pod,) = [one["spec"]["template"]["spec"] for one in operator if one["kind"] == "Deployment"]
    config, secret = manifests({})
    (container,) = pod["containers"]
    env = {each["name"]: each for each in container["env"]}
    wanted = env["HOMEOSTAT_SNAPSHOT_STORE"]["valueFrom"]["configMapKeyRef"]
    assert (wanted["name"], wanted["key"]) == (config["metadata"]["name"], "store")
    volumes = {each["name"]: each for each in pod["volumes"]}
    assert volumes["snapshot-keys"]["secret"]["secretName"] == secret["metadata"]["name"]
    assert {each["name"] for each in container["volumeMounts"]} == set(volumes)
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert config["data"]["store"] == f"file://{mounts['snapshots']}"
    assert env["HOMEOSTAT_SNAPSHOT_SCRATCH"]["value"] == mounts["scratch"]
