"""What is wrong in a new package version that the CRD's own rules cannot see. Pure; told at admission.

What the masters are made of never depends on it: manifests drop what homeostat owns, and components that wait for one
another are moved all the same. But whoever writes a package version would look for the reason in vain.
"""

from __future__ import annotations

from collections.abc import Iterator

from homeostat.api.cluster.components import PackageComponent
from homeostat.api.cluster.v1alpha1 import ClusterPackageVersion
from homeostat.operators.cluster.manifests.owned import is_flag, owned
from homeostat.operators.cluster.overrides import Fault, limits_below_requests
from homeostat.operators.cluster.rollout.order import circle


def package_faults(package: ClusterPackageVersion) -> tuple[Fault, ...]:
    """All of them, in the order of the components."""
    found = [fault for component in package.spec.components for fault in _faults(component)]
    if names := circle(package.spec):
        path, message = f"spec.components[{names[0]}].dependsOn", f"{', '.join(names)} wait for one another"
        remedy = "remove a dependency; etcd goes before kube-apiserver, which goes before all others"
        found.append(Fault(path, message, remedy))
    return tuple(found)


def _faults(component: PackageComponent) -> Iterator[Fault]:
    path, own = f"spec.components[{component.name}]", owned(component.name)
    for flag in sorted(component.args):
        if why := own.flag(flag):
            yield Fault(f"{path}.args[{flag}]", f"the flag is homeostat's own: {why}", "remove it")
        elif not is_flag(flag):
            message = f"expected the name of a flag, without leading dashes, found {flag!r}"
            yield Fault(f"{path}.args[{flag}]", message, "write it in lower case letters, digits and '-'")
    for variable in sorted(component.env):
        if why := own.variable(variable):
            yield Fault(f"{path}.env[{variable}]", f"the variable is homeostat's own: {why}", "remove it")
    yield from limits_below_requests(path, component.resources)
