"""Rules, and objects that keep and break them, before and after an update."""

from __future__ import annotations

from typing import Any

from tests.contract.sim.schema_cases import INT_OR_STRING, TEXT, WHOLE, crd, listed, of

Spec = dict[str, Any]


def ruled(schema: Spec, *rules: Spec | str) -> Spec:
    """A schema with rules."""
    return schema | {"x-kubernetes-validations": [{"rule": rule} if isinstance(rule, str) else rule for rule in rules]}


RULES: dict[str, Spec] = {
    "sound": crd(ruled(of(a=WHOLE), "self.a > 3")),
    "one that does not parse": crd(ruled(of(a=WHOLE), "self.a >")),
    "one that is no truth": crd(ruled(of(a=WHOLE), "1 + 1")),
    "an unknown function": crd(ruled(of(a=WHOLE), "frobnicate(1)")),
    "an unknown variable": crd(ruled(of(a=WHOLE), "other == 1")),
    "a text and a number": crd(of(a=ruled(TEXT, "self > 3"))),
    "a message that is no text": crd(of(a=ruled(TEXT, {"rule": "self == 'a'", "messageExpression": "1"}))),
    "a message that does not parse": crd(of(a=ruled(TEXT, {"rule": "self == 'a'", "messageExpression": "'a' +"}))),
    "what was before in a plain list": crd(of(a=listed(ruled(of(b=WHOLE), "self == oldSelf")) | {"maxItems": 3})),
    "what was before in a list map": crd(
        of(
            a=listed(ruled(of(b=TEXT) | {"required": ["b"]}, "self == oldSelf"), list_type="map", list_map_keys=["b"])
            | {"maxItems": 3}
        )
    ),
    "optional, though nothing before is used": crd(of(a=ruled(TEXT, {"rule": "self == 'a'", "optionalOldSelf": True}))),
    "a default that breaks one": crd(of(a=ruled(TEXT | {"default": "b"}, "self == 'a'"))),
    "a default that keeps one": crd(of(a=ruled(TEXT | {"default": "a"}, "self == 'a'"))),
}

SHORT = TEXT | {"maxLength": 20}
"""The API server reckons what rules may cost at most, and refuses those about texts of any length."""

RULED = ruled(
    of(
        least=ruled(WHOLE, "self >= 3"),
        told=ruled(SHORT, {"rule": "self.startsWith('a')", "message": " begin with a "}),
        said=ruled(SHORT, {"rule": "self.size() < 4", "message": "x", "messageExpression": "'too long: ' + self"}),
        silent=ruled(SHORT, {"rule": "false", "message": "m", "messageExpression": "''"}),
        failing=ruled(SHORT, {"rule": "false", "message": "m", "messageExpression": "self.substring(30)"}),
        fixed=ruled(SHORT, {"rule": "self == oldSelf", "message": "is fixed"}),
        once=ruled(SHORT, {"rule": "!oldSelf.hasValue() || oldSelf.value() == self", "optionalOldSelf": True}),
        forbidden=ruled(SHORT, {"rule": "false", "message": "never", "reason": "FieldValueForbidden"}),
        needed=ruled(
            of(a=SHORT, b=SHORT),
            {"rule": "has(self.a)", "message": "a", "reason": "FieldValueRequired", "fieldPath": ".a"},
            {"rule": "!has(self.b)", "reason": "FieldValueDuplicate", "fieldPath": ".b"},
        ),
        divided=ruled(WHOLE, "10 / self > 1"),
        indexed=ruled(listed(WHOLE) | {"maxItems": 5}, "self[2] == 1"),
        port=ruled({INT_OR_STRING: True}, "type(self) == int ? self < 100 : self.endsWith('%')"),
        mixed=ruled({INT_OR_STRING: True}, "self > 3"),
        set=ruled(listed(SHORT, list_type="set") | {"maxItems": 5}, "self == oldSelf"),
        map=ruled(
            listed(of(k=SHORT, v=SHORT) | {"required": ["k"]}, list_type="map", list_map_keys=["k"]) | {"maxItems": 5},
            {"rule": "self == oldSelf", "message": "the same, in any order"},
        ),
        items=listed(of(k=SHORT, v=ruled(SHORT, "self != 'x'"))) | {"maxItems": 5},
        keyed=listed(
            of(k=SHORT, v=ruled(SHORT, "self == oldSelf")) | {"required": ["k"]}, list_type="map", list_map_keys=["k"]
        )
        | {"maxItems": 5},
        labels={"type": "object", "maxProperties": 5, "additionalProperties": ruled(SHORT, "self != 'x'")},
        words=ruled(
            of(**{"namespace": SHORT, "a-b": SHORT, "a.b": SHORT, "a__b": SHORT}),
            "!has(self.__namespace__) || self.__namespace__ == 'n'",
            "!has(self.a__dash__b) || self.a__dash__b == 'd'",
            "!has(self.a__dot__b) || self.a__dot__b == 'p'",
            "!has(self.a__underscores__b) || self.a__underscores__b == 'u'",
        ),
        quantity=ruled(SHORT, "isQuantity(self) && quantity(self).compareTo(quantity('1')) > 0"),
        address=ruled(SHORT, "isIP(self) && ip(self).family() == 4"),
        network=ruled(SHORT, "isCIDR(self) && cidr(self) == cidr(self).masked() && cidr(self).containsIP('10.0.0.1')"),
        share=ruled({"type": "number"}, "self < 1.5"),
        absent=ruled(of(a=SHORT), "self.a == 'x'"),
    ),
    {"rule": "!has(self.least) || !has(self.divided) || self.least < self.divided", "message": "in order"},
)

