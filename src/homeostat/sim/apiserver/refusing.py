"""Why a request is refused, in the words of a kube-apiserver: the code, the reason and the causes that clients act on.

The constructors are those of apimachinery's `pkg/api/errors`, as far as anything here refuses something.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct


class Cause(Struct, frozen=True):
    """One field at fault. `type` is apimachinery's (`FieldValueInvalid`), `field` a path as `spec.ports[0].name`."""

    type: str
    message: str
    field: str = ""


class Refused(Exception):
    """A request that ends in a Status object."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        group: str = "",
        kind: str = "",
        name: str = "",
        causes: Iterable[Cause] = (),
        retry_after_s: int | None = None,
    ) -> None:
        """`kind` is that of the object where the Status names one; for most reasons it is the resource's plural."""
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.group = group
        self.kind = kind
        self.name = name
        self.causes = tuple(causes)
        self.retry_after_s = retry_after_s
        self.continue_token = ""  # goes into the metadata: where a list that has expired can go on

    def status(self) -> dict[str, Any]:
        """The Status object that the client gets."""
        details: dict[str, Any] = {}
        if self.name:
            details["name"] = self.name
        if self.group:
            details["group"] = self.group
        if self.kind:
            details["kind"] = self.kind
        if self.causes:
            details["causes"] = [_shown(cause) for cause in self.causes]
        if self.retry_after_s is not None:
            details["retryAfterSeconds"] = self.retry_after_s
        metadata = {"continue": self.continue_token} if self.continue_token else {}
        shown: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure"}
        shown["message"] = self.message
        if self.reason:
            shown["reason"] = self.reason
        if details:
            shown["details"] = details
        return shown | {"code": self.code}


class NoPage(Refused):
    """There is nothing at all at a path; this is no Status but a line of text."""

    def __init__(self) -> None:
        super().__init__(404, "NotFound", "404 page not found")


def bad_request(message: str) -> Refused:
    """The request makes no sense."""
    return Refused(400, "BadRequest", message)


def invalid(group: str, kind: str, name: str, causes: Iterable[Cause]) -> Refused:
    """The object is understood and not allowed; the message joins all causes as apimachinery does."""
    told = tuple(causes)
    texts = list(dict.fromkeys(f"{each.field}: {each.message}" if each.field else each.message for each in told))
    joined = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    qualified = f"{kind}.{group}" if group else kind
    message = f'{qualified} "{name}" is invalid: {joined}' if told else f'{qualified} "{name}" is invalid'
    return Refused(422, "Invalid", message, group=group, kind=kind, name=name, causes=told)


def not_imitated(feature: str) -> Refused:
    """What a real API server does and this one does not."""
    return Refused(501, "NotImplemented", f"the simulated API server does not imitate {feature}")


def _shown(cause: Cause) -> dict[str, str]:
    shown = {"reason": cause.type, "message": cause.message, "field": cause.field}
    return {key: each for key, each in shown.items() if each or key == "message"}
