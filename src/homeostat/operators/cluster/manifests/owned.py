"""Which flags and environment variables of masters are homeostat's own, and why. Data.

Owned is what the manifests set, and what would undo it: another flag for the same thing (`config`, `master`), another
certificate, another place for data, another guise (`ETCD_...` variables). Whole families are owned by their beginning,
so that a flag of a later release is owned before anybody has thought of it; what is safe to tune in a family is named.

Nothing here is a value. The manifests set values, and only of flags that are owned here; what package versions and
overrides say of owned flags never reaches a command line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from msgspec import Struct

from homeostat.api.cluster.masters import API_SERVER, CONTROLLER_MANAGER, ETCD, SCHEDULER

_FORM = re.compile(r"[a-z][a-z0-9-]*")

_CERTIFICATES = "homeostat makes certificates, and decides whom masters trust"
_ETCD = "homeostat leads API servers to the etcd of the cluster"
_REACHED = "homeostat decides where masters listen and how they are reached"
_DATA = "homeostat keeps the data of etcd where its volume is"
_ASKED = "homeostat asks members of etcd how they are, and tells them what to do"
_MEMBERS = "homeostat decides who the members of etcd are"
_ACCESS = "homeostat decides who may do what, and its probes depend on it"
_LEADER = "replicas of one component must agree on how they elect a leader"
_FILE = "masters are started by flags alone"
_VERSION = "versions are those of spec.packageVersion"
_AUDIT = "what is logged of requests is said by spec.audit, and the log goes to the standard output"
_PODS = "the ranges of Pods are those of spec.network.podCIDR, a /24 for each host"
_SERVICES = "the range of Services is that of spec.network.serviceCIDR"


class Owned(Struct, frozen=True):
    """What is homeostat's in one component; a name that ends in `*` stands for all that begin so."""

    flags: Mapping[str, str]  # to why
    tunable: frozenset[str] = frozenset()  # flags of those families that are not owned
    variables: Mapping[str, str] = {}

    def flag(self, name: str) -> str:
        """Why a flag is owned, however its name is written; empty when it is not."""
        name = canonical(name)
        return "" if name in self.tunable else _found(self.flags, name)

    def variable(self, name: str) -> str:
        """Why an environment variable is owned; empty when it is not."""
        return _found(self.variables, name)


_COMMON = {"version": _VERSION, "help": _VERSION, "emulat*": _VERSION, "min-compatibility-version": _VERSION}
_TLS = {"tls-*": _CERTIFICATES, "cert-dir": _CERTIFICATES, "client-ca-file": _CERTIFICATES}
_TLS_TUNABLE = frozenset({"tls-cipher-suites", "tls-min-version", "tls-curve-preferences"})
_LISTENS = {"secure-port": _REACHED, "bind-address": _REACHED, "permit-*": _REACHED}
_SERVES = {**_COMMON, **_TLS, **_LISTENS, "authentication-*": _ACCESS, "authorization-*": _ACCESS} | {
    "requestheader-*": _CERTIFICATES
}
_ELECTS = {
    "leader-elect*": _LEADER,
    "kubeconfig": _REACHED,
    "master": _REACHED,
    "config": _FILE,
    "write-config-to": _FILE,
}
_ELECTS_TUNABLE = frozenset(f"leader-elect-{each}" for each in ("lease-duration", "renew-deadline", "retry-period"))