KEPT_OR_BROKEN: dict[str, Spec] = {
    "nothing": {},
    "kept": {"least": 3, "told": "abc", "said": "abc", "port": 30, "words": {"namespace": "n", "a-b": "d", "a.b": "p"}},
    "broken": {"least": 2, "told": "b", "said": "abcd", "silent": "x", "failing": "x", "forbidden": "x"},
    "new": {"fixed": "a", "once": "a", "set": ["a"], "map": [{"k": "a"}], "keyed": [{"k": "a", "v": "b"}]},
    "told elsewhere": {"needed": {"b": "x"}},
    "without a value": {"divided": 0, "indexed": [1], "absent": {}},
    "of two types": {"port": "30%", "mixed": "a"},
    "of two types, broken": {"port": "30", "mixed": 2},
    "in lists and maps": {"items": [{"v": "y"}, {"v": "x"}], "labels": {"a": "x", "b": "y"}},
    "escaped names": {"words": {"namespace": "x", "a-b": "x", "a.b": "x", "a__b": "x"}},
    "Kubernetes' functions": {"quantity": "2", "address": "10.0.0.1", "network": "10.0.0.0/8", "share": 1},
    "Kubernetes' functions, broken": {"quantity": "500m", "address": "::1", "network": "10.0.0.1/8", "share": 2},
    "no such values": {"quantity": "x", "address": "x", "network": "10.0.0.0"},
    "of the whole": {"least": 5, "divided": 4},
    "beside a wrong type": {"least": "x", "told": "b"},
}

UPDATES: dict[str, tuple[Spec, Spec]] = {
    "nothing changes": ({"fixed": "a", "once": "a"}, {"fixed": "a", "once": "a"}),
    "what is fixed changes": ({"fixed": "a", "once": "a"}, {"fixed": "b", "once": "b"}),
    "what is fixed goes": ({"fixed": "a"}, {}),
    "a set in another order": ({"set": ["a", "b"]}, {"set": ["b", "a"]}),
    "another set": ({"set": ["a", "b"]}, {"set": ["b", "c"]}),
    "a list map in another order": ({"map": [{"k": "a"}, {"k": "b"}]}, {"map": [{"k": "b"}, {"k": "a"}]}),
    "another list map": ({"map": [{"k": "a"}, {"k": "b"}]}, {"map": [{"k": "b"}, {"k": "a", "v": "x"}]}),
    "items by their key": ({"keyed": [{"k": "a", "v": "1"}]}, {"keyed": [{"k": "b", "v": "2"}, {"k": "a", "v": "3"}]}),
}
