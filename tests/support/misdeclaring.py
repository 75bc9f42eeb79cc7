"""Clusters that their schema alone refuses: what is changed of a good one, and what a person is told of it."""

from __future__ import annotations

from typing import Any

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"spec.network.podCidr": "10.0.0.0/8"}, "spec.network.podCidr: there is no such field; did you mean 'podCIDR'?"),
    ({"spec.replicas": 3}, "spec.replicas: there is no such field"),
    ({"spce": {}}, "spce: there is no such field; did you mean 'spec'?"),
    ({"metadata.lables": {"a": "b"}}, "metadata.lables: there is no such field; did you mean 'labels'?"),
    ({"spec.paused": "yes"}, "spec.paused: expected boolean, found 'yes'"),
    ({"spec.network": "10.0.0.0/8"}, "spec.network: expected object, found '10.0.0.0/8'"),
    ({"spec.overrides": {"v": 1}}, "spec.overrides: expected array, found a map of 1"),
    ({"spec.packageVersion": None}, "spec.packageVersion: expected a value, found none"),
    ({"spec.topology": "triple"}, "spec.topology: expected one of single, ha, found 'triple'"),
    ({"metadata.name": "1st"}, "metadata.name: expected what matches ^[a-z]"),
    ({"spec.upgradePolicy": {"stepTimeoutSeconds": True}}, "spec.upgradePolicy.stepTimeoutSeconds: expected integer"),
    ({"spec.upgradePolicy": {"stepTimeoutSeconds": 1}}, "spec.upgradePolicy.stepTimeoutSeconds: expected at least 30"),
    ({"spec.overrides": [{"name": "etcd", "args": {"v": 4}}]}, "spec.overrides[0].args.v: expected string, found 4"),
    ({"spec.overrides": [{"name": "etcd"}, {"name": "etcd"}]}, "spec.overrides[1]: expected one element of name etcd"),
]
