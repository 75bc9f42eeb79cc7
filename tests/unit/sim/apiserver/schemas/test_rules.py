"""Rules of CRDs: what they see, what they may say, and what is refused because it is not imitated."""

from __future__ import annotations

from typing import Any

import pytest

from homeostat.sim.apiserver.refusing import Refused
from homeostat.sim.apiserver.schemas.correlating import ABSENT
from homeostat.sim.apiserver.schemas.expressions import Expression
from homeostat.sim.apiserver.schemas.functions import cidr, contains, is_cidr, is_ip, quantity
from homeostat.sim.apiserver.schemas.rule_values import escaped, in_order_of, kind_of
from homeostat.sim.apiserver.schemas.rules import Place, broken_rules, definition_causes
from homeostat.sim.apiserver.schemas.schema import read


def told(schema: dict[str, Any], value: Any, before: Any = ABSENT) -> list[str]:
    return [cause.message for cause in broken_rules(value, read(schema), Place("at", before))]


def ruled(rule: str, **words: Any) -> dict[str, Any]:
    return {"type": "string", "x-kubernetes-validations": [{"rule": rule} | words]}


def test_a_broken_rule_says_itself_or_its_message() -> None:
    assert told(ruled("self == 'a'"), "b") == ["Invalid value: \"b\": failed rule: self == 'a'"]
    assert told(ruled("self == 'a'", message="expected a"), "b") == ['Invalid value: "b": expected a']


def test_a_message_expression_speaks_if_it_gives_a_line_of_text() -> None:
    said = ruled("self == 'a'", message="m", messageExpression="'found ' + self")
    lines = ruled("self == 'a'", message="m", messageExpression="'two\\nlines'")

    assert told(said, "b") == ['Invalid value: "b": found b']
    assert told(lines, "b") == ['Invalid value: "b": m']


def test_rules_about_what_was_before_wait_for_something_before() -> None:
    fixed = ruled("self == oldSelf")

    assert not told(fixed, "b")
    assert not told(fixed, "b", "b")
    assert told(fixed, "b", "a")


def test_an_optional_value_before_may_be_missing() -> None:
    once = ruled("oldSelf.hasValue() ? oldSelf.value() == self : self == 'first'", optionalOldSelf=True)

    assert told(once, "second")
    assert not told(once, "first")
    assert not told(once, "x", "x")


def test_what_was_broken_before_may_stay_as_it_was() -> None:
    assert not told(ruled("self == 'a'"), "b", "b")


def test_a_broken_value_that_was_let_pass_for_one_object_is_told_of_another() -> None:
    schema = read(ruled("self == 'a'"))
    assert not list(broken_rules("b", schema, Place("at", "b")))
    assert list(broken_rules("b", schema, Place("at", "a")))


def test_a_value_that_kept_its_rules_is_asked_again_only_what_it_was_before(monkeypatch: pytest.MonkeyPatch) -> None:
    both = {"type": "string", "x-kubernetes-validations": [{"rule": "self != ''"}, {"rule": "self == oldSelf"}]}
    schema = read(both)
    assert not list(broken_rules("b", schema, Place("at", ABSENT)))
    assert [cause.message for cause in broken_rules("b", schema, Place("at", "a"))] == [
        'Invalid value: "b": failed rule: self == oldSelf'
    ]
    alone = read(ruled("self != ''"))
    assert not list(broken_rules("b", alone, Place("at", ABSENT)))
    looking = read(ruled("self == oldSelf"))
    assert not list(broken_rules("b", looking, Place("at", "b")))
    monkeypatch.setattr(Expression, "value", pytest.fail)
    assert not list(broken_rules("b", alone, Place("at", "a")))
    assert not list(broken_rules("b", looking, Place("at", "b")))


