"""The masters of Kubernetes, which every package version has: their names as components."""

from __future__ import annotations

ETCD, API_SERVER = "etcd", "kube-apiserver"
CONTROLLER_MANAGER, SCHEDULER = "kube-controller-manager", "kube-scheduler"
CONTROLLERS = (CONTROLLER_MANAGER, SCHEDULER)  # of their replicas one leads, by Lease
STATELESS = (API_SERVER, *CONTROLLERS)
COMPONENTS = (ETCD, *STATELESS)
