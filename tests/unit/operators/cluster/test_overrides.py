"""Overrides: merged by name, kept out of what homeostat owns, and refused with their path."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clusters import ADDRESS, cluster, package

from homeostat.api.cluster.components import PackageComponent
from homeostat.api.cluster.masters import COMPONENTS
from homeostat.api.cluster.network import ClusterEndpointStatus
from homeostat.api.cluster.parameters import ComponentOverride
from homeostat.operators.cluster.manifests import apiserver, controllers, etcd
from homeostat.operators.cluster.manifests.owned import OWNED, canonical, is_flag, owned
from homeostat.operators.cluster.manifests.shape import Inputs
from homeostat.operators.cluster.names import names_of
from homeostat.operators.cluster.overrides import by_component, digest, faults, listed, merged, told

APISERVER = "kube-apiserver"
MAKERS = dict(
    zip(
        COMPONENTS,
        (etcd.stateful_set, apiserver.deployment, controllers.controller_manager, controllers.scheduler),
        strict=True,
    )
)


def override(name: str = APISERVER, **content: Any) -> ComponentOverride:
    """An override in the API's own words."""
    return msgspec.convert({"name": name, **content}, ComponentOverride)


def component(name: str = APISERVER, **changes: Any) -> PackageComponent:
    """A component of the catalogue."""
    found = package().spec.component(name)
    assert found is not None
    return replace(found, **changes)


def wrong(*overrides: ComponentOverride) -> list[str]:
    """The faults against the catalogue's package version."""
    return [fault.text for fault in faults(by_component(overrides), package())]


def started(
    name: str, override: ComponentOverride | None, host: str = ADDRESS, **spec: Any
) -> tuple[list[str], list[Any]]:
    """Command line and environment of a component."""
    declared = cluster(**spec)
    names = names_of(declared)
    secrets = dict.fromkeys((names.etcd, names.apiserver, names.controllers, names.scheduler), "digest")
    parts = {each: merged(component(each), override if each == name else None) for each in COMPONENTS}
    given = Inputs(declared, parts, names, ClusterEndpointStatus(host=host, port=6443), secrets)
    (one,) = MAKERS[name](given).body["spec"]["template"]["spec"]["containers"]
    return one["command"], one["env"]


def flags(command: list[str]) -> dict[str, str]:
    found: dict[str, str] = dict(argument[2:].split("=", 1) for argument in command[1:])
    assert len(found) == len(command) - 1
    return found


def test_an_override_adds_replaces_and_removes_by_name_and_leaves_the_rest() -> None:
    below = component(args={"profiling": "false", "goaway-chance": "0.001", "v": "2"}, env={"GOGC": "100", "TZ": "UTC"})
    above = override(
        args={"v": "4", "max-requests-inflight": "800"},
        removeArgs=["goaway-chance"],
        env={"GOGC": "50"},
        removeEnv=["TZ"],
        resources={"requests": {"cpu": "1"}, "limits": {"memory": "2Gi"}},
    )
    found = merged(below, above)
    assert found.args == {"profiling": "false", "v": "4", "max-requests-inflight": "800"}
    assert found.env == {"GOGC": "50"}
    assert found.resources.requests == {"cpu": "1", "memory": "256Mi"}
    assert found.resources.limits == {"memory": "2Gi"}
    assert (found.name, found.image, found.version) == (below.name, below.image, below.version)


def test_without_an_override_a_component_is_as_its_package_version_says() -> None:
    assert merged(component(), None) == component()


def test_two_ways_to_write_one_flag_are_one_flag() -> None:
    found = merged(component(args={"goaway_chance": "0.1"}), override(args={"goaway-chance": "0.2"}))
    assert found.args == {"goaway-chance": "0.2"}
    assert merged(component(args={"goaway_chance": "0.1"}), override(removeArgs=["goaway-chance"])).args == {}


