"""Deletion protection: refused at admission, because a deletion that has begun cannot be taken back.

A CRD's own rules do not see deletions, a ValidatingAdmissionPolicy does, and needs no webhook that could be down.
"""

from __future__ import annotations

from typing import Any

from homeostat.api.kind import Resource

NAME = "deletion-protection.cluster.homeostat.dev"
_RULE = "!has(oldObject.spec.deletionProtection) || !oldObject.spec.deletionProtection"


def deletion_protection(resource: Resource) -> tuple[dict[str, Any], dict[str, Any]]:
    """The policy that refuses to delete protected objects, and the binding that puts it in force."""
    kind = resource.kind.lower()
    remedy = "set spec.deletionProtection to false first"
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": NAME},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [resource.group],
                        "apiVersions": ["*"],
                        "resources": [resource.plural],
                        "operations": ["DELETE"],
                    }
                ]
            },
            "validations": [
                {
                    "expression": _RULE,
                    "message": f"spec.deletionProtection: the {kind} is protected from deletion; {remedy}",
                    "messageExpression": (
                        f"'spec.deletionProtection: {kind} ' + oldObject.metadata.name "
                        f"+ ' is protected from deletion; {remedy}'"
                    ),
                }
            ],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": NAME},
        "spec": {"policyName": NAME, "validationActions": ["Deny"]},
    }
    return policy, binding
