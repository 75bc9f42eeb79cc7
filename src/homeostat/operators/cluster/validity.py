"""What is wrong in a spec that the CRD's own rules should have caught. Pure.

A cell may have the CRD of another release: an older one lets in what this one refuses, a newer one what is not known
here. Either way no master is made or touched for it, and the operator serves all other Clusters.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network

from homeostat.api.cluster.v1alpha1 import ClusterSpec
from homeostat.operators.cluster.topology import TOPOLOGIES


def wrong_in(spec: ClusterSpec) -> str:
    """What is wrong, with its path; empty when it is sound."""
    if spec.topology not in TOPOLOGIES:
        known = " or ".join(TOPOLOGIES)
        return (
            f"spec.topology: expected {known}, found {spec.topology!r}; declare one of these, or run a homeostat that"
            " knows it"
        )
    return _wrong_networks(spec.network.pod_cidr, spec.network.service_cidr)


@lru_cache(maxsize=1024)  # most clusters have the same ones
def _wrong_networks(pod_cidr: str, service_cidr: str) -> str:
    networks = {}
    for path, text in (("podCIDR", pod_cidr), ("serviceCIDR", service_cidr)):
        try:
            networks[path] = IPv4Network(text)
        except ValueError as error:
            return f"spec.network.{path}: expected an IPv4 network such as 10.200.0.0/16, found {text!r}: {error}"
    if networks["podCIDR"].overlaps(networks["serviceCIDR"]):
        return (
            f"spec.network.serviceCIDR: expected no overlap with podCIDR, found {service_cidr} and {pod_cidr};"
            " declare the Cluster anew with ranges apart"
        )
    return ""