OWNED: Mapping[str, Owned] = {
    ETCD: Owned(
        flags={
            "name": _MEMBERS,
            "data-dir": _DATA,
            "wal-dir": _DATA,
            "force-new-cluster": _DATA,
            "listen-*": _REACHED,
            "advertise-*": _REACHED,
            "initial-*": _MEMBERS,
            "discovery*": _MEMBERS,
            "strict-reconfig-check": _MEMBERS,
            "unsafe-no-fsync": _DATA,
            "enable-grpc-gateway": _ASKED,
            "host-whitelist": _ASKED,
            "proxy*": _MEMBERS,
            "client-*": _CERTIFICATES,
            "peer-*": _CERTIFICATES,
            "experimental-peer-skip-client-san-verification": _CERTIFICATES,
            "trusted-ca-file": _CERTIFICATES,
            "cert-file": _CERTIFICATES,
            "key-file": _CERTIFICATES,
            "auto-tls": _CERTIFICATES,
            "config-file": _FILE,
            "version": _VERSION,
            "help": _VERSION,
        },
        tunable=frozenset({"initial-election-tick-advance"}),
        variables={"MEMBER": _MEMBERS, "ETCD_*": "etcd takes such variables for flags, which belong in args"},
    ),
    API_SERVER: Owned(
        flags={
            **_SERVES,
            "advertise-address": _REACHED,
            "endpoint-reconciler-type": _REACHED,
            "allow-privileged": _ACCESS,
            "anonymous-auth": _ACCESS,
            "enable-bootstrap-token-auth": _ACCESS,
            "enable-admission-plugins": _ACCESS,
            "disable-admission-plugins": _ACCESS,
            "admission-control*": _ACCESS,
            "token-auth-file": _ACCESS,
            "egress-selector-config-file": _REACHED,
            "service-cluster-ip-range": _SERVICES,
            "etcd-*": _ETCD,
            "storage-backend": _ETCD,
            "audit-policy-file": _AUDIT,
            "audit-log-path": _AUDIT,
            "audit-log-mode": _AUDIT,
            "audit-log-format": _AUDIT,
            "encryption-provider-config*": _ETCD,
            "kubelet-*": _CERTIFICATES,
            "proxy-client-*": _CERTIFICATES,
            "peer-*": _REACHED,
            "service-account-*": _CERTIFICATES,
        },
        tunable=_TLS_TUNABLE
        | {f"etcd-{each}" for each in ("compaction-interval", "count-metric-poll-period", "db-metric-poll-interval")}
        | {"etcd-healthcheck-timeout", "etcd-readycheck-timeout", "kubelet-timeout"}
        | {f"service-account-{each}" for each in ("max-token-expiration", "extend-token-expiration", "lookup")},
    ),
    CONTROLLER_MANAGER: Owned(
        flags={
            **_SERVES,
            **_ELECTS,
            "cluster-name": _REACHED,
            "allocate-node-cidrs": _PODS,
            "cluster-cidr": _PODS,
            "node-cidr-mask-size*": _PODS,
            "cidr-allocator-type": _PODS,
            "service-cluster-ip-range": _SERVICES,
            "root-ca-file": _CERTIFICATES,
            "cluster-signing-*": _CERTIFICATES,
            "service-account-private-key-file": _CERTIFICATES,
            "use-service-account-credentials": _ACCESS,
            "controllers": _ACCESS,
        },
        tunable=_TLS_TUNABLE | _ELECTS_TUNABLE | {"cluster-signing-duration"},
    ),
    SCHEDULER: Owned(flags={**_SERVES, **_ELECTS}, tunable=_TLS_TUNABLE | _ELECTS_TUNABLE),
}
_HOSTED = Owned(flags={}, variables={"KUBECONFIG": "homeostat gives a hosted operator its kubeconfig"})


def owned(component: str) -> Owned:
    """What is homeostat's in a component; of a hosted operator it knows no flags."""
    return OWNED.get(component, _HOSTED)


@lru_cache(maxsize=4096)  # the flags of a package version are asked about whenever one of its clusters is looked at
def owned_flag(component: str, name: str) -> str:
    """Why a flag of a component is homeostat's own; empty if it is not."""
    return owned(component).flag(name)


def canonical(flag: str) -> str:
    """The name of a flag as its component reads it: without dashes before it, `-` for `_`, nothing from `=` on."""
    return flag.strip().lstrip("-").partition("=")[0].replace("_", "-")


def is_flag(name: str) -> bool:
    """Whether a name can be told from every other flag's; what else there is could only be meant to mislead."""
    return _FORM.fullmatch(name) is not None


def _found(names: Mapping[str, str], name: str) -> str:
    exact = names.get(name)
    if exact is not None:
        return exact
    return next((why for each, why in names.items() if each[-1] == "*" and name.startswith(each[:-1])), "")
