"""AdmissionReview: what an API server asks a webhook, and what it is told (admission.k8s.io/v1).

Objects stay raw JSON until it is known which type reads them. Only what is read, or must be echoed, is declared. The
configuration by which an API server finds webhooks is here too; its entries are plain data, because they are compared
and replaced as a whole.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta

API_VERSION = "admission.k8s.io/v1"
REVIEW = "AdmissionReview"

Operation = Literal["CREATE", "UPDATE", "DELETE"]


class GroupKind(Struct, frozen=True):
    """Which kind the objects of a request are of."""

    group: str = ""
    version: str = ""
    kind: str = ""


class GroupResource(Struct, frozen=True):
    """Which collection a request is about."""

    group: str = ""
    version: str = ""
    resource: str = ""


class UserInfo(Struct, frozen=True):
    """Who asks."""

    username: str = ""
    groups: tuple[str, ...] = ()


class AdmissionRequest(Struct, frozen=True, rename="camel", kw_only=True):
    """One write that waits for an answer. Absent objects are JSON null."""

    uid: str
    kind: GroupKind
    resource: GroupResource
    operation: str
    sub_resource: str = ""
    name: str = ""  # empty where the server names the object, and in a deletion of a collection
    namespace: str = ""
    user_info: UserInfo = UserInfo()
    object: msgspec.Raw = msgspec.Raw(b"null")
    old_object: msgspec.Raw = msgspec.Raw(b"null")
    dry_run: bool = False


class AdmissionReview(Struct, frozen=True, rename="camel"):
    """The envelope of a request."""

    api_version: str
    kind: str
    request: AdmissionRequest


class StatusCause(Struct, frozen=True):
    """One reason for a refusal; `field` is a path such as spec.endpoint.address."""

    reason: str
    message: str
    field: str


class StatusDetails(Struct, frozen=True, omit_defaults=True):
    """What a refusal is about."""

    name: str = ""
    group: str = ""
    kind: str = ""
    causes: tuple[StatusCause, ...] = ()


class ReviewStatus(Struct, frozen=True, omit_defaults=True):
    """A refusal as metav1.Status; the API server passes it on to whoever asked."""

    code: int
    reason: str
    message: str
    details: StatusDetails | None = None


class AdmissionResponse(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The answer to the request of this uid."""

    uid: str
    allowed: bool | None = None  # None only as the default, so that both answers are written out
    status: ReviewStatus | None = None
    warnings: tuple[str, ...] = ()


class AnsweredReview(Struct, frozen=True):
    """The envelope of an answer."""

    response: AdmissionResponse
    api_version: str = field(default=API_VERSION, name="apiVersion")
    kind: str = REVIEW


class ValidatingWebhookConfiguration(Struct, frozen=True):
    """Which writes an API server asks about, and whom."""

    metadata: ObjectMeta
    webhooks: tuple[dict[str, Any], ...] = ()


VALIDATING_WEBHOOK_CONFIGURATION = Kind(
    Resource(
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        namespaced=False,
    ),
    ValidatingWebhookConfiguration,
)
