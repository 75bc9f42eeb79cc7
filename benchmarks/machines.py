"""The kind that is listed, watched and reconciled: a machine of about 3.2 KB, as a fleet holds them by thousands."""

from __future__ import annotations

from typing import Any

GROUP, VERSION, PLURAL, NAMESPACE = "bench.homeostat.dev", "v1", "machines", "default"
COLLECTION = f"/apis/{GROUP}/{VERSION}/namespaces/{NAMESPACE}/{PLURAL}"


def name_of(index: int) -> str:
    """The name of the machine with this number."""
    return f"m-{index:05d}"


def definition() -> dict[str, Any]:
    """The CustomResourceDefinition; spec is open, because its schema costs the API server and no client."""
    loose = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    text, integer = {"type": "string"}, {"type": "integer", "format": "int64"}
    condition = {
        "type": "object",
        "required": ["type", "status", "reason"],
        "properties": {
            **dict.fromkeys(("type", "status", "reason", "message"), text),
            "lastTransitionTime": {"type": "string", "format": "date-time"},
            "observedGeneration": integer,
        },
    }
    conditions = {
        "type": "array",
        "items": condition,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
    }
    status = {
        "type": "object",
        "properties": {"observedGeneration": integer, "observedBy": text, "conditions": conditions},
    }
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": loose, "status": status}}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": "Machine", "listKind": "MachineList", "plural": PLURAL, "singular": "machine"},
            "versions": [version],
        },
    }


def machine(index: int) -> dict[str, Any]:
    """The machine with this number, as a provisioner would declare it."""
    name = name_of(index)
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Machine",
        "metadata": {
            "name": name,
            "labels": {
                "topology.kubernetes.io/zone": f"zone-{index % 3}",
                "topology.example.com/rack": f"rack-{index // 40:03d}",
                "hardware.example.com/model": f"r{index % 4}50",
                "pool": f"pool-{index % 12}",
            },
            "annotations": {
                "inventory.example.com/asset": f"asset-{index:08d}",
                "inventory.example.com/purchase": f"order 2026-{index % 97:03d}, warranty until 2031-03-31",
                "provisioning.example.com/image-digest": "sha256:" + f"{index:064x}",
                "inventory.example.com/firmware": ", ".join(f"component-{n:02d}=4.{index % 7}.{n}" for n in range(30)),
            },
        },
        "spec": specification(index, name),
    }


def specification(index: int, name: str) -> dict[str, Any]:
    """Hardware, addresses and what the machine should run."""
    return {
        "hostname": f"{name}.dc1.example.com",
        "providerID": f"metal://dc1/{index:08d}",
        "zone": f"zone-{index % 3}",
        "rack": f"rack-{index // 40:03d}",
        "packageVersion": "2026.11.0",
        "note": "",
        "hardware": {
            "vendor": "Example Systems",
            "model": f"r{index % 4}50",
            "serial": f"SN{index:010d}",
            "cpu": "Example 9754 128-Core",
            "cores": 128,
            "memoryGiB": 1024,
        },
        "disks": [
            {"name": f"nvme{n}n1", "model": "Example PM1743", "serial": f"S6{index:08d}{n:02d}", "sizeGiB": 3576}
            for n in range(6)
        ],
        "interfaces": [
            {
                "name": f"eth{n}",
                "mac": f"02:00:00:{index >> 8 & 255:02x}:{index & 255:02x}:{n:02x}",
                "gbps": 100,
                "address": f"fd00:{index:x}::{n:x}",
            }
            for n in range(4)
        ],
        "taints": [{"key": "node.example.com/provisioning", "effect": "NoSchedule", "value": "true"}],
    }
