"""The configuration asks for homeostat's own kinds only, and every edit of it is noticed."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from tests.support.reviews import NAME, THERMOSTAT
from tests.support.webhooks import AUTHORITIES

from homeostat.api.admission import ValidatingWebhookConfiguration
from homeostat.runtime.webhook.asking import ALLOWED, Registration
from homeostat.runtime.webhook.certificates import authorities_in
from homeostat.runtime.webhook.configuration import ServiceAddress, declared, difference, trusted_by

ADDRESS = ServiceAddress("system", "hooks")
REGISTRATION = Registration(THERMOSTAT, ("CREATE", "UPDATE"), lambda _: ALLOWED)
ONE, TWO = AUTHORITIES
WANTED = declared("homeostat-test", (REGISTRATION,), ADDRESS, ONE + TWO)


def in_force(**changes: Any) -> ValidatingWebhookConfiguration:
    """The configuration as declared, with parts of its only webhook changed."""
    content = copy.deepcopy(WANTED)
    content["webhooks"][0].update(changes)
    return msgspec.convert(content, ValidatingWebhookConfiguration)


def test_it_lists_exactly_what_was_registered_and_fails_closed_for_that() -> None:
    (entry,) = WANTED["webhooks"]
    assert entry["rules"] == [
        {
            "apiGroups": ["test.homeostat.dev"],
            "apiVersions": ["v1"],
            "operations": ["CREATE", "UPDATE"],
            "resources": ["thermostats"],
            "scope": "Namespaced",
        }
    ]
    told = {name: entry[name] for name in ("name", "failurePolicy", "matchPolicy", "sideEffects", "timeoutSeconds")}
    assert told == {
        "name": NAME,
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "sideEffects": "None",
        "timeoutSeconds": 5,
    }
    service = {"namespace": "system", "name": "hooks", "path": f"/validate/{NAME}", "port": 443}
    assert entry["clientConfig"]["service"] == service


def test_the_certificate_is_for_the_name_that_api_servers_call_the_service_by() -> None:
    assert ADDRESS.certificate().dns_names == ("hooks.system.svc",)


def test_with_namespaces_others_are_left_alone() -> None:
    (entry,) = declared("homeostat-test", (REGISTRATION,), ADDRESS, ONE, ("b", "a"))["webhooks"]
    among = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["a", "b"]}
    assert entry["namespaceSelector"] == {"matchExpressions": [among]}


def test_what_is_as_declared_is_left_alone() -> None:
    assert difference(in_force(), WANTED) == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"failurePolicy": "Ignore"}, "failurePolicy"),
        ({"objectSelector": {"matchLabels": {"a": "b"}}}, "objectSelector"),
        ({"matchConditions": [{"name": "never", "expression": "false"}]}, "matchConditions"),
        ({"reinvocationPolicy": "Never"}, "reinvocationPolicy"),
        ({"name": "other.homeostat.dev"}, "other.homeostat.dev is not ours"),
    ],
)
def test_an_edit_is_named(changes: dict[str, Any], said: str) -> None:
    assert said in difference(in_force(**changes), WANTED)


def test_what_is_missing_is_named() -> None:
    assert difference(None, WANTED) == "it does not exist"
    empty = msgspec.convert({**WANTED, "webhooks": []}, ValidatingWebhookConfiguration)
    assert difference(empty, WANTED) == f"webhook {NAME} is missing"


def test_only_whom_every_webhook_trusts_is_trusted() -> None:
    assert trusted_by(in_force()) == authorities_in(ONE + TWO)
    assert trusted_by(None) == frozenset()
    assert trusted_by(in_force(clientConfig={"caBundle": "garbage"})) == frozenset()
    other = declared("homeostat-test", (REGISTRATION,), ADDRESS, TWO)["webhooks"]
    both = msgspec.convert({**WANTED, "webhooks": [*WANTED["webhooks"], *other]}, ValidatingWebhookConfiguration)
    assert trusted_by(both) == authorities_in(TWO)
