"""Bodies as they are read and decoded into built-in types."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.sim.apiserver.refusing import Refused
from homeostat.sim.apiserver.schemas.decoding import decode, strictly
from homeostat.sim.apiserver.schemas.reading import (
    BadJson,
    Repeated,
    read,
    repeated_fields,
    unrecognized,
    without_repeats,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def pod(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": spec}


def test_the_last_of_repeated_fields_counts_and_each_is_told_once() -> None:
    value = read(b'{"a":1,"b":{"c":1,"c":2},"a":3,"a":4}')

    assert list(repeated_fields(value)) == ["b.c", "a", "a"]
    assert without_repeats(value) == {"a": 4, "b": {"c": 2}}
    assert type(without_repeats(value)["b"]) is dict


def test_an_object_without_repeated_fields_is_a_plain_one() -> None:
    assert type(read(b'{"a":{"b":1}}')["a"]) is dict
    assert type(read(b'{"a":1,"a":1}')) is Repeated


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "unexpected end of JSON input"),
        (b'{"a":1', "unexpected end of JSON input"),
        (b'{"a"1}', "invalid character '1' after object key"),
        (b'{"a":1 "b"}', "invalid character '\"' after object key:value pair"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b"{} x", "invalid character 'x' after top-level value"),
        (b"nonsense", "invalid character 'o' in literal null (expecting 'u')"),
        (b"{'a':1}", "invalid character '\\'' looking for beginning of object key string"),
        (b"NaN", "invalid character 'N' looking for beginning of value"),
    ],
)
def test_what_is_no_json_is_told_in_the_words_of_go(body: bytes, told: str) -> None:
    with pytest.raises(BadJson) as caught:
        read(body)
    assert str(caught.value) == told


def test_an_unrecognized_body_is_shown_by_its_beginning() -> None:
    assert unrecognized(b"[]", "Pod", "x").endswith("json parse error: x (5b5d)")
    assert unrecognized(b"", "Pod", "x").endswith("(<empty>)")
    assert unrecognized(b'{"apiVersion":"v1","kind":"ConfigMap"', "Pod", "x").endswith(
        '({"apiVersion":"v1","kind":"Con ...)'
    )


@given(JSON)
def test_nothing_but_refusals_comes_of_any_json(value: Any) -> None:
    with contextlib.suppress(Refused):  # which is one of the two that may come
        decoded, _ = decode({"spec": value, "metadata": value}, "", "v1", "Pod")
        assert decode(decoded, "", "v1", "Pod") == (decoded, [])


def test_nulls_and_what_is_empty_are_left_out_but_where_it_has_to_be() -> None:
    value = pod(containers=[], volumes=[], nodeSelector={"a": None}, hostname=None, securityContext={})

    decoded, _ = decode(value, "", "v1", "Pod")

    assert decoded["spec"] == {"containers": [], "nodeSelector": {"a": ""}, "securityContext": {}}


def test_times_are_kept_in_utc_and_whole_seconds() -> None:
    value = pod() | {"metadata": {"creationTimestamp": "2026-11-27T02:03:04.5+01:00"}}

    decoded, _ = decode(value, "", "v1", "Pod")

    assert decoded["metadata"]["creationTimestamp"] == "2026-11-27T01:03:04Z"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (0.5, "500m"),
        ("0.1", "100m"),
        ("1000m", "1"),
        ("1500", "1500"),
        ("1000", "1k"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("512Ki", "512Ki"),
        ("0.5Ki", "512"),
        ("1e3", "1e3"),
        ("1E3", "1E3"),
        ("15e2", "1500"),
        ("0", "0"),
        ("-1.5", "-1500m"),
        ("0.1n", "1n"),
        ("+3", "+3"),
    ],
)
def test_quantities_are_kept_in_their_canonical_form(sent: object, kept: str) -> None:
    decoded, _ = decode(pod(overhead={"cpu": sent}), "", "v1", "Pod")

    assert decoded["spec"]["overhead"] == {"cpu": kept}


def test_a_wrong_type_names_the_struct_and_the_path() -> None:
    with pytest.raises(Refused, match=r"Go struct field ContainerPort.spec.containers.ports.hostPort of type int32"):
        decode(pod(containers=[{"ports": [{"hostPort": "80"}]}]), "", "v1", "Pod")


def test_a_list_is_named_by_what_is_in_it() -> None:
    with pytest.raises(Refused, match=r"PodSpec.spec.containers of type \[\]v1.Container"):
        decode(pod(containers={}), "", "v1", "Pod")


def test_strict_faults_are_joined_in_their_order() -> None:
    _, faults = decode(pod(b=1, a=2), "", "v1", "Pod")

    assert strictly("Pod", "v1", faults).message == (
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: '
        'unknown field "spec.b", unknown field "spec.a"'
    )


def test_a_kind_that_is_not_built_in_is_not_decoded() -> None:
    with pytest.raises(KeyError):
        decode({}, "g.example", "v1", "Thing")
