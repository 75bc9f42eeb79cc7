"""Why tests of the suite are not run, and why others fail: the first pattern that is found in the name of a test."""

from __future__ import annotations

import re

# A program in a container must answer, and simulated containers run none.
LEFT_OUT: tuple[tuple[str, str], ...] = (
    (r"AdmissionWebhook|CustomResourceConversionWebhook|CustomResourceFieldSelectors", "a webhook runs in a Pod"),
    (r"Aggregator", "an API server runs in a Pod"),
)
_PROGRAM = "a program in a container must answer, write or end with a code of its own"
FAILS: tuple[tuple[str, str], ...] = (
    (r"MutatingAdmissionPolicy", "mutating admission policies are not imitated"),
    (r"CronJob", "not run again since CronJobs are imitated"),
    (r"Ingress API", "not run again since Ingresses are imitated"),
    (r"ServiceCIDR and IPAddress", "not run again since ServiceCIDRs and IPAddresses are imitated"),
    (r"pointing to API Server", "nobody writes where the API server itself is reached"),
    (r"Endpoints and EndpointSlices|EndpointSliceMirroring", "not run again since Endpoints are written and mirrored"),
    (r"kube-root-ca", "not run again since certificates that somebody changed are put back"),
    (r"rollback without unnecessary restarts|proportional scaling", "all images exist in a simulated registry"),
    (r"to ExternalName", _PROGRAM),
    (r"serve a basic image|Update Demo|Guestbook|Kubectl logs|Kubectl expose", _PROGRAM),
    (r"pod failure policy to ignore|exit code|tasks sometimes fail|manage the lifecycle of a job", _PROGRAM),
    (r"StatefulSetBasic", _PROGRAM),
    (r"session affinity|functioning NodePort|from ExternalName|multiple (ports|endpoint IPs)", _PROGRAM),
    (
        r"Lifecycle Hook|LifecycleHook|Downward API|Variable Expansion|Projected|EmptyDir|Probing|Container Runtime",
        _PROGRAM,
    ),
    (r"Job .*([Ii]ndex|successPolicy)", "not run again since indexes of Jobs and their policies are imitated"),
    (r"mount.*token|automount|issuer", _PROGRAM),
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
