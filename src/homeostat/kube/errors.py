"""What can go wrong between us and an API server, as types.

`ApiError` is an answer: the server understood and refused, and says why. `ConnectionFailed` is the absence of an
answer, with the one fact that matters for retrying: whether the request may have been applied. `MalformedAnswer` is an
answer that is not what the API promises. Messages never carry request bodies, header values or tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from msgspec import Struct


class Cause(Struct, frozen=True):
    """One reason for a refusal, with the path of the field that it is about (`spec.network.podCIDR`)."""

    field: str = ""
    reason: str = ""
    message: str = ""


class KubeError(Exception):
    """Anything that the client raises about a request."""


class ConnectionFailed(KubeError):
    """No (complete) answer came. `sent` is False when the request certainly was not applied."""

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class TimedOut(ConnectionFailed):
    """The answer, or the next part of a stream, did not come in time."""


class UntrustedServer(ConnectionFailed):
    """The TLS handshake failed: wrong CA, wrong name, or a certificate that one side does not accept."""

    def __init__(self, message: str) -> None:
        super().__init__(message, sent=False)


class BadCredentials(KubeError):
    """Our own credentials could not be obtained: a missing token file, a failing exec plugin."""


class MalformedAnswer(KubeError):
    """The answer is not JSON, or not of the type that its kind declares."""


class ApiError(KubeError):
    """The API server refused a request, as its Status object tells."""

    def __init__(
        self,
        status: int,
        reason: str = "",
        message: str = "",
        causes: tuple[Cause, ...] = (),
        retry_after_s: float | None = None,
        doing: str = "",
    ) -> None:
        self.status = status
        self.reason = reason
        self.message = message
        self.causes = causes
        self.retry_after_s = retry_after_s
        self.doing = doing
        told = f"{message or 'no message'} ({status} {reason or 'without reason'})"
        super().__init__(f"{doing}: {told}" if doing else told)


class BadRequest(ApiError):
    """400: the request makes no sense to the server."""


class Unauthorized(ApiError):
    """401: the server does not know who we are."""


class Forbidden(ApiError):
    """403: the server knows who we are and says no."""


class NotFound(ApiError):
    """404: no such object, or no such resource."""


class MethodNotAllowed(ApiError):
    """405: the resource does not serve this verb."""


class Conflict(ApiError):
    """409: a precondition failed, the object changed since it was read, or another manager owns a field."""


class AlreadyExists(ApiError):
    """409: an object of this name exists."""


class Gone(ApiError):
    """410: the resourceVersion or continue token is too old; list again."""

    continue_token = ""  # by which a list goes on from the same place, among what is there now; empty: by none


class TooLarge(ApiError):
    """413: the request is larger than the server takes."""


class UnsupportedMediaType(ApiError):
    """415: the server does not read this kind of patch or body."""


class Invalid(ApiError):
    """422: validation refused fields; `causes` names each."""


class TooManyRequests(ApiError):
    """429: shed by priority and fairness, or an eviction that a disruption budget forbids for now."""


class InternalError(ApiError):
    """500: the server failed; the request may have been applied."""


class ServiceUnavailable(ApiError):
    """503: not serving now."""


class ServerTimeout(ApiError):
    """504, or 500 with reason ServerTimeout or Timeout: the server gave up waiting; the request may be applied."""


Expired = Gone  # Kubernetes says Gone and Expired for the same condition

_BY_REASON: dict[str, type[ApiError]] = {
    "BadRequest": BadRequest,
    "Unauthorized": Unauthorized,
    "Forbidden": Forbidden,
    "NotFound": NotFound,
    "MethodNotAllowed": MethodNotAllowed,
    "Conflict": Conflict,
    "AlreadyExists": AlreadyExists,
    "Gone": Gone,
    "Expired": Gone,
    "RequestEntityTooLarge": TooLarge,
    "UnsupportedMediaType": UnsupportedMediaType,
    "Invalid": Invalid,
    "TooManyRequests": TooManyRequests,
    "InternalError": InternalError,
    "ServiceUnavailable": ServiceUnavailable,
    "ServerTimeout": ServerTimeout,
    "Timeout": ServerTimeout,
}
_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    409: Conflict,
    410: Gone,
    413: TooLarge,
    415: UnsupportedMediaType,
    422: Invalid,
    429: TooManyRequests,
    500: InternalError,
    502: ServiceUnavailable,
    503: ServiceUnavailable,
    504: ServerTimeout,
}


class _Details(Struct, rename="camel"):
    causes: tuple[Cause, ...] | None = None
    retry_after_seconds: float | None = None


class _Listed(Struct, rename={"token": "continue"}):
    token: str = ""


class Status(Struct):
    """metav1.Status, as far as it explains an error."""

    code: int = 0
    reason: str = ""
    message: str = ""
    status: str = ""
    details: _Details | None = None
    metadata: _Listed | None = None


_status_decoder = msgspec.json.Decoder(Status)


def from_status(status: Status, doing: str, *, retry_after_s: float | None = None) -> ApiError:
    """The typed error for a Status object, whether it came as an answer or inside a watch."""
    details = status.details or _Details()
    kind = _BY_REASON.get(status.reason) or _BY_STATUS.get(status.code, ApiError)
    if retry_after_s is None:
        retry_after_s = details.retry_after_seconds
    error = kind(status.code, status.reason, status.message, details.causes or (), retry_after_s, doing)
    if isinstance(error, Gone) and status.metadata is not None:
        error.continue_token = status.metadata.token
    return error


def from_answer(code: int, headers: Mapping[str, str], body: bytes, doing: str) -> ApiError:
    """The typed error for an answer of 300 or more; the body may be a Status, plain text or garbage."""
    try:
        status = _status_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        status = Status(message=_plain_text(body))
    if not status.message and not status.reason:
        status.message = _plain_text(body)
    status.code = code
    if 300 <= code < 400:
        status.message = "answered with a redirect, which API servers do not do: check the server address"
    return from_status(status, doing, retry_after_s=retry_after(headers))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header; API servers send whole seconds, a proxy's dates are ignored."""
    value = headers.get("Retry-After", "").strip()
    return float(value) if value.isdecimal() else None


def _plain_text(body: bytes) -> str:
    """The start of a body that is no Status, on one line: enough to recognise a proxy's error page."""
    text = re.sub(r"\s+", " ", body[:2000].decode("utf-8", "replace")).strip()
    return text if len(text) <= 200 else text[:200] + "..."


def is_retryable(error: BaseException) -> bool:
    """Whether trying the same again later can help, without anybody changing the request, rights or trust."""
    if isinstance(error, UntrustedServer):
        return False
    temporary = (ConnectionFailed, TooManyRequests, InternalError, ServiceUnavailable, ServerTimeout, Conflict, Gone)
    return isinstance(error, temporary)
