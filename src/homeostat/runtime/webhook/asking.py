"""What a validator is asked and what it says: values, and a pure function between them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from msgspec import Struct

from homeostat.api.admission import Operation, UserInfo
from homeostat.api.kind import Kind
from homeostat.runtime.informer import Informer

T = TypeVar("T")


class Request(Struct, Generic[T], frozen=True, kw_only=True):
    """One write, decoded. At least one of `object` and `old` is there."""

    operation: Operation
    name: str
    namespace: str = ""
    object: T | None = None  # as it would be; None in a deletion
    old: T | None = None  # as it is; None in a creation
    user: UserInfo = UserInfo()
    dry_run: bool = False


class Cause(Struct, frozen=True):
    """One reason to refuse: what was expected and found, and what to do; without a `field`, none is at fault."""

    message: str
    remedy: str = ""
    field: str = ""

    @property
    def text(self) -> str:
        """Message and remedy in one line."""
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


class Verdict(Struct, frozen=True):
    """Allowed unless there are causes; warnings are shown to the user either way.

    API servers cut warnings: keep each below 256 characters, all together below 4096.
    """

    causes: tuple[Cause, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_allowed(self) -> bool:
        """Whether the write may go on."""
        return not self.causes


ALLOWED = Verdict()

# A validator is a pure function of the request and of caches. It runs in the event loop, so it looks things up and does
# not compute for long; one that must wait is a coroutine function, and is given up when its time is over.
Validate = Callable[[Request[T]], Verdict | Awaitable[Verdict]]


class Registration(Struct, frozen=True):
    """One resource that is asked about."""

    kind: Kind[Any]
    operations: tuple[Operation, ...]
    validate: Validate[Any]
    needs: tuple[Informer[Any], ...] = ()  # caches without which no answer can be trusted


def denied(message: str, remedy: str = "", *, field: str = "") -> Verdict:
    """A refusal for one reason."""
    return Verdict((Cause(message, remedy, field),))
