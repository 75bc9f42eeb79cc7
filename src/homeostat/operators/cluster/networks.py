"""What is wrong in the networks of a Cluster that the CRD's own rules should have caught. Pure."""

from __future__ import annotations

from ipaddress import IPv4Network

from homeostat.api.cluster.v1alpha1 import ClusterSpec


def wrong_in(spec: ClusterSpec) -> str:
    """What is wrong in a spec, with its path; empty when it is sound."""
    networks = {}
    for path, text in (("podCIDR", spec.network.pod_cidr), ("serviceCIDR", spec.network.service_cidr)):
        try:
            networks[path] = IPv4Network(text)
        except ValueError as error:
            return f"spec.network.{path}: expected an IPv4 network such as 10.200.0.0/16, found {text!r}: {error}"
    if networks["podCIDR"].overlaps(networks["serviceCIDR"]):
        return (
            f"spec.network.serviceCIDR: expected no overlap with podCIDR, found {spec.network.service_cidr} and"
            f" {spec.network.pod_cidr}; declare the Cluster anew with ranges apart"
        )
    return ""
