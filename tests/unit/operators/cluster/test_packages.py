"""New package versions are judged before they are stored, for nobody can change them later."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.clusters import package

from homeostat.api.cluster.parameters import ComponentProbes, ComponentResources, ProbeThresholds
from homeostat.api.cluster.v1alpha1 import ClusterPackageVersion
from homeostat.operators.cluster.admission import package_validator
from homeostat.operators.cluster.manifests.shape import patient
from homeostat.operators.cluster.packages import package_faults
from homeostat.runtime.webhook.asking import ALLOWED, Request


def changed(component: str, **changes: Any) -> ClusterPackageVersion:
    """The package version with one component that differs."""
    shipped = package()
    parts = (replace(each, **changes) if each.name == component else each for each in shipped.spec.components)
    return replace(shipped, spec=replace(shipped.spec, components=tuple(parts)))


@pytest.mark.parametrize(
    ("component", "changes", "field", "message"),
    [
        ("kube-apiserver", {"args": {"etcd-servers": "x"}}, "args[etcd-servers]", "the flag is homeostat's own"),
        ("kube-apiserver", {"args": {"emulated_version": "1.34"}}, "args[emulated_version]", "homeostat's own"),
        ("kube-scheduler", {"args": {"Log": "1"}}, "args[Log]", "expected the name of a flag"),
        ("etcd", {"env": {"ETCD_NAME": "x"}}, "env[ETCD_NAME]", "the variable is homeostat's own"),
        (
            "etcd",
            {"resources": ComponentResources(requests={"memory": "2Gi"}, limits={"memory": "1Gi"})},
            "resources.limits[memory]",
            "expected at least the 2Gi that is requested",
        ),
        ("etcd", {"depends_on": ("kube-scheduler",)}, "dependsOn", "wait for one another"),
    ],
)
def test_what_would_not_be_followed_is_refused_with_its_path(
    component: str, changes: dict[str, Any], field: str, message: str
) -> None:
    (fault,) = package_faults(changed(component, **changes))
    assert fault.field == f"spec.components[{component}].{field}"
    assert message in fault.message
    assert fault.remedy


def test_only_new_ones_are_judged() -> None:
    bad = changed("etcd", args={"data-dir": "/tmp"})
    judge = package_validator([])
    (cause,) = judge(Request(operation="CREATE", name="bad", object=bad)).causes
    assert cause.field == "spec.components[etcd].args[data-dir]"
    assert judge(Request(operation="CREATE", name="good", object=package())) == ALLOWED
    assert judge(Request(operation="DELETE", name="bad", old=bad)) == ALLOWED


def test_thresholds_change_how_patient_a_probe_is_and_not_what_it_asks() -> None:
    container = {"readinessProbe": {"httpGet": {"path": "/readyz"}, "periodSeconds": 1, "failureThreshold": 3}}
    probes = ComponentProbes(readiness=ProbeThresholds(period_seconds=5, timeout_seconds=2))
    assert patient(probes, container) == {
        "readinessProbe": {
            "httpGet": {"path": "/readyz"},
            "periodSeconds": 5,
            "timeoutSeconds": 2,
            "failureThreshold": 3,
        }
    }
    assert patient(ComponentProbes(), container) == container
