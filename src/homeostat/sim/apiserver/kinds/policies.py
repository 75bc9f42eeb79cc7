"""ValidatingAdmissionPolicies and their bindings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from homeostat.sim.apiserver.admission.policies import OF_CONDITIONS, OF_VALIDATIONS
from homeostat.sim.apiserver.kinds.names import selector_causes
from homeostat.sim.apiserver.kinds.webhooks import condition_causes, default_rules, expression_causes, rule_causes
from homeostat.sim.apiserver.refusing import Cause, not_imitated
from homeostat.sim.apiserver.schemas.causes import (
    at_index,
    child,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from homeostat.sim.apiserver.schemas.rfc import dns_1035_label_faults, dns_subdomain_faults
from homeostat.sim.apiserver.types.type import Strategy, Value

_POLICIES, _MATCHES = ("Fail", "Ignore"), ("Equivalent", "Exact")
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_ACTIONS = ("Audit", "Deny", "Warn")
_IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_BOTH = (
    "must not contain both Deny and Warn (repeating the same validation failure information in the API response and"
    " headers serves no purpose)"
)
_NOTHING = "validations or auditAnnotations must contain at least one item"
_EXCLUSIVE = "name and selector are mutually exclusive"


class PolicyStrategy(Strategy):
    """What may be written, as expressions."""

    needs_version = True

    def default(self, value: Value) -> None:
        """It fails closed, and matches all that its rules say."""
        spec = value.setdefault("spec", {})
        spec.setdefault("failurePolicy", "Fail")
        if spec.get("matchConstraints") is not None:
            _default_match(spec["matchConstraints"])

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its spec; conditions that were there before may stay."""
        spec = value["spec"]
        known = {each.get("expression", "") for each in ((old or {}).get("spec") or {}).get("matchConditions") or ()}
        if spec["failurePolicy"] not in _POLICIES:
            yield not_supported("spec.failurePolicy", spec["failurePolicy"], _POLICIES)
        if spec.get("paramKind") is not None:
            yield from _kind_causes(spec["paramKind"], "spec.paramKind")
        match = spec.get("matchConstraints")
        if match is None:
            yield required("spec.matchConstraints")
        else:
            yield from _match_causes(match, "spec.matchConstraints")
            if not match.get("resourceRules"):
                yield required("spec.matchConstraints.resourceRules")
        names = OF_CONDITIONS if spec.get("paramKind") else OF_CONDITIONS[:-1]
        yield from condition_causes(spec.get("matchConditions") or (), "spec.matchConditions", known, names)
        for index, each in enumerate(spec.get("variables") or ()):
            yield from _variable_causes(each, at_index("spec.variables", index))
        if not spec.get("validations") and not spec.get("auditAnnotations"):
            yield required("spec.validations", _NOTHING)
            yield required("spec.auditAnnotations", _NOTHING)
        for index, each in enumerate(spec.get("validations") or ()):
            yield from _validation_causes(each, at_index("spec.validations", index))

    def check(self, value: Value) -> None:
        """There is no audit log to annotate. Raises Refused."""
        if value["spec"].get("auditAnnotations"):
            raise not_imitated("audit annotations of admission policies")


class BindingStrategy(Strategy):
    """Where a policy is in force."""

    needs_version = True

    def default(self, value: Value) -> None:
        """It matches all that the policy does."""
        match = value.setdefault("spec", {}).get("matchResources")
        if match is not None:
            _default_match(match)

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:  # noqa: ARG002
        """Of its spec."""
        spec = value["spec"]
        name, actions = spec.get("policyName", ""), spec.get("validationActions") or []
        if not name:
            yield required("spec.policyName")
        else:
            yield from (invalid("spec.policyName", name, fault) for fault in dns_subdomain_faults(name))
        if spec.get("paramRef") is not None:
            yield from _reference_causes(spec["paramRef"], "spec.paramRef")
        if spec.get("matchResources") is not None:
            yield from _match_causes(spec["matchResources"], "spec.matchResources")
        path = "spec.validationActions"
        for index, each in enumerate(actions):
            if each not in _ACTIONS:
                yield not_supported(at_index(path, index), each, _ACTIONS)
            if each in actions[:index]:
                yield duplicate(at_index(path, index), each)
        if "Deny" in actions and "Warn" in actions:
            yield invalid(path, actions, _BOTH)
        if not actions:
            yield required(path, "at least one validation action is required")


