"""Why tests of the suite are not run, and why others fail: the first pattern that is found in the name of a test."""

from __future__ import annotations

import re

# A program in a container must answer, and simulated containers run none.
LEFT_OUT: tuple[tuple[str, str], ...] = (
    (r"AdmissionWebhook|CustomResourceConversionWebhook|CustomResourceFieldSelectors", "a webhook runs in a Pod"),
    (r"Aggregator", "an API server runs in a Pod"),
)
_ADMISSION = "admission policies are not imitated"
FAILS: tuple[tuple[str, str], ...] = (
    (r"ResourceQuota", "quotas are not imitated"),
    (r"ValidatingAdmissionPolicy|MutatingAdmissionPolicy", _ADMISSION),
    (r"API priority and fairness", "flow control is not imitated"),
    (r"pods created by rc|keep the rc around|both valid owner", "replication controllers are not imitated"),
    (r"CronJob", "CronJobs are not imitated"),
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
