"""Requests of certificates, and the three ways in which they are written: each may change another part of them.

The request itself stays as it was made; whoever may approve writes that it is approved or denied, and whoever may sign
writes the certificate, or that it failed. Who asked is what the server knows of the client, never what the client says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from homeostat.kit.clock import Clock
from homeostat.sim.apiserver.access.roles import Roles
from homeostat.sim.apiserver.kinds.certificates import judging
from homeostat.sim.apiserver.kinds.certificates.signers import check_approval, check_signature, check_subject
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.types.metadata import stamp
from homeostat.sim.apiserver.types.type import Strategy, Value
from homeostat.sim.apiserver.types.user import User

_WHO = ("username", "uid", "groups", "extra")


class RequestStrategy(Strategy):
    """What is asked for, which nobody changes."""

    names = "segment"
    statuses = ("status", "approval")
    resets = ("spec", "status")

    def __init__(self, roles: Roles, clock: Clock) -> None:
        self._below: Mapping[str, Strategy] = {
            "approval": ApprovalStrategy(roles, clock),
            "status": SigningStrategy(roles, clock),
        }

    def below(self, subresource: str) -> Strategy:
        """Those who approve, and those who sign."""
        return self._below.get(subresource, self)

    def on_asked(self, value: Value, user: User) -> None:
        """Who asks."""
        spec = value.setdefault("spec", {})
        for name in _WHO:
            spec.pop(name, None)
        spec |= user.told()
        value["status"] = {}

    def on_update(self, value: Value, old: Value) -> None:
        """Another request is another object."""
        value["spec"] = old["spec"]

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of the request, and of what became of it."""
        yield from judging.of_request(value)
        if old is not None:
            yield from judging.of_change(value, old, approves=False, signs=False)

    def admit(self, value: Value, old: Value | None, user: User) -> None:  # noqa: ARG002
        """Nobody becomes an administrator that way. Raises Refused."""
        if old is None:
            check_subject(value)

    def fields(self, value: Value) -> Mapping[str, str]:
        """By who is to sign."""
        return {"spec.signerName": value.get("spec", {}).get("signerName", "")}

    @property
    def selectable(self) -> tuple[str, ...]:
        """By who is to sign."""
        return ("spec.signerName",)


class ApprovalStrategy(Strategy):
    """What those write who approve and deny: conditions, and no certificate."""

    names = "segment"
    resets = ("spec", "status.certificate")

    def __init__(self, roles: Roles, clock: Clock) -> None:
        self._roles = roles
        self._clock = clock

    def on_status(self, value: Value, old: Value) -> None:
        """The certificate stays, and conditions tell since when they hold."""
        status, before = value.setdefault("status", {}), old.get("status", {})
        status.pop("certificate", None)
        status |= {"certificate": before["certificate"]} if "certificate" in before else {}
        judging.date(status, before, stamp(self._clock.now()))

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """As for the request; conditions may come, and not go."""
        yield from judging.of_request(value)
        yield from judging.of_change(value, old or value, approves=True, signs=False)

    def admit(self, value: Value, old: Value | None, user: User) -> None:
        """Only for signers that one may approve for. Raises Refused."""
        check_approval(self._roles, user, old or value)

    fields = RequestStrategy.fields


class SigningStrategy(Strategy):
    """What signers write: the certificate, or that they failed; whether it is approved is not theirs to say."""

    names = "segment"

    def __init__(self, roles: Roles, clock: Clock) -> None:
        self._roles = roles
        self._clock = clock

    def on_status(self, value: Value, old: Value) -> None:
        """What was decided stays as it is, and conditions tell since when they hold."""
        status, before = value.setdefault("status", {}), old.get("status", {})
        judging.keep_decisions(status, before)
        judging.date(status, before, stamp(self._clock.now()))

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """As for the request; a certificate may come, and not change."""
        yield from judging.of_request(value)
        yield from judging.of_change(value, old or value, approves=False, signs=True)

    def admit(self, value: Value, old: Value | None, user: User) -> None:
        """Only for signers that one may sign for. Raises Refused."""
        if old is not None and judging.result(value) != judging.result(old):
            check_signature(self._roles, user, old)

    fields = RequestStrategy.fields
