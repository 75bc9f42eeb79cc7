"""Verdicts as the API server passes them on: 422 with causes where a field is at fault, 403 otherwise. Pure."""

from __future__ import annotations

import msgspec

from homeostat.api.admission import (
    AdmissionRequest,
    AdmissionResponse,
    AnsweredReview,
    ReviewStatus,
    StatusCause,
    StatusDetails,
)
from homeostat.runtime.webhook.asking import Cause, Verdict

_encoder = msgspec.json.Encoder()


def response_of(request: AdmissionRequest, name: str, verdict: Verdict) -> AdmissionResponse:
    """The answer that a verdict means; `name` is the object's own, where the request tells none."""
    status = None if verdict.is_allowed else _refusal(request, name, verdict.causes)
    return AdmissionResponse(
        uid=request.uid, allowed=verdict.is_allowed, status=status, warnings=tuple(verdict.warnings)
    )


def failure_of(request: AdmissionRequest, code: int, reason: str, message: str) -> AdmissionResponse:
    """The answer when there is no verdict: refused, because what cannot be judged must not pass unseen."""
    return AdmissionResponse(uid=request.uid, allowed=False, status=ReviewStatus(code, reason, message))


def encoded(response: AdmissionResponse) -> bytes:
    """A whole review as JSON."""
    return _encoder.encode(AnsweredReview(response))


def cause_of(error: Exception, within: str) -> Cause:
    """Why an object could not be read; `within` says which of the two. msgspec ends messages with a JSON path."""
    message, found, path = str(error).rpartition(" - at `$")
    if not found:
        message, path = str(error), ""
    field = path.strip("`.") or within
    text = f"{within}: {message[:1].lower()}{message[1:]}"
    return Cause(
        text, "this homeostat does not read objects of that form; are its CRDs and its image of one version?", field
    )


def _refusal(request: AdmissionRequest, name: str, causes: tuple[Cause, ...]) -> ReviewStatus:
    # The server puts the webhook's name before the message; kubectl shows kind, name and causes in its place.
    about_fields = any(cause.field for cause in causes)
    details = StatusDetails(
        name=name,
        group=request.kind.group,
        kind=request.kind.kind,
        causes=tuple(StatusCause("FieldValueInvalid", cause.text, cause.field) for cause in causes)
        if about_fields
        else (),
    )
    message = "; ".join(f"{cause.field}: {cause.text}" if cause.field else cause.text for cause in causes)
    return (
        ReviewStatus(422, "Invalid", message, details)
        if about_fields
        else ReviewStatus(403, "Forbidden", message, details)
    )
