"""What a business cluster's own admission refuses or keeps waiting: writes of the probe's Lease, and nothing else."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.apiserver import ApiServer

from homeostat.providers.endpoint.probing import PROBE_LEASE

NAME = "silent.homeostat.test"
_QUEUED = 64  # connections that the kernel takes, and nobody else


@contextmanager
def silent_port(address: str) -> Iterator[int]:
    """A port that is open, and behind which nobody says a word."""
    with socket.socket() as listening:
        listening.bind((address, 0))
        listening.listen(_QUEUED)
        port: int = listening.getsockname()[1]
        yield port


def configuration(url: str) -> dict[str, Any]:
    """A webhook that has every write of the probe's Lease wait for an answer from there."""
    hook = {
        "name": NAME,
        "clientConfig": {"url": url},
        "rules": [
            {"apiGroups": ["coordination.k8s.io"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["leases"]}
        ],
        "matchConditions": [{"name": "probes", "expression": f"request.name == '{PROBE_LEASE}'"}],
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "timeoutSeconds": 30,
        "admissionReviewVersions": ["v1"],
    }
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    return {**kind, "metadata": {"name": NAME}, "webhooks": [hook]}


@contextmanager
def hanging(server: ApiServer, url: str) -> Iterator[None]:
    """While the block lasts."""
    server.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(configuration(url)))
    try:
        yield
    finally:
        server.kubectl("delete", "validatingwebhookconfiguration", NAME)


def _policy(resource: str, unless: str) -> tuple[dict[str, Any], ...]:
    """One that lets no object of a kind in unless an expression holds, and its binding."""
    api, (kind, _, group) = "admissionregistration.k8s.io/v1", resource.partition(".")
    rule = {"apiGroups": [group], "apiVersions": ["v1"], "operations": ["*"], "resources": [kind]}
    policy = {
        "apiVersion": api,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": NAME},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": unless}],
        },
    }
    spec = {"policyName": NAME, "validationActions": ["Deny"]}
    return policy, {
        "apiVersion": api,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": NAME},
        "spec": spec,
    }


@contextmanager
def forbidding(
    server: ApiServer,
    resource: str = "leases.coordination.k8s.io",
    unless: str = f"object.metadata.name != '{PROBE_LEASE}'",
) -> Iterator[None]:
    """While the block lasts, a policy says no: to words in the probe's Lease, or to other objects."""
    for each in _policy(resource, unless):
        server.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(each))
    try:
        yield
    finally:
        server.kubectl("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", NAME)
