"""The ValidatingWebhookConfiguration as it should be, and whether the one in force is that. Pure.

Every field is written out, defaults too, so that an edit of any of them is seen. failurePolicy Fail is safe because the
rules list homeostat's own resources only, and because a write that changes no spec, or is of an object that is being
deleted, is none of a webhook's business: finalizers and labels are written, and deletions end, while it is down.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from homeostat.api.admission import VALIDATING_WEBHOOK_CONFIGURATION, ValidatingWebhookConfiguration
from homeostat.kit.pki.authority import Request
from homeostat.runtime.webhook.asking import Registration
from homeostat.runtime.webhook.certificates import AUTHORITY, authorities_in

TIMEOUT_S = 5  # of the API server; ours is shorter, see answering.ANSWER_WITHIN_S
PATH = "/validate"

_CONDITIONS = (
    ("not-being-deleted", "request.operation == 'CREATE' || !has(oldObject.metadata.deletionTimestamp)"),
    (
        "changes-spec",
        "request.operation != 'UPDATE' || !has(object.spec) || !has(oldObject.spec) || object.spec != oldObject.spec",
    ),
)


class Address(Protocol):
    """Where API servers find this process."""

    def certificate(self) -> Request:
        """What the serving certificate must say."""
        ...

    def client_config(self, path: str) -> dict[str, Any]:
        """The clientConfig of a webhook, without the bundle."""
        ...


class ServiceAddress(Struct, frozen=True):
    """A Service of the cell, in front of all replicas."""

    namespace: str
    name: str
    port: int = 443

    def certificate(self) -> Request:
        """For the one name that API servers call a Service by."""
        return Request(AUTHORITY, self.name, dns_names=(f"{self.name}.{self.namespace}.svc",))

    def client_config(self, path: str) -> dict[str, Any]:
        """By reference: API servers find its address without DNS."""
        return {"service": {"namespace": self.namespace, "name": self.name, "path": path, "port": self.port}}


def declared(
    name: str, registrations: Iterable[Registration], address: Address, bundle: bytes, namespaces: Sequence[str] = ()
) -> dict[str, Any]:
    """The configuration to apply; with namespaces, objects of others are left alone."""
    return {
        "apiVersion": VALIDATING_WEBHOOK_CONFIGURATION.resource.api_version,
        "kind": VALIDATING_WEBHOOK_CONFIGURATION.resource.kind,
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "homeostat"}},
        "webhooks": [_entry(each, address, bundle, namespaces) for each in registrations],
    }


def _entry(registration: Registration, address: Address, bundle: bytes, namespaces: Sequence[str]) -> dict[str, Any]:
    resource = registration.kind.resource
    among = [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": sorted(namespaces)}]
    return {
        "name": resource.qualified,
        "admissionReviewVersions": ["v1"],
        "clientConfig": {
            **address.client_config(f"{PATH}/{resource.qualified}"),
            "caBundle": b64encode(bundle).decode(),
        },
        "failurePolicy": "Fail",
        "matchConditions": [{"name": name, "expression": expression} for name, expression in _CONDITIONS],
        "matchPolicy": "Equivalent",
        "namespaceSelector": {"matchExpressions": among} if namespaces else {},
        "objectSelector": {},
        "rules": [
            {
                "apiGroups": [resource.group],
                "apiVersions": [resource.version],
                "operations": list(registration.operations),
                "resources": [resource.plural],
                "scope": "Namespaced" if resource.namespaced else "Cluster",
            }
        ],
        "sideEffects": "None",
        "timeoutSeconds": TIMEOUT_S,
    }


def difference(found: ValidatingWebhookConfiguration | None, wanted: Mapping[str, Any]) -> str:
    """What is not as declared, for the log; empty when all is."""
    if found is None:
        return "it does not exist"
    there = {str(entry.get("name")): entry for entry in found.webhooks}
    should = {str(entry["name"]): entry for entry in wanted["webhooks"]}
    if strange := sorted(set(there) - set(should)):
        return f"webhook {strange[0]} is not ours"
    for name, entry in should.items():
        if name not in there:
            return f"webhook {name} is missing"
        if parts := [part for part in sorted({*entry, *there[name]}) if entry.get(part) != there[name].get(part)]:
            return f"webhook {name} differs in {', '.join(parts)}"
    return ""


def trusted_by(found: ValidatingWebhookConfiguration | None) -> frozenset[bytes]:
    """The authorities, each as PEM, that every webhook of a configuration trusts."""
    if found is None or not found.webhooks:
        return frozenset()
    return frozenset.intersection(*(authorities_in(_bundle(entry)) for entry in found.webhooks))


def _bundle(entry: Mapping[str, Any]) -> bytes:
    try:
        return b64decode(entry["clientConfig"]["caBundle"], validate=True)
    except (KeyError, TypeError, ValueError):
        return b""
