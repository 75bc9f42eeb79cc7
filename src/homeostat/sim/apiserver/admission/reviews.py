"""What is said to a webhook and what comes back: AdmissionReview, in both versions that API servers speak."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import msgspec
from msgspec import Struct

from homeostat.sim.apiserver.admission.calling import Heard, NotReached
from homeostat.sim.apiserver.types.type import Value

GROUP = "admission.k8s.io"
SPOKEN = ("v1", "v1beta1")
_encode = msgspec.json.Encoder().encode
_OF_STATUS = ("metadata", "status", "message", "reason", "details", "code")
_HTTP = {
    400: "the server rejected our request for an unknown reason",
    401: "the server has asked for the client to provide credentials",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    409: "the server reported a conflict",
    422: "the server rejected our request due to an error in our request",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted, but may still be processing the request",
}


class Response(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a webhook says of a write."""

    uid: str = ""
    allowed: bool = False
    status: Value | None = None
    patch: str = ""
    patch_type: str | None = None
    warnings: tuple[str, ...] = ()


class Review(Struct, frozen=True, kw_only=True, rename="camel"):
    """The whole answer."""

    response: Response | None = None


class Senseless(ValueError):
    """What a webhook said is no answer; the message is that of an API server."""


def encoded(version: str, request: Value, new: Value | None, old: Value | None) -> bytes:
    """The body of a review."""
    whole = {"kind": "AdmissionReview", "apiVersion": f"{GROUP}/{version}"}
    return _encode({**whole, "request": {**request, "object": new, "oldObject": old}})


def decoded(heard: Heard, version: str) -> Review:
    """The answer to a review. Raises NotReached: to the caller's library, what cannot be read did not arrive."""
    if not 200 <= heard.code <= 206:
        raise NotReached(_of_code(heard))
    try:
        kind = msgspec.json.decode(heard.body, type=_Kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotReached(f"couldn't get version/kind; json parse error: {error}") from error
    said = kind.api_version or f"{GROUP}/{version}"
    if kind.kind not in ("", "AdmissionReview") or said not in [f"{GROUP}/{each}" for each in SPOKEN]:
        raise NotReached(f'no kind "{kind.kind}" is registered for version "{kind.api_version}" in scheme')
    if said != f"{GROUP}/{version}":
        given = said.rpartition("/")[2]
        raise NotReached(f"converting ({given}.AdmissionReview) to ({version}.AdmissionReview): unknown conversion")
    try:
        return msgspec.json.decode(heard.body, type=Review)
    except msgspec.DecodeError as error:
        raise NotReached(str(error)) from error


def verified(review: Review, version: str, uid: str, *, is_mutating: bool) -> Response:
    """The response, when it is one to what was asked. Raises Senseless."""
    said = review.response
    if said is None:
        raise Senseless("webhook response was absent")
    if version == "v1beta1":
        return msgspec.structs.replace(said, patch_type="JSONPatch" if said.patch else None)
    if said.uid != uid:
        raise Senseless(f'expected response.uid="{uid}", got "{said.uid}"')
    _check_patch(said, is_mutating=is_mutating)
    return said


def _check_patch(said: Response, *, is_mutating: bool) -> None:
    if not is_mutating:
        if said.patch:
            raise Senseless("validating webhook may not return response.patch")
        if said.patch_type is not None:
            raise Senseless("validating webhook may not return response.patchType")
    elif said.patch and said.patch_type is None:
        raise Senseless("webhook returned response.patch but not response.patchType")
    elif not said.patch and said.patch_type is not None:
        raise Senseless("webhook returned response.patchType but not response.patch")
    elif said.patch_type == "":
        raise Senseless('webhook returned invalid response.patchType of ""')


def patch_of(response: Response) -> Any:
    """The patch, decoded. Raises ValueError."""
    return msgspec.json.decode(b64decode(response.patch))


def status_of(name: str, response: Response) -> Value:
    """The Status by which a client hears of a denial."""
    said = {key: each for key, each in (response.status or {}).items() if key in _OF_STATUS and each}
    denied = f'admission webhook "{name}" denied the request'
    why = said.get("message") or said.get("reason")
    code = said.get("code", 0)
    shown: Value = {"kind": "Status", "apiVersion": "v1", "metadata": said.get("metadata") or {}}
    shown["status"] = said.get("status") if said.get("status") not in (None, "Success") else "Failure"
    shown["message"] = f"{denied}: {why}" if why else f"{denied} without explanation"
    for key in ("reason", "details"):
        if said.get(key):
            shown[key] = said[key]
    return shown | {"code": code if code >= 400 else 400}


class _Kind(Struct, frozen=True, rename="camel"):
    kind: str = ""
    api_version: str = ""


def _of_code(heard: Heard) -> str:
    text = heard.body.decode(errors="replace").strip() if heard.media.startswith("text/") else ""
    text = text or "unknown"
    if heard.code in (403, 415):
        return text
    if heard.code in _HTTP:
        return _HTTP[heard.code]
    if heard.code >= 500:
        return (
            f"an error on the server ({msgspec.json.encode(text).decode()}) has prevented the request from succeeding"
        )
    return f"the server responded with the status code {heard.code} but did not return more information"
