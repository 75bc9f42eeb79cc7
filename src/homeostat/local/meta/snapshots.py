"""The store of snapshots of a local cell: a directory of this machine that all hosts see, and a key of its own.

It stands for the file server of a data centre, so it outlives every host; it goes with the data centre.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyrage

from homeostat.kit.files import write_private

OPERATOR_USER = 65532  # as deploy/operator says
ON_HOSTS = "/var/lib/homeostat-snapshots"
_IN_PODS = "/var/lib/homeostat/snapshots"
_NAMESPACE, _VOLUME = "homeostat-system", "snapshots"


def ensure_directory(directory: Path) -> None:
    """The directory, for the operator's user alone."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chown(directory, OPERATOR_USER, OPERATOR_USER)


def ensure_keys(directory: Path, today: date) -> dict[str, str]:
    """The keys of this data centre by their ids; the first is made now, all others are people's."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not any(directory.iterdir()):
        write_private(directory / today.isoformat(), f"{pyrage.x25519.Identity.generate()}\n".encode())
    return {file.name: file.read_text() for file in sorted(directory.iterdir()) if not file.name.startswith(".")}


def manifests(keys: Mapping[str, str]) -> list[dict[str, Any]]:
    """What tells the operator of its store."""
    data = {name: b64encode(text.encode()).decode() for name, text in keys.items()}
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "homeostat-snapshots", "namespace": _NAMESPACE},
            "data": {"store": f"file://{_IN_PODS}"},
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "homeostat-snapshot-keys", "namespace": _NAMESPACE},
            "type": "Opaque",
            "data": data,
        },
    ]


def with_store(one: dict[str, Any]) -> dict[str, Any]:
    """The operator's Deployment with the directory mounted; anything else as it is."""
    if one["kind"] == "Deployment":
        pod = one["spec"]["template"]["spec"]
        # On a host that was made before there was such a directory an empty one appears, which the operator tells.
        place = {"path": ON_HOSTS, "type": "DirectoryOrCreate"}
        pod.setdefault("volumes", []).append({"name": _VOLUME, "hostPath": place})
        for container in pod["containers"]:
            container.setdefault("volumeMounts", []).append({"name": _VOLUME, "mountPath": _IN_PODS})
    return one
