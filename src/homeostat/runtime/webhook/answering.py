"""From the body of a review to the body of its answer: decode, judge within the time there is, count, encode.

What is no review of a registered resource is an HTTP error, which the API server takes as a failed call. What is one
always gets an answer: when an object cannot be read, or its validator fails or takes too long, the answer is a refusal
that says so, without a word of what went wrong inside, which is in the log under the review's uid.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Struct

from homeostat.api.admission import API_VERSION, REVIEW, AdmissionRequest, AdmissionResponse, AdmissionReview, Operation
from homeostat.api.kind import Kind
from homeostat.kit.clock import Clock
from homeostat.runtime.informer import Informer
from homeostat.runtime.webhook.asking import ALLOWED, Registration, Request, Validate, Verdict
from homeostat.runtime.webhook.responding import cause_of, encoded, failure_of, response_of
from homeostat.telemetry.logs import logger
from homeostat.telemetry.metrics import Metrics, declare

T = TypeVar("T")

# The API server gives up after `timeoutSeconds` of the configuration (5), and a refusal must still reach it: one second
# is for the body (serving.READ_WITHIN_S), these are for the validator, and the last is for the way there and back.
ANSWER_WITHIN_S = 3.0
SLOW_S = 1.0
_UNKNOWN = "unknown"

ADMISSIONS = declare(
    "homeostat_admissions",
    "counter",
    "reviews",
    "Admission reviews by verdict: allowed, denied, undecodable, failed, timeout; malformed and unready are no reviews",
    labels=("resource", "operation", "verdict"),
)
LATENCY = declare(
    "homeostat_admission_duration_seconds",
    "histogram",
    "seconds",
    "How long an admission review took, from its whole body to its answer",
    labels=("resource", "operation"),
)


class Answer(Struct, frozen=True):
    """What goes back over HTTP: a review, or one line of text about why there is none."""

    code: int
    body: bytes

    @property
    def media_type(self) -> str:
        """Of the body."""
        return "application/json" if self.code == 200 else "text/plain; charset=utf-8"


class Reviewer:
    """The registered validators, and how reviews reach them."""

    def __init__(self, *, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._registrations: dict[str, Registration] = {}
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {}
        self._reviews = msgspec.json.Decoder(AdmissionReview)
        self._count = metrics.counter(ADMISSIONS)
        self._latency = metrics.histogram(LATENCY)
        self._log = logger()

    @property
    def registrations(self) -> tuple[Registration, ...]:
        """What was added, by resource."""
        return tuple(self._registrations[name] for name in sorted(self._registrations))

    def add(
        self,
        kind: Kind[T],
        operations: Iterable[Operation],
        validate: Validate[T],
        *,
        needs: Iterable[Informer[Any]] = (),
    ) -> None:
        """Ask `validate` about these operations on a resource. Raises ValueError when the resource has a validator."""
        name = kind.resource.qualified
        if name in self._registrations:
            raise ValueError(f"webhook of {name}: expected one validator for a resource, found a second; join them")
        self._registrations[name] = Registration(kind, tuple(operations), validate, tuple(needs))
        self._decoders[name] = msgspec.json.Decoder(kind.type)

    def is_able(self) -> bool:
        """Whether all caches are filled without which no answer can be trusted."""
        return all(need.synced.is_set() for each in self._registrations.values() for need in each.needs)

    async def wait_until_able(self) -> None:
        """Wait for all caches that validators read."""
        for each in self._registrations.values():
            for need in each.needs:
                await need.synced.wait()

    async def answer(self, resource: str, body: bytes) -> Answer:
        """Answer one review that came for a resource (`plural.group`)."""
        registration = self._registrations.get(resource)
        if registration is None:
            known = ", ".join(sorted(self._registrations)) or "nothing"
            return self._no_review(404, _UNKNOWN, f"expected one of {known} in the path; this replica knows no other")
        try:
            review = self._reviews.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return self._no_review(400, resource, f"expected an {REVIEW} of {API_VERSION}, but {error}")
        if (wrong := _misdirected(review, registration)) is not None:
            return self._no_review(400, resource, wrong)
        for need in registration.needs:
            if not need.synced.is_set():
                return self._no_review(503, resource, f"{_unfilled(need)}; try again in a moment")
        return Answer(200, encoded(await self._respond(registration, review.request)))

    def _no_review(self, code: int, resource: str, message: str) -> Answer:
        self._count.labels(resource, _UNKNOWN, "unready" if code == 503 else "malformed").inc()
        self._log.warning("turning away what cannot be answered", resource=resource, code=code, why=message)
        return Answer(code, f"{message}\n".encode())

    async def _respond(self, registration: Registration, request: AdmissionRequest) -> AdmissionResponse:
        resource = registration.kind.resource.qualified
        if request.operation not in registration.operations or request.sub_resource:
            # A newer replica has asked for more: what this one has no opinion about, it does not hold up.
            self._count.labels(resource, _UNKNOWN, "allowed").inc()
            return response_of(request, request.name, ALLOWED)
        began = self._clock.monotonic()
        word, response = await self._judged(registration, request)
        took_s = self._clock.monotonic() - began
        self._count.labels(resource, request.operation, word).inc()
        self._latency.labels(resource, request.operation).observe(took_s)
        if took_s > SLOW_S:
            self._log.warning("answered a review slowly", resource=resource, uid=request.uid, seconds=round(took_s, 3))
        return response

    async def _judged(self, registration: Registration, request: AdmissionRequest) -> tuple[str, AdmissionResponse]:
        log = self._log.bind(resource=registration.kind.resource.qualified, uid=request.uid)
        try:
            asked = self._decoded(registration, request)
        except _UnreadableObject as error:
            log.warning("refusing an object that cannot be read", error=str(error.__cause__))
            return "undecodable", response_of(request, request.name, error.verdict)
        try:
            async with self._clock.timeout(ANSWER_WITHIN_S):
                said = registration.validate(asked)
                verdict = said if isinstance(said, Verdict) else await said
        except TimeoutError:
            log.warning("giving up a validator that takes too long", after_s=ANSWER_WITHIN_S)
            return "timeout", failure_of(request, 504, "Timeout", f"not judged within {ANSWER_WITHIN_S:g} s; try again")
        except Exception:
            log.exception("refusing a write that could not be judged")
            message = f"homeostat failed to judge this; its log tells why, under the uid {request.uid}"
            return "failed", failure_of(request, 500, "InternalError", message)
        return "allowed" if verdict.is_allowed else "denied", response_of(request, asked.name, verdict)

    def _decoded(self, registration: Registration, request: AdmissionRequest) -> Request[Any]:
        decoder = self._decoders[registration.kind.resource.qualified]
        new, old = _read(decoder, request.object, "object"), _read(decoder, request.old_object, "oldObject")
        meta = getattr(new if new is not None else old, "metadata", None)
        return Request(
            operation=cast(Operation, request.operation),
            name=request.name or (meta.name if meta is not None else ""),
            namespace=request.namespace,
            object=new,
            old=old,
            user=request.user_info,
            dry_run=request.dry_run,
        )


class _UnreadableObject(Exception):
    """An object is not of the type that its kind declares."""

    def __init__(self, error: Exception, within: str) -> None:
        super().__init__(within)
        self.verdict = Verdict((cause_of(error, within),))


def _read(decoder: msgspec.json.Decoder[Any], raw: msgspec.Raw, within: str) -> Any:
    if bytes(raw) == b"null":
        return None
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _UnreadableObject(error, within) from error


def _misdirected(review: AdmissionReview, registration: Registration) -> str | None:
    resource, request = registration.kind.resource, review.request
    if (review.api_version, review.kind) != (API_VERSION, REVIEW):
        return f"expected an {REVIEW} of {API_VERSION}, found {review.kind} of {review.api_version}"
    found = (request.kind.group, request.kind.version, request.kind.kind)
    if found != (resource.group, resource.version, resource.kind):
        expected = f"{resource.api_version} {resource.kind}"
        return (
            f"request.kind: expected {expected}, found {request.kind.group}/{request.kind.version} {request.kind.kind}"
        )
    return None


def _unfilled(informer: Informer[Any]) -> str:
    return f"the cache of {informer.name} is not filled yet"