def _default_match(match: Value) -> None:
    match.setdefault("matchPolicy", "Equivalent")
    match.setdefault("namespaceSelector", {})
    match.setdefault("objectSelector", {})
    for name in ("resourceRules", "excludeResourceRules"):
        default_rules(match.get(name) or ())


def _match_causes(match: Value, path: str) -> Iterator[Cause]:
    if match["matchPolicy"] not in _MATCHES:
        yield not_supported(child(path, "matchPolicy"), match["matchPolicy"], _MATCHES)
    for name in ("namespaceSelector", "objectSelector"):
        yield from selector_causes(match[name] or {}, child(path, name))
    for name in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(match.get(name) or ()):
            place = at_index(child(path, name), index)
            names = rule.get("resourceNames") or []
            for at, each in enumerate(names):
                if each in names[:at]:
                    yield duplicate(at_index(child(place, "resourceNames"), at), each)
            yield from rule_causes(rule, place)


def _kind_causes(kind: Value, path: str) -> Iterator[Cause]:
    version, name = kind.get("apiVersion", ""), kind.get("kind", "")
    if not version:
        yield required(child(path, "apiVersion"))
    elif version.count("/") > 1:
        yield invalid(child(path, "apiVersion"), version, f"unexpected GroupVersion string: {version}")
    if not name:
        yield required(child(path, "kind"))
    elif faults := dns_1035_label_faults(name.lower()):
        text = f"may have mixed case, but should otherwise match: {','.join(faults)}"
        yield invalid(child(path, "kind"), name, text)


def _variable_causes(variable: Value, path: str) -> Iterator[Cause]:
    name, expression = variable.get("name", ""), variable.get("expression", "")
    if not name.strip():
        yield required(child(path, "name"), "name is not specified")
    elif not _IDENTIFIER.fullmatch(name):
        yield invalid(child(path, "name"), name, "must be a valid CEL identifier")
    if not expression.strip():
        yield required(child(path, "expression"), "expression is not specified")
    else:
        yield from expression_causes(expression, child(path, "expression"), names=OF_VALIDATIONS, kind="")


def _validation_causes(validation: Value, path: str) -> Iterator[Cause]:
    expression, words = validation.get("expression", ""), validation.get("messageExpression", "")
    message = validation.get("message", "")
    if not expression.strip():
        yield required(child(path, "expression"), "expression is not specified")
    else:
        yield from expression_causes(expression, child(path, "expression"), names=OF_VALIDATIONS)
    if words and not words.strip():
        yield invalid(child(path, "messageExpression"), words, "must be non-empty if specified")
    elif words:
        place = child(path, "messageExpression")
        yield from expression_causes(words, place, names=OF_VALIDATIONS, kind="STRING", word="string")
    if message and not message.strip():
        yield invalid(child(path, "message"), message, "must be non-empty if specified")
    elif "\n" in message.strip():
        yield invalid(child(path, "message"), message, "must not contain line breaks")
    if validation.get("reason") is not None and validation["reason"] not in _REASONS:
        yield not_supported(child(path, "reason"), validation["reason"], _REASONS)


def _reference_causes(reference: Value, path: str) -> Iterator[Cause]:
    name, selector = reference.get("name", ""), reference.get("selector")
    if name and selector is not None:
        yield forbidden(child(path, "name"), _EXCLUSIVE)
    if selector is not None:
        yield from selector_causes(selector, child(path, "selector"))
        if name:
            yield forbidden(child(path, "selector"), _EXCLUSIVE)
    if not name and selector is None:
        yield required(path, "one of name or selector must be specified")
    action = reference.get("parameterNotFoundAction")
    if not action:
        yield required(child(path, "parameterNotFoundAction"))
    elif action not in ("Allow", "Deny"):
        yield not_supported(child(path, "parameterNotFoundAction"), action, ("Deny", "Allow"))
