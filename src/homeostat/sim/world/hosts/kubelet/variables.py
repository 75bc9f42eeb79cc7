"""What a program is given: variables of its environment, and its command with variables filled in. Pure.

References to fields and entries follow the documentation of Kubernetes (Define dependent environment variables, Expose
Pod information). Variables that tell of Services are not given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_CEILING

from msgspec import Struct
from msgspec.structs import replace

from homeostat.kit.quantity import parse_quantity
from homeostat.sim.world.hosts.kubelet.spec import (
    ContainerSpec,
    FieldReference,
    KeyReference,
    Mount,
    ResourceReference,
    Source,
    VariableSource,
    WholePod,
)

Entries = Mapping[str, bytes]  # of a Secret or ConfigMap
Look = Callable[[str, str], Entries | None]  # by kind (secret, configmap) and name
SECRET, CONFIG_MAP = "secret", "configmap"
_REFERENCE = re.compile(r"\$(?:\$|\(([^()]*)\))")
_INDEXED = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
_SPOKEN = {SECRET: "Secret", CONFIG_MAP: "ConfigMap"}


class ConfigError(Exception):
    """A container cannot be made as it is declared: the message of CreateContainerConfigError."""


class Place(Struct, frozen=True):
    """Where a Pod runs."""

    node: str
    host_ip: str
    pod_ip: str
    capacity: Mapping[str, str] = {}  # what the host can give: the limits of who has none


def environment(container: ContainerSpec, pod: WholePod, place: Place, look: Look) -> dict[str, str]:
    """All variables. Raises ConfigError."""
    found: dict[str, str] = {}
    for group in container.env_from:
        for kind, source in ((CONFIG_MAP, group.config_map_ref), (SECRET, group.secret_ref)):
            if source is not None:
                entries = _entries(kind, source, look)
                found |= {f"{group.prefix}{key}": value.decode(errors="replace") for key, value in entries.items()}
    for variable in container.env:
        if variable.value_from is None:
            found[variable.name] = expanded(variable.value, found)
        elif (value := _value(variable.value_from, container, pod, place, look)) is not None:
            found[variable.name] = value
    return found


def command(container: ContainerSpec, variables: Mapping[str, str]) -> tuple[str, ...]:
    """What runs. An image's own command has the image's name, since images have no bytes."""
    own = container.command or (container.image.rpartition("/")[2].partition("@")[0].partition(":")[0],)
    return tuple(expanded(part, variables) for part in (*own, *container.args))


def mounted(container: ContainerSpec, variables: Mapping[str, str]) -> ContainerSpec:
    """Paths below volumes, with variables filled in. Raises ConfigError."""
    if not any(each.sub_path or each.sub_path_expr for each in container.volume_mounts):
        return container
    return replace(container, volume_mounts=tuple(_placed(each, variables) for each in container.volume_mounts))


def _placed(mount: Mount, variables: Mapping[str, str]) -> Mount:
    path = mount.sub_path
    if mount.sub_path_expr:
        named = {found[1] for found in _REFERENCE.finditer(mount.sub_path_expr) if found[1]}
        missing = sorted(name for name in named if not variables.get(name))
        if missing:
            raise ConfigError(f"missing value for {', '.join(missing)}")
        path = expanded(mount.sub_path_expr, variables)
    if path.startswith("/"):
        raise ConfigError(f"error SubPath `{path}` must not be an absolute path")
    if ".." in path.split("/"):
        raise ConfigError(f"unable to provision SubPath `{path}`: must not contain '..'")
    return replace(mount, sub_path=path)


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """`$(NAME)` filled in where the name is known, and left as it is where not; `$$` is a dollar."""

    def fill(match: re.Match[str]) -> str:
        if match.group(0) == "$$":
            return "$"
        return variables.get(match.group(1), match.group(0))

    return _REFERENCE.sub(fill, text) if "$" in text else text


def field(reference: FieldReference, pod: WholePod, place: Place) -> str:
    """A field of the Pod, as a text. Raises ConfigError."""
    path = reference.field_path
    meta = pod.metadata
    plain = {
        "metadata.name": meta.name,
        "metadata.namespace": meta.namespace,
        "metadata.uid": meta.uid,
        "spec.nodeName": place.node,
        "spec.serviceAccountName": pod.spec.service_account_name,
        "status.hostIP": place.host_ip,
        "status.hostIPs": place.host_ip,
        "status.podIP": place.pod_ip,
        "status.podIPs": place.pod_ip,
    }
    if path in plain:
        return plain[path]
    if path in ("metadata.labels", "metadata.annotations"):
        return "\n".join(f'{name}="{value}"' for name, value in sorted(_marks(pod, path[9:]).items()))
    if match := _INDEXED.fullmatch(path):
        return _marks(pod, match.group(1)).get(match.group(2), "")
    raise ConfigError(f"unsupported fieldPath: {path}")


def resource(reference: ResourceReference, container: ContainerSpec, place: Place) -> str:
    """What a container may use or asks for, in whole units of the divisor."""
    kind, _, name = reference.resource.partition(".")
    given = container.resources.limits if kind == "limits" else container.resources.requests
    amount = given.get(name) or (place.capacity.get(name, "0") if kind == "limits" else "0")
    divisor = parse_quantity(reference.divisor) or 1
    return str((parse_quantity(amount) / divisor).to_integral_value(ROUND_CEILING))


def _marks(pod: WholePod, which: str) -> Mapping[str, str]:
    return pod.metadata.labels if which == "labels" else pod.metadata.annotations


def _value(source: VariableSource, container: ContainerSpec, pod: WholePod, place: Place, look: Look) -> str | None:
    if source.field_ref is not None:
        return field(source.field_ref, pod, place)
    if source.resource_field_ref is not None:
        return resource(source.resource_field_ref, container, place)
    for kind, reference in ((CONFIG_MAP, source.config_map_key_ref), (SECRET, source.secret_key_ref)):
        if reference is not None:
            return _entry(kind, reference, pod.metadata.namespace, look)
    return ""


def _entry(kind: str, reference: KeyReference, namespace: str, look: Look) -> str | None:
    entries = look(kind, reference.name)
    if entries is not None and reference.key in entries:
        return entries[reference.key].decode(errors="replace")
    if reference.optional:
        return None
    if entries is None:
        raise ConfigError(f'{kind} "{reference.name}" not found')
    raise ConfigError(f"couldn't find key {reference.key} in {_SPOKEN[kind]} {namespace}/{reference.name}")


def _entries(kind: str, source: Source, look: Look) -> Entries:
    entries = look(kind, source.name)
    if entries is None and not source.optional:
        raise ConfigError(f'{kind} "{source.name}" not found')
    return entries or {}


def referenced(container: ContainerSpec) -> Iterable[tuple[str, str]]:
    """The objects that its variables come from, by kind and name."""
    for group in container.env_from:
        if group.config_map_ref is not None:
            yield CONFIG_MAP, group.config_map_ref.name
        if group.secret_ref is not None:
            yield SECRET, group.secret_ref.name
    for variable in container.env:
        source = variable.value_from
        if source is not None and source.config_map_key_ref is not None:
            yield CONFIG_MAP, source.config_map_key_ref.name
        if source is not None and source.secret_key_ref is not None:
            yield SECRET, source.secret_key_ref.name