def test_an_override_that_says_nothing_is_none() -> None:
    assert by_component((override(), override("etcd", args={"v": "1"}))).keys() == {"etcd"}
    assert digest({}) == ""
    one = by_component((override(args={"v": "1"}), override("etcd", env={"A": "b"})))
    assert digest(one) == digest(by_component(listed(one)))
    assert digest(one) != digest(by_component((override(args={"v": "2"}),)))


@pytest.mark.parametrize("name", COMPONENTS)
@pytest.mark.parametrize("host", [ADDRESS, "balancer.example.com"])
def test_every_flag_and_variable_that_manifests_set_is_owned(name: str, host: str) -> None:
    command, env = started(name, override(name, removeArgs=sorted(component(name).args)), host)
    assert [flag for flag in flags(command) if not owned(name).flag(flag)] == []
    assert [each["name"] for each in env if not owned(name).variable(each["name"])] == []


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("kube-apiserver", "disable-admission-plugins"),
        ("kube-apiserver", "admission-control-config-file"),
        ("kube-apiserver", "token-auth-file"),
        ("kube-apiserver", "egress-selector-config-file"),
        ("etcd", "strict-reconfig-check"),
        ("etcd", "unsafe-no-fsync"),
        ("etcd", "experimental-peer-skip-client-san-verification"),
        ("etcd", "enable-grpc-gateway"),
        ("etcd", "host-whitelist"),
    ],
)
def test_what_would_undo_something_owned_is_owned_too(name: str, flag: str) -> None:
    assert wrong(override(name, args={flag: "x"}))
    assert wrong(override(name, removeArgs=[flag]))


def test_what_is_tunable_lies_in_a_family_that_is_owned() -> None:
    for name, own in OWNED.items():
        families = [flag[:-1] for flag in own.flags if flag.endswith("*")]
        assert [each for each in own.tunable if not each.startswith(tuple(families))] == [], name


OWNED_NAMES = sorted({name.rstrip("*") for own in OWNED.values() for name in own.flags})
disguised = st.builds(
    lambda dashes, name, rest, swap: dashes + (name.replace("-", "_") if swap else name) + rest,
    st.sampled_from(["", "-", "--", " --"]),
    st.sampled_from(OWNED_NAMES),
    st.sampled_from(["", "=x", "x", "-y", "_z"]),
    st.booleans(),
)
names = st.one_of(disguised, st.text(max_size=20))
variables = st.one_of(st.sampled_from(["MEMBER", "ETCD_DATA_DIR", "ETCD_NAME", "GOGC"]), st.text(max_size=20))
overriding = st.builds(
    ComponentOverride,
    name=st.sampled_from(COMPONENTS),
    args=st.dictionaries(names, st.text(max_size=10), max_size=8),
    remove_args=st.lists(names, max_size=4).map(tuple),
    env=st.dictionaries(variables, st.text(max_size=10), max_size=4),
    remove_env=st.lists(variables, max_size=4).map(tuple),
)


@given(overriding)
@example(override("etcd", args={"--data_dir=/tmp": "", "initial_cluster": "x"}, env={"MEMBER": "x"}))
def test_whatever_is_overridden_what_homeostat_owns_stays_as_it_is(declared: ComponentOverride) -> None:
    own = owned(declared.name)
    plain, changed = started(declared.name, None), started(declared.name, declared)
    for flag in {argument[2:].partition("=")[0] for argument in (*plain[0][1:], *changed[0][1:])}:
        if own.flag(flag):
            assert _of(flag, changed[0]) == _of(flag, plain[0])
    assert [each for each in changed[1] if own.variable(each["name"])] == [
        each for each in plain[1] if own.variable(each["name"])
    ]


def _of(flag: str, command: list[str]) -> list[str]:
    """Every argument that the component would read as this flag."""
    return [argument for argument in command[1:] if canonical(argument) == canonical(flag)]


