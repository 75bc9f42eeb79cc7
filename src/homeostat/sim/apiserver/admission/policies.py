"""ValidatingAdmissionPolicies: rules about writes that the server itself evaluates, and how bindings put them to use.

Each binding in force brings its parameters, and with each of them the policy's validations are evaluated. A validation
that does not hold, or cannot be evaluated while the policy fails closed, is a decision; what becomes of it is said by
the binding. The first decision to deny, in the order of names, is what the client hears of.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from homeostat.sim.apiserver.admission.conditions import OF_WRITES, Condition, all_hold
from homeostat.sim.apiserver.admission.hooks import at_version, forbidden
from homeostat.sim.apiserver.admission.matching import Selection, selection_of
from homeostat.sim.apiserver.admission.reviewed import Write
from homeostat.sim.apiserver.refusing import Cause, Refused
from homeostat.sim.apiserver.schemas.expressions import FailedEvaluation
from homeostat.sim.apiserver.schemas.rules import MESSAGE_MOST
from homeostat.sim.apiserver.selecting.labels import requirements_of, selects
from homeostat.sim.apiserver.store.record import Record, key_of
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.registry import Types
from homeostat.sim.apiserver.types.type import Type, Value

OF_CONDITIONS = (*OF_WRITES, "params")
OF_VALIDATIONS = (*OF_CONDITIONS, "namespaceObject", "variables")
_CODES = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413, "Invalid": 422}
_MISSING = re.compile(r"no such key: (\w+)$")


class Validation(Struct, frozen=True):
    """One rule, and what is said when it does not hold."""

    holds: Condition
    words: Condition | None
    message: str
    reason: str


class Policy(Struct, frozen=True, kw_only=True):
    """What may be written."""

    name: str
    fails_open: bool
    selection: Selection
    conditions: tuple[Condition, ...]
    variables: tuple[tuple[str, Condition], ...]
    validations: tuple[Validation, ...]
    param_kind: tuple[str, str] | None  # apiVersion and kind


class Binding(Struct, frozen=True, kw_only=True):
    """Where a policy is in force, with which parameters, and what comes of it."""

    name: str
    policy: str
    selection: Selection
    actions: tuple[str, ...]
    params: Mapping[str, Any] | None


class Decision(Struct, frozen=True):
    """Something that a policy has against a write."""

    message: str
    reason: str = "Invalid"


class _Unconfigured(Exception):
    """A policy or binding that cannot be evaluated as it is."""


class Policies:
    """Evaluates the policies of one server."""

    def __init__(self, store: Store, types: Types) -> None:
        self._store = store
        self._types = types

    def judge(self, policies: Iterable[Policy], bindings: Iterable[Binding], write: Write) -> None:
        """Let all allow it. Raises Refused."""
        bound: dict[str, list[Binding]] = {}
        for each in bindings:
            bound.setdefault(each.policy, []).append(each)
        refusals: list[Refused] = []
        for policy in policies:
            type_ = policy.selection.version(write, self._types, self._store) if policy.name in bound else None
            if type_ is None:
                continue
            for binding in bound[policy.name]:
                if binding.selection.version(write, self._types, self._store) is not None:
                    refusals += self._of_binding(policy, binding, write, type_)
        if refusals:
            raise refusals[0]

    def _of_binding(self, policy: Policy, binding: Binding, write: Write, type_: Type) -> list[Refused]:
        try:
            found = self._params(policy, binding, write.namespace)
        except _Unconfigured as error:
            failed = Decision(f"failed to configure binding: {error}")
            return [] if policy.fails_open else [_denied(policy, binding, write, failed)]
        decisions = [each for params in found for each in self._decided(policy, write, type_, params)]
        if "Warn" in binding.actions:
            of = f"ValidatingAdmissionPolicy '{policy.name}' with binding '{binding.name}'"
            write.asked.warnings.extend(f"Validation failed for {of}: {each.message}" for each in decisions)
        return [_denied(policy, binding, write, each) for each in decisions] if "Deny" in binding.actions else []

    def _params(self, policy: Policy, binding: Binding, namespace: str) -> list[Value | None]:
        """The objects that a binding refers to. Raises _Unconfigured."""
        if policy.param_kind is None or binding.params is None:
            return [None]
        type_ = self._kind(*policy.param_kind)
        given = binding.params.get("namespace") or ""
        if type_.resource.namespaced:
            namespace = given or namespace
            if not namespace:
                raise _Unconfigured(
                    "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
                )
        elif given:
            raise _Unconfigured("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
        else:
            namespace = ""
        shelf, name = self._store.shelf(type_.collection), binding.params.get("name") or ""
        if name:
            kept = shelf.get(key_of(namespace, name))
            records = [kept] if kept is not None else []
        else:
            wanted = requirements_of(binding.params.get("selector") or {})
            records = [each for each in shelf.within(namespace) if selects(wanted, each.labels)]
        if not records and binding.params.get("parameterNotFoundAction") == "Deny":
            raise _Unconfigured("no params found for policy binding with `Deny` parameterNotFoundAction")
        return [each.value(type_.head) for each in records]

    def _kind(self, api_version: str, kind: str) -> Type:
        for each in self._types:
            if (each.resource.api_version, each.resource.kind) == (api_version, kind):
                return each
        raise _Unconfigured(f"failed to find resource referenced by paramKind: '{api_version}, Kind={kind}'")

    def _decided(self, policy: Policy, write: Write, type_: Type, params: Value | None) -> Iterator[Decision]:
        """What a policy has against a write."""
        variables: dict[str, Any] = {
            "object": at_version(write.object, type_),
            "oldObject": at_version(write.old, type_),
            "request": write.request("", type_),
            "params": params,
        }
        try:
            if not all_hold(policy.conditions, variables):
                return
        except FailedEvaluation as error:
            if not policy.fails_open:
                yield Decision(str(error), "")
            return
        variables["namespaceObject"] = self._namespace(write)
        failed = _compose(policy, variables)
        for each in policy.validations:
            try:
                if each.holds.value(variables) is not True:
                    yield Decision(_told(each, variables), each.reason)
            except FailedEvaluation as error:
                if not policy.fails_open:
                    yield Decision(_with_variable(str(error), failed), "")

    def _namespace(self, write: Write) -> Value | None:
        if not write.namespace or write.is_of_namespace:
            return None
        found = self._store.shelf(("", "namespaces")).get(key_of("", write.namespace))
        return found.value(b"") if found is not None else None


def policies_of(records: Iterable[Record]) -> list[Policy]:
    """All policies of a server, in the order of their names."""
    return [_policy(each.name, each.shown(b"")) for each in records]


def bindings_of(records: Iterable[Record]) -> list[Binding]:
    """All bindings of a server, in the order of their names."""
    return [_binding(each.name, each.shown(b"")) for each in records]


@functools.lru_cache(maxsize=256)
def _policy(name: str, shown: bytes) -> Policy:
    spec = msgspec.json.decode(shown)["spec"]
    kind = spec.get("paramKind")
    return Policy(
        name=name,
        fails_open=spec.get("failurePolicy") == "Ignore",
        selection=_selection(spec.get("matchConstraints") or {}),
        conditions=tuple(Condition(each["expression"], OF_CONDITIONS) for each in spec.get("matchConditions") or ()),
        variables=tuple(
            (each["name"], Condition(each["expression"], OF_VALIDATIONS)) for each in spec.get("variables") or ()
        ),
        validations=tuple(_validation(each) for each in spec.get("validations") or ()),
        param_kind=(kind["apiVersion"], kind["kind"]) if kind else None,
    )


@functools.lru_cache(maxsize=256)
def _binding(name: str, shown: bytes) -> Binding:
    spec = msgspec.json.decode(shown)["spec"]
    return Binding(
        name=name,
        policy=spec["policyName"],
        selection=_selection(
            spec.get("matchResources") or {}, is_of_all=not (spec.get("matchResources") or {}).get("resourceRules")
        ),
        actions=tuple(spec["validationActions"]),
        params=spec.get("paramRef"),
    )


def _selection(value: Mapping[str, Any], *, is_of_all: bool = False) -> Selection:
    return selection_of(
        value, value.get("resourceRules") or (), value.get("excludeResourceRules") or (), is_of_all=is_of_all
    )


def _validation(value: Mapping[str, Any]) -> Validation:
    words = value.get("messageExpression") or ""
    message = (value.get("message") or "").strip() or f"failed expression: {value['expression'].strip()}"
    said = Condition(words, OF_VALIDATIONS) if words else None
    return Validation(Condition(value["expression"], OF_VALIDATIONS), said, message, value.get("reason") or "Invalid")


def _compose(policy: Policy, variables: dict[str, Any]) -> dict[str, str]:
    """Give the policy's variables their values; of those that have none, why.

    A real server finds them when somebody asks for them. The difference is told of by nobody: who has failed is as
    good as not there for those who do not ask.
    """
    made: dict[str, Any] = {}
    failed: dict[str, str] = {}
    variables["variables"] = made
    for name, expression in policy.variables:
        try:
            made[name] = expression.value(variables)
        except FailedEvaluation as error:
            why = _with_variable(str(error), failed).partition("resulted in error: ")[2]
            failed[name] = f'composited variable "{name}" fails to evaluate: {why}'
    return failed


def _with_variable(error: str, failed: Mapping[str, str]) -> str:
    """An error in the words of the variable whose failure it comes from."""
    found = _MISSING.search(error)
    return error[: found.start()] + failed[found[1]] if found and found[1] in failed else error


def _told(validation: Validation, variables: Mapping[str, Any]) -> str:
    """What is said of a validation that does not hold: what its expression says, if this is a line of text."""
    if validation.words is not None:
        try:
            said = validation.words.value(variables)
        except FailedEvaluation:
            said = None
        text = said.strip() if isinstance(said, str) else ""
        if text and "\n" not in text and len(text.encode()) <= MESSAGE_MOST:
            return text
    return validation.message


def _denied(policy: Policy, binding: Binding, write: Write, decision: Decision) -> Refused:
    of = f"ValidatingAdmissionPolicy '{policy.name}' with binding '{binding.name}'"
    message = f"{of} denied request: {decision.message}"
    refusal = forbidden(write, message)
    refusal.reason = decision.reason or "Invalid"
    refusal.code = _CODES.get(refusal.reason, 422)
    refusal.causes = (Cause("", message),)
    return refusal
