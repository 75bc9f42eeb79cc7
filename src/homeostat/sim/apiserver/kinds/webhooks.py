"""Configurations of webhooks: whom to ask about which writes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from homeostat.sim.apiserver.admission.conditions import Condition
from homeostat.sim.apiserver.kinds.names import selector_causes
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import (
    at_index,
    child,
    duplicate,
    invalid,
    not_supported,
    quoted,
    required,
    too_many,
)
from homeostat.sim.apiserver.schemas.compiling import BadExpression
from homeostat.sim.apiserver.schemas.labels import label_name_faults
from homeostat.sim.apiserver.schemas.rfc import dns_1035_label_faults, dns_subdomain_faults
from homeostat.sim.apiserver.types.type import Strategy, Value

_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_POLICIES, _MATCHES = ("Fail", "Ignore"), ("Equivalent", "Exact")
_SIDE_EFFECTS, _REINVOCATIONS = ("None", "NoneOnDryRun"), ("IfNeeded", "Never")
_VERSIONS = ("v1", "v1beta1")
_MOST_CONDITIONS = 64
_FORM = "; desired format: https://host[/path]"
# What a real server knows the types of, and this one does not. Of objects nobody does.
_TYPED = re.compile(r"\b(variables|request|namespaceObject)\b")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


class WebhookStrategy(Strategy):
    """Of both kinds; those that change objects may be asked again."""

    needs_version = True

    def __init__(self, *, is_mutating: bool) -> None:
        self._is_mutating = is_mutating

    def default(self, value: Value) -> None:
        """What clients may leave out of each webhook."""
        for hook in value.get("webhooks") or ():
            hook.setdefault("failurePolicy", "Fail")
            hook.setdefault("matchPolicy", "Equivalent")
            hook.setdefault("namespaceSelector", {})
            hook.setdefault("objectSelector", {})
            hook.setdefault("timeoutSeconds", 10)
            if self._is_mutating:
                hook.setdefault("reinvocationPolicy", "Never")
            default_rules(hook.get("rules") or ())
            if service := (hook.get("clientConfig") or {}).get("service"):
                service.setdefault("port", 443)

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of each webhook. What was there before an update may stay as it was."""
        seen: set[str] = set()
        known = {
            each.get("expression", "")
            for hook in (old or {}).get("webhooks") or ()
            for each in hook.get("matchConditions") or ()
        }
        for index, hook in enumerate(value.get("webhooks") or ()):
            path = at_index("webhooks", index)
            yield from self._of_hook(hook, path, known)
            name = hook.get("name", "")
            if name in seen:
                yield duplicate(child(path, "name"), name)
            if name:
                seen.add(name)

    def _of_hook(self, hook: Value, path: str, known: set[str]) -> Iterator[Cause]:
        yield from _name_causes(hook.get("name", ""), child(path, "name"))
        for index, rule in enumerate(hook.get("rules") or ()):
            yield from rule_causes(rule, at_index(child(path, "rules"), index))
        yield from _choice(hook, path, "failurePolicy", _POLICIES)
        yield from _choice(hook, path, "matchPolicy", _MATCHES)
        if hook.get("sideEffects") is None:
            yield required(child(path, "sideEffects"), f"must specify one of {', '.join(_SIDE_EFFECTS)}")
        yield from _choice(hook, path, "sideEffects", _SIDE_EFFECTS)
        if not 1 <= hook["timeoutSeconds"] <= 30:
            text = "the timeout value must be between 1 and 30 seconds"
            yield invalid(child(path, "timeoutSeconds"), hook["timeoutSeconds"], text)
        for name in ("namespaceSelector", "objectSelector"):
            yield from selector_causes(hook.get(name) or {}, child(path, name))
        if self._is_mutating:
            yield from _choice(hook, path, "reinvocationPolicy", _REINVOCATIONS)
        yield from _way_causes(hook.get("clientConfig") or {}, child(path, "clientConfig"))
        yield from condition_causes(hook.get("matchConditions") or (), child(path, "matchConditions"), known)
        yield from _version_causes(hook.get("admissionReviewVersions") or [], child(path, "admissionReviewVersions"))


def default_rules(rules: Iterable[Value]) -> None:
    """A rule is about all scopes."""
    for rule in rules:
        rule.setdefault("scope", "*")


def rule_causes(rule: Value, path: str) -> Iterator[Cause]:
    """Faults of operations on resources."""
    for name, said in (("operations", "operations"), ("apiGroups", "API groups"), ("apiVersions", "API versions")):
        items = rule.get(name) or []
        if not items:
            yield required(child(path, name))
        if len(items) > 1 and "*" in items:
            yield invalid(child(path, name), items, f"if '*' is present, must not specify other {said}")
    for index, each in enumerate(rule.get("operations") or ()):
        if each not in _OPERATIONS:
            yield not_supported(at_index(child(path, "operations"), index), each, _OPERATIONS)
    for index, each in enumerate(rule.get("apiVersions") or ()):
        if not each:
            yield required(at_index(child(path, "apiVersions"), index))
    yield from _resource_causes(rule.get("resources") or [], child(path, "resources"))
    if rule.get("scope") not in _SCOPES:
        yield not_supported(child(path, "scope"), rule.get("scope"), _SCOPES)


