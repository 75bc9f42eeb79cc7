"""Courses of writes made at random, of few names and values, so that writers meet."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from tests.support.judging import Write

Object = dict[str, Any]

_words = st.sampled_from(["a", "b", "c"])
_numbers = st.integers(0, 2)
_texts = st.dictionaries(_words, _words, max_size=3)
_anything = st.recursive(
    st.none() | st.booleans() | _numbers | _words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_words, inner, max_size=2),
    max_leaves=4,
)
_managers = st.sampled_from(["one", "two", "three", "kubectl"])


def configs() -> st.SearchStrategy[Object]:
    """What is said of a ConfigMap."""
    metadata = st.fixed_dictionaries({}, optional={"labels": _texts, "annotations": _texts})
    return st.fixed_dictionaries({}, optional={"data": _texts, "metadata": metadata})


def specs(*, distinct: bool) -> st.SearchStrategy[Object]:
    """What is said of a Thing; `distinct` if no key may stand twice."""
    part = st.fixed_dictionaries(
        {"name": _words}, optional={"zone": st.sampled_from(["a", "b"]), "weight": _numbers, "notes": _texts}
    )
    pair = st.fixed_dictionaries({}, optional={"one": _words, "two": _words})
    inner = st.fixed_dictionaries({}, optional={"one": _words, "two": _words, "deep": _texts})
    return st.fixed_dictionaries(
        {},
        optional={
            "size": _numbers,
            "tags": st.lists(_words, max_size=3, unique=distinct),
            "numbers": st.lists(_numbers, max_size=2),
            "parts": st.lists(part, max_size=3, unique_by=_key if distinct else None),
            "labels": _texts | st.none(),
            "whole": pair | st.none(),
            "inner": inner | st.none(),
            "free": st.dictionaries(_words, _anything, max_size=3),
        },
    )


def writes_to_config_maps() -> st.SearchStrategy[list[Write]]:
    """Some writes to one ConfigMap."""
    return _course(configs(), configs())


def writes_to_things() -> st.SearchStrategy[list[Write]]:
    """Some writes to one Thing, and to its status."""
    sound = st.builds(_thing, specs(distinct=True), st.none() | st.sampled_from(["x", "y"]))
    # Every now and then a key stands twice in what is applied, which is refused.
    some = st.builds(_thing, specs(distinct=True) | specs(distinct=True) | specs(distinct=False), st.none())
    return _course(some, sound, subresources=("", "", "status"))


def patches_of_deployments() -> st.SearchStrategy[list[Write]]:
    """A Deployment that is made, and some strategic merge patches of its containers, in which every name is known."""
    containers = st.lists(_words, min_size=1, max_size=3, unique=True)
    made = containers.map(lambda names: Write("create", _deployment([_container(name) for name in names]), "maker"))
    change = st.tuples(containers, containers, st.none() | st.permutations(["a", "b", "c"]), _managers)
    return st.builds(lambda first, more: [first, *map(_patch, more)], made, st.lists(change, min_size=1, max_size=4))


def _patch(change: tuple[list[str], list[str], list[str] | None, str]) -> Write:
    names, gone, order, manager = change
    kept = sorted(names, key=order.index) if order else names
    items: list[Object] = [_container(name, env=[{"name": manager, "value": name}]) for name in kept]
    items += [{"name": name, "$patch": "delete"} for name in gone if name not in names]
    pod: Object = {"containers": items}
    if order:
        pod["$setElementOrder/containers"] = [{"name": name} for name in order]
    return Write("strategic", {"spec": {"template": {"spec": pod}}}, manager)


def _deployment(containers: list[Object]) -> Object:
    labels = {"app": "x"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    return {"spec": {"selector": {"matchLabels": labels}, "template": template}}


def _container(name: str, **more: Any) -> Object:
    return {"name": name, "image": "image", **more}


def _course(
    applied: st.SearchStrategy[Object], written: st.SearchStrategy[Object], subresources: tuple[str, ...] = ("",)
) -> st.SearchStrategy[list[Write]]:
    doors = st.sampled_from(subresources)
    apply = st.builds(Write, st.just("apply"), applied, _managers, st.booleans(), doors)
    others = st.builds(Write, st.sampled_from(["put", "merge"]), written, _managers, st.just(False), doors)
    first = st.builds(Write, st.sampled_from(["create", "apply"]), written, _managers)
    rest = st.lists(apply | apply | others, min_size=1, max_size=6)
    return st.builds(lambda begin, more: [begin, *more], first, rest)


def _thing(spec: Object, phase: str | None) -> Object:
    return {"spec": spec} | ({"status": {"phase": phase}} if phase else {})


def _key(part: Object) -> tuple[str, str]:
    return part["name"], part.get("zone", "a")
