"""Why tests of the suite are not run, and why others fail: the first pattern that is found in the name of a test."""

from __future__ import annotations

import re

# Simulated containers run no programs but for a few small ones, and nothing is sent between them.
_SPEAK, _WRITE = "programs in Pods speak to one another", "what is looked at is what a program in a container writes"
LEFT_OUT: tuple[tuple[str, str], ...] = (
    (r"AdmissionWebhook|CustomResourceConversionWebhook|CustomResourceFieldSelectors", "a webhook runs in a Pod"),
    (r"Aggregator", "an API server runs in a Pod"),
    (r"sig-network\] (DNS|HostPort|Networking)|Services should (have session affinity|serve)", _SPEAK),
    (r"Proxy version v1", "a request is led on to a Pod by the API server"),
    (r"PreStop|should execute prestop|called for GRPC|GRPC liveness", _SPEAK),
    (r"sig-node\] (Downward API|Containers|Security Context)|(ConfigMap|Secrets) should be consumable", _WRITE),
    (r"Variable Expansion should (allow|succeed|verify)", _WRITE),
    (r"from log output|output to logs|read only busybox|hostAliases|EtcHosts|variables for services", _WRITE),
    (r"when starting a container that exits|should support sysctls", _WRITE),
    (r"Ephemeral Containers|command execution|logs from the container|poststart", "somebody asks a kubelet for more"),
    (r"sig-storage\] (ConfigMap|Secrets|Projected|Downward API volume) (?!should be immutable)", _WRITE),
    (r"EmptyDir volumes|Subpath", _WRITE),
    (r"should be restarted with|monotonically|readiness probe that fails", "a program answers its probes badly"),
)
FAILS: tuple[tuple[str, str], ...] = (
    (r"MutatingAdmissionPolicy", "mutating admission policies are not imitated"),
    (r"to ExternalName|from ExternalName|functioning NodePort|session affinity|multiple (ports|endpoint IPs)", _SPEAK),
    (r"serve a basic image|Update Demo|Guestbook|Kubectl expose|issuer", _SPEAK),
    (r"Kubectl logs", _WRITE),
    (r"mount.*token", _WRITE),
    (r"strategy is RollingUpdate", "revisions have their fields in another order than Go writes them"),
    (r"recreate evicted", "kubelets refuse no Pod that is bound to them"),
    (r"StatefulSetBasic", "an exec in a container makes it well or ill"),
    (r"compacted away", "nobody writes to an idle simulated server for ten minutes, so its revision is the old one"),
)
UNKNOWN = "not looked into yet"


def left_out(test: str) -> str:
    """Why a test is not run; nothing when it is."""
    return _found(LEFT_OUT, test) or ""


def reason(test: str) -> str:
    """Why a test fails."""
    return _found(FAILS, test) or UNKNOWN


def _found(patterns: tuple[tuple[str, str], ...], test: str) -> str | None:
    return next((why for pattern, why in patterns if re.search(pattern, test)), None)
