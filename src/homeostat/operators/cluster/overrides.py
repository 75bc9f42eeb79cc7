"""What a Cluster declares differently from its package version: what of it is refused, and what it makes. Pure.

Merged by name, from the weakest to the strongest: the package version, the Cluster's override, homeostat's own flags
and variables (manifests/owned.py). An override that fights the last is refused, at admission and by the operator;
manifests drop it all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from homeostat.api.cluster.components import PackageComponent
from homeostat.api.cluster.parameters import ComponentOverride, ComponentResources
from homeostat.api.cluster.v1alpha1 import ClusterPackageVersion
from homeostat.kit.quantity import parse_quantity
from homeostat.operators.cluster.manifests.owned import Owned, canonical, is_flag, owned
from homeostat.operators.cluster.manifests.shape import digest_of

Overrides = Mapping[str, ComponentOverride]  # by component; never one that changes nothing


class Fault(Struct, frozen=True):
    """Why an override cannot be followed: where, what is wrong there, and what to do."""

    field: str
    message: str
    remedy: str

    @property
    def text(self) -> str:
        """All of it in one line."""
        return f"{self.field}: {self.message}; {self.remedy}"


def by_component(declared: Iterable[ComponentOverride]) -> Overrides:
    """Overrides by component, without those that change nothing."""
    return {each.name: each for each in declared if each != ComponentOverride(name=each.name)}


def listed(overrides: Overrides) -> tuple[ComponentOverride, ...]:
    """The same as a status keeps it."""
    return tuple(overrides[name] for name in sorted(overrides))


def digest(overrides: Overrides) -> str:
    """The identity of overrides; empty of none."""
    return digest_of(listed(overrides)) if overrides else ""


def merged(component: PackageComponent, override: ComponentOverride | None) -> PackageComponent:
    """A component of a package version as an override makes it; what homeostat owns is laid over it by manifests."""
    if override is None:
        return component
    args = _laid_over(_canonical(component.args), _canonical(override.args), map(canonical, override.remove_args))
    resources = ComponentResources(
        requests={**component.resources.requests, **override.resources.requests},
        limits={**component.resources.limits, **override.resources.limits},
    )
    env = _laid_over(component.env, override.env, override.remove_env)
    return replace(component, args=args, env=env, resources=resources)


def faults(overrides: Overrides, package: ClusterPackageVersion | None) -> tuple[Fault, ...]:
    """What is wrong in overrides of a package version; None: not known, and not judged against."""
    return tuple(chain.from_iterable(_faults(overrides[name], package) for name in sorted(overrides)))


def told(found: tuple[Fault, ...]) -> str:
    """Faults in one sentence; empty when there are none."""
    rest = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{found[0].text}{rest}" if found else ""


def _laid_over(below: Mapping[str, str], above: Mapping[str, str], without: Iterable[str]) -> dict[str, str]:
    left_out = set(without)
    return {**{name: value for name, value in below.items() if name not in left_out}, **above}


def _canonical(args: Mapping[str, str]) -> dict[str, str]:
    """Two ways to write one flag are one flag, whose last value counts, as on a command line."""
    return {canonical(name): value for name, value in sorted(args.items())}


def _faults(override: ComponentOverride, package: ClusterPackageVersion | None) -> Iterator[Fault]:
    path, own = f"spec.overrides[{override.name}]", owned(override.name)
    component = package.spec.component(override.name) if package is not None else None
    if package is not None and component is None:
        known = ", ".join(each.name for each in package.spec.components)
        there = f"ClusterPackageVersion {package.metadata.name} has no component {override.name}"
        yield Fault(path, there, f"name one of {known}, or remove this override")
        return
    for kind, flags in (("args", sorted(override.args)), ("removeArgs", override.remove_args)):
        yield from _wrong_flags(f"{path}.{kind}", flags, own)
    for kind, names in (("env", sorted(override.env)), ("removeEnv", override.remove_env)):
        for name in names:
            if why := own.variable(name):
                yield _not_yours(f"{path}.{kind}[{name}]", "variable", why)
    if component is not None:
        yield from limits_below_requests(path, merged(component, override).resources)


def _wrong_flags(path: str, names: Iterable[str], own: Owned) -> Iterator[Fault]:
    for name in names:
        if why := own.flag(name):
            yield _not_yours(f"{path}[{name}]", "flag", why)
        elif not is_flag(name):
            shown = f"expected the name of a flag, without leading dashes, found {name!r}"
            yield Fault(f"{path}[{name}]", shown, "write it in lower case letters, digits and '-'")


def _not_yours(path: str, what: str, why: str) -> Fault:
    return Fault(path, f"the {what} is homeostat's own: {why}", "remove it from the override")


def limits_below_requests(path: str, resources: ComponentResources) -> Iterator[Fault]:
    """The cell's API server would refuse the Pods, and the masters would be as they are without anybody knowing why."""
    for name, limit in sorted(resources.limits.items()):
        request = resources.requests.get(name)
        if request is not None and _exceeds(request, limit):
            message = f"expected at least the {request} that is requested, found {limit}"
            yield Fault(f"{path}.resources.limits[{name}]", message, "raise the limit, or lower the request")


def _exceeds(one: str | int, other: str | int) -> bool:
    try:
        return parse_quantity(one) > parse_quantity(other)
    except ValueError:  # an older CRD let it in; the cell's API server says what is wrong with it
        return False