def condition_causes(
    conditions: Iterable[Value], path: str, known: Iterable[str], names: tuple[str, ...] = ()
) -> Iterator[Cause]:
    """Faults of conditions; expressions that are known were judged before."""
    conditions, seen = list(conditions), set[str]()
    if len(conditions) > _MOST_CONDITIONS:
        yield too_many(path, len(conditions), _MOST_CONDITIONS)
    for index, each in enumerate(conditions):
        place, name, expression = at_index(path, index), each.get("name", ""), each.get("expression", "")
        if not expression.strip():
            yield required(child(place, "expression"))
        elif expression not in known:
            yield from expression_causes(expression, child(place, "expression"), names=names)
        if not name:
            yield required(child(place, "name"))
        else:
            yield from (invalid(child(place, "name"), name, fault) for fault in label_name_faults(name))
            if name in seen:
                yield duplicate(child(place, "name"), name)
            seen.add(name)


def expression_causes(
    expression: str, path: str, *, names: tuple[str, ...] = (), kind: str = "BOOL", word: str = "bool"
) -> Iterator[Cause]:
    """Why an expression does not compile to a kind of value."""
    try:
        condition = Condition(expression, names) if names else Condition(expression)
    except BadExpression as error:
        yield invalid(path, expression, f"compilation failed: {error}")
        return
    if kind and condition.kind != kind and not (condition.kind == "DYN" and _TYPED.search(expression)):
        yield invalid(path, expression, f"must evaluate to {word}")


def _name_causes(name: str, path: str) -> Iterator[Cause]:
    if not name:
        yield required(path)
    elif faults := dns_subdomain_faults(name):
        yield invalid(path, name, ",".join(faults))
    elif name.count(".") < 2:
        yield invalid(path, name, "should be a domain with at least three segments separated by dots")


def _choice(hook: Value, path: str, name: str, allowed: tuple[str, ...]) -> Iterator[Cause]:
    if hook.get(name) is not None and hook[name] not in allowed:
        yield not_supported(child(path, name), hook[name], allowed)


def _resource_causes(resources: list[str], path: str) -> Iterator[Cause]:
    if not resources:
        yield required(path)
    yield from _overlap_causes(resources, path)
    if len(resources) > 1 and "*/*" in resources:
        yield invalid(path, resources, "if '*/*' is present, must not specify other resources")
    plain = [each for each in resources if each and "/" not in each]
    if "*" in plain and plain[-1] != "*":  # a real server looks at the last one alone
        text = "if '*' is present, must not specify other resources without subresources"
        yield invalid(path, resources, text)


def _overlap_causes(resources: list[str], path: str) -> Iterator[Cause]:
    whole, everywhere = set[str](), set[str]()
    for index, each in enumerate(resources):
        place = at_index(path, index)
        resource, slash, sub = each.partition("/")
        if not each:
            yield required(place)
        if not slash:
            continue
        if resource in whole:
            yield invalid(place, each, f"if '{resource}/*' is present, must not specify {each}")
        if sub in everywhere:
            yield invalid(place, each, f"if '*/{sub}' is present, must not specify {each}")
        if sub == "*":
            whole.add(resource)
        if resource == "*":
            everywhere.add(sub)


def _way_causes(config: Value, path: str) -> Iterator[Cause]:
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        yield required(path, "exactly one of url or service is required")
    elif url is not None:
        yield from _url_causes(url, child(path, "url"))
    else:
        yield from _service_causes(service or {}, child(path, "service"))


def _url_causes(url: str, path: str) -> Iterator[Cause]:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        yield required(path, f"url must be a valid URL: parse {quoted(url)}: {error}{_FORM}")
        return
    if _CONTROL.search(url):
        why = "net/url: invalid control character in URL"
        yield required(path, f"url must be a valid URL: parse {quoted(url)}: {why}{_FORM}")
        return
    if parts.scheme != "https":
        yield invalid(path, parts.scheme, f"'https' is the only allowed URL scheme{_FORM}")
    if not parts.netloc:
        yield invalid(path, "", f"host must be specified{_FORM}")
    user, at, _ = parts.netloc.rpartition("@")
    if at:
        yield invalid(path, user, "user information is not permitted in the URL")
    if parts.fragment:
        yield invalid(path, parts.fragment, "fragments are not permitted in the URL")
    if parts.query:
        yield invalid(path, parts.query, "query parameters are not permitted in the URL")


def _service_causes(service: Value, path: str) -> Iterator[Cause]:
    for name in ("name", "namespace"):
        if not service.get(name):
            yield required(child(path, name))
    if not 1 <= service.get("port", 443) <= 65535:
        text = "port is not valid: must be between 1 and 65535, inclusive"
        yield invalid(child(path, "port"), service["port"], text)
    said: Any = service.get("path")
    if said in (None, "", "/"):
        return
    place = child(path, "path")
    if said == "//":
        yield invalid(place, said, "segment[0] may not be empty")
        return
    if not said.startswith("/"):
        yield invalid(place, said, "must start with a '/'")
    for index, step in enumerate(said[1:].removesuffix("/").split("/")):
        if not step:
            yield invalid(place, said, f"segment[{index}] may not be empty")
        else:
            yield from (invalid(place, said, f"segment[{index}]: {fault}") for fault in dns_subdomain_faults(step))


def _version_causes(versions: list[str], path: str) -> Iterator[Cause]:
    if not versions:
        yield required(path, f"must specify one of {', '.join(_VERSIONS)}")
        return
    for index, each in enumerate(versions):
        if each in versions[:index]:
            yield invalid(at_index(path, index), each, "duplicate version")
            continue
        yield from (invalid(at_index(path, index), each, fault) for fault in dns_1035_label_faults(each))
    if not set(versions) & set(_VERSIONS):
        yield invalid(path, versions, f"must include at least one of {', '.join(_VERSIONS)}")