def test_a_change_of_fields_that_no_rule_names_asks_for_nothing_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    text = {"type": "string"}
    schema: dict[str, Any] = {"type": "object", "properties": {"a": text, "b": text}}
    named = read(schema | {"x-kubernetes-validations": [{"rule": "has(self.a) == has(oldSelf.a)"}]})
    whole = read(schema | {"x-kubernetes-validations": [{"rule": "self == oldSelf"}]})
    assert not list(broken_rules({"a": "1", "b": "1"}, named, Place("at", {"a": "1", "b": "2"})))
    assert list(broken_rules({"a": "1", "b": "1"}, whole, Place("at", {"a": "1", "b": "2"})))
    monkeypatch.setattr(Expression, "value", pytest.fail)
    assert not list(broken_rules({"a": "1", "b": "3"}, named, Place("at", {"a": "1"})))


def test_null_keeps_all_rules() -> None:
    assert not told(ruled("false"), None)


def test_a_rule_that_has_no_value_is_broken_and_says_why() -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema |= {"x-kubernetes-validations": [{"rule": "self.a == 'x'"}]}

    assert told(schema, {}) == ["Invalid value: \"object\": no such key: a evaluating rule: self.a == 'x'"]


def test_rules_do_not_see_fields_that_no_schema_has() -> None:
    schema: dict[str, Any] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema |= {"x-kubernetes-validations": [{"rule": "!has(self.secret)"}]}

    assert not told(schema, {"secret": 1})


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a", "a"),
        ("namespace", "__namespace__"),
        ("a-b.c/d", "a__dash__b__dot__c__slash__d"),
        ("a__b", "a__underscores__b"),
    ],
)
def test_names_are_escaped(name: str, shown: str) -> None:
    assert escaped(name) == shown


def test_a_set_before_is_put_in_todays_order() -> None:
    schema = read({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}})

    assert in_order_of(["b", "a"], ["a", "b", "c"], schema) == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, "string"),
        ({"type": "array", "items": {"type": "integer"}}, "list<int>"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "map<string,string>"),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, "dyn"),
        ({"x-kubernetes-int-or-string": True}, "dyn"),
    ],
)
def test_the_compiler_knows_types_by_the_schema(schema: dict[str, Any], kind: str) -> None:
    assert kind_of(read(schema)) == kind


def test_a_function_that_kubernetes_has_and_this_has_not_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="does not imitate the function isURL in rules of CRDs") as caught:
        list(definition_causes(read(ruled("isURL(self)")), "schema"))
    assert caught.value.code == 501


def test_a_rule_about_a_time_is_refused_because_it_would_see_a_text() -> None:
    with pytest.raises(Refused, match="does not imitate rules about values of the format date-time"):
        list(
            definition_causes(
                read(
                    ruled(
                        "self > timestamp('2026-01-01T00:00:00Z')",
                    )
                    | {"format": "date-time"}
                ),
                "at",
            )
        )


def test_a_rule_that_does_not_compile_says_where() -> None:
    (cause,) = definition_causes(read(ruled("self > 3")), "schema")

    assert cause.field == "schema.x-kubernetes-validations[0].rule"
    assert "compilation failed: ERROR: <input>:1:6: found no matching overload for '_>_'" in cause.message


def test_quantities_are_equal_where_they_mean_the_same() -> None:
    assert quantity("1") == quantity("1000m")
    assert quantity("1Ki") != quantity("1k")


def test_networks_contain_addresses_and_networks_of_their_own_kind() -> None:
    assert contains(cidr("10.0.0.0/8"), "10.1.0.0/16")
    assert not contains(cidr("10.0.0.0/8"), "11.0.0.1")
    assert not contains(cidr("10.0.0.0/8"), "fd00::/64")


@pytest.mark.parametrize(
    "text", ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "::ffff:10.0.0.1/120", "10.0.0/8", "/8", ""]
)
def test_what_is_no_network(text: str) -> None:
    assert not is_cidr(text)


@pytest.mark.parametrize("text", ["10.0.0.256", "fe80::1%eth0", "::ffff:10.0.0.1", "10.0.0.01", "a", ""])
def test_what_is_no_address(text: str) -> None:
    assert not is_ip(text)