@given(overriding)
def test_what_touches_something_owned_is_refused_and_what_is_told_is_one_line(declared: ComponentOverride) -> None:
    own, found = owned(declared.name), wrong(declared)
    flags_wrong = any(own.flag(name) or not is_flag(name) for name in (*declared.args, *declared.remove_args))
    variables_wrong = any(own.variable(name) for name in (*declared.env, *declared.remove_env))
    assert bool(found) == (flags_wrong or variables_wrong)


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        (APISERVER, "etcd-servers"),
        (APISERVER, "etcd_servers"),
        (APISERVER, "--etcd-prefix"),
        (APISERVER, "tls-sni-cert-key"),
        (APISERVER, "service-cluster-ip-range"),
        (APISERVER, "anonymous-auth"),
        (APISERVER, "emulated-version"),
        ("etcd", "data-dir"),
        ("etcd", "initial-cluster-state"),
        ("etcd", "config-file"),
        ("etcd", "force-new-cluster"),
        ("kube-controller-manager", "cluster-cidr"),
        ("kube-controller-manager", "leader-elect-resource-name"),
        ("kube-controller-manager", "node-cidr-mask-size-ipv4"),
        ("kube-scheduler", "config"),
        ("kube-scheduler", "authentication-kubeconfig"),
    ],
)
def test_what_homeostat_owns_is_refused_with_its_path_and_the_remedy(name: str, flag: str) -> None:
    for kind, content in (("args", {flag: "x"}), ("removeArgs", [flag])):
        (said,) = wrong(override(name, **{kind: content}))
        assert said.startswith(f"spec.overrides[{name}].{kind}[{flag}]: the flag is homeostat's own: ")
        assert said.endswith("; remove it from the override")


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        (APISERVER, "etcd-compaction-interval"),
        (APISERVER, "tls-min-version"),
        (APISERVER, "service-account-max-token-expiration"),
        (APISERVER, "max-requests-inflight"),
        (APISERVER, "feature-gates"),
        ("etcd", "quota-backend-bytes"),
        ("etcd", "heartbeat-interval"),
        ("kube-controller-manager", "cluster-signing-duration"),
        ("kube-scheduler", "leader-elect-lease-duration"),
    ],
)
def test_what_is_safe_to_tune_may_be_overridden(name: str, flag: str) -> None:
    assert wrong(override(name, args={flag: "1"})) == []


def test_owned_variables_unknown_components_and_odd_names_are_refused() -> None:
    (said,) = wrong(override("etcd", env={"ETCD_QUOTA_BACKEND_BYTES": "1"}))
    assert said == (
        "spec.overrides[etcd].env[ETCD_QUOTA_BACKEND_BYTES]: the variable is homeostat's own: etcd takes such variables"
        " for flags, which belong in args; remove it from the override"
    )
    (said,) = wrong(override("redis", args={"v": "1"}))
    assert said.startswith(
        "spec.overrides[redis]: ClusterPackageVersion v1.35.4 has no component redis; name one of etcd,"
    )
    (said,) = wrong(override(args={"Max Requests": "1"}))
    assert "expected the name of a flag, without leading dashes, found 'Max Requests'" in said


def test_a_limit_below_the_request_of_the_package_version_is_refused() -> None:
    (said,) = wrong(override(resources={"limits": {"memory": "128Mi", "cpu": 4}}))
    assert said == (
        "spec.overrides[kube-apiserver].resources.limits[memory]: expected at least the 256Mi that is requested, found"
        " 128Mi; raise the limit, or lower the request"
    )
    lowered = {"limits": {"memory": "128Mi"}, "requests": {"memory": "64Mi"}}
    assert wrong(override(resources=lowered)) == []
    assert wrong(override(resources={"limits": {"memory": "not a quantity"}})) == []


def test_without_the_package_version_only_what_is_known_is_judged() -> None:
    found = faults(
        by_component((override("redis", args={"v": "1"}), override(args={"master": "x", "config": "y"}))), None
    )
    assert found == ()
    found = faults(by_component((override(args={"etcd-servers": "x", "secure-port": "1"}),)), None)
    assert [fault.field.rpartition(".")[2] for fault in found] == ["args[etcd-servers]", "args[secure-port]"]
    assert told(found).endswith("; remove it from the override (and 1 more)")
    assert told(()) == ""
