"""What is wrong with the spec of a Pod, or of a template.

Of `ValidatePodSpec` in `pkg/apis/core/validation`: names, images, ports, variables, mounts, probes, resources, policies
and tolerations. Security contexts are judged beside (`securing`). Not judged: affinity, topology spread, DNS settings,
lifecycle hooks, the sources of volumes and where their files go, projected tokens, ephemeral containers and scheduling
gates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from homeostat.sim.apiserver.kinds.pods import securing
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import (
    at_index,
    child,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from homeostat.sim.apiserver.schemas.labels import annotation_causes, label_causes, label_name_faults
from homeostat.sim.apiserver.schemas.quantities import amount
from homeostat.sim.apiserver.schemas.rfc import dns_label_faults, dns_subdomain_faults
from homeostat.sim.apiserver.types.type import Value

NEGATIVE = "must be greater than or equal to 0"
_VARIABLE = re.compile(r"[ -<>-~]+")
_VARIABLE_SAYS = "a valid environment variable name must consist only of printable ASCII characters other than '='"
_PORT_SAYS = "must be between 1 and 65535, inclusive"
_PORT_NAME = re.compile(r"[-a-z0-9]+")
_PORT_NAME_SAYS = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
_PULLS = ("Always", "IfNotPresent", "Never")
_RESTARTS = ("Always", "OnFailure", "Never")
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_ACTIONS = ("exec", "httpGet", "tcpSocket", "grpc")
_ALL_KEYS = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'


def template_causes(template: Value, path: str, *, claims: Iterable[str] = ()) -> Iterator[Cause]:
    """Faults of a template, but for its restart policy."""
    yield from metadata_causes(template.get("metadata") or {}, path)
    yield from spec_causes(template.get("spec", {}), child(path, "spec"), has_restart_policy=False, claims=claims)


def metadata_causes(metadata: Value, path: str) -> Iterator[Cause]:
    """Faults of a template's metadata, which go by another path than it stands at."""
    yield from label_causes(metadata.get("labels") or {}, child(path, "labels"))
    yield from annotation_causes(metadata.get("annotations") or {}, child(path, "annotations"))


def spec_causes(
    spec: Value, path: str, *, has_restart_policy: bool = True, claims: Iterable[str] = ()
) -> Iterator[Cause]:
    """Faults of a spec; whoever allows fewer restart policies judges these itself. Claims are volumes to be added."""
    volumes = spec.get("volumes") or ()
    yield from _of_volumes(volumes, child(path, "volumes"))
    known = {*(each.get("name", "") for each in volumes), *claims}
    if not spec.get("containers"):
        yield required(child(path, "containers"))
    seen: set[str] = set()
    for part in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(part) or ()):
            place = at_index(child(path, part), index)
            yield from _of_container(container, place, known, seen, host_users=spec.get("hostUsers") is not False)
    if has_restart_policy and spec.get("restartPolicy") not in _RESTARTS:
        yield _unsupported(child(path, "restartPolicy"), spec.get("restartPolicy"), _RESTARTS)
    if spec.get("dnsPolicy") not in _DNS:
        yield _unsupported(child(path, "dnsPolicy"), spec.get("dnsPolicy"), _DNS)
    yield from label_causes(spec.get("nodeSelector") or {}, child(path, "nodeSelector"))
    yield from securing.pod_causes(spec, path)
    yield from _of_names(spec, path)
    seconds = spec.get("activeDeadlineSeconds")
    if seconds is not None and not 1 <= seconds <= 2**31 - 1:
        yield invalid(child(path, "activeDeadlineSeconds"), seconds, "must be between 1 and 2147483647, inclusive")
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        yield from _of_toleration(toleration, at_index(child(path, "tolerations"), index))


def _of_names(spec: Value, path: str) -> Iterator[Cause]:
    for name in ("serviceAccountName", "nodeName", "priorityClassName"):
        for fault in dns_subdomain_faults(spec[name]) if spec.get(name) else ():
            yield invalid(child(path, name), spec[name], fault)
    for name in ("hostname", "subdomain"):
        for fault in dns_label_faults(spec[name]) if spec.get(name) else ():
            yield invalid(child(path, name), spec[name], fault)


def _of_volumes(volumes: Iterable[Value], path: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        name, place = volume.get("name", ""), at_index(path, index)
        sources = [each for each in volume if each != "name"]
        if len(sources) > 1:
            for other in sources[1:]:
                yield forbidden(child(place, other), "may not specify more than 1 volume type")
        if not name:
            yield required(child(place, "name"))
            continue
        for fault in dns_label_faults(name):
            yield invalid(child(place, "name"), name, fault)
        if name in seen:
            yield duplicate(child(place, "name"), name)
        seen.add(name)


def _of_container(
    container: Value, path: str, volumes: set[str], seen: set[str], *, host_users: bool
) -> Iterator[Cause]:
    name = container.get("name", "")
    if not name:
        yield required(child(path, "name"))
    else:
        for fault in dns_label_faults(name):
            yield invalid(child(path, "name"), name, fault)
        if name in seen:
            yield duplicate(child(path, "name"), name)
        seen.add(name)
    image = container.get("image", "")
    if not image:
        yield required(child(path, "image"))
    elif image.strip() != image:
        yield invalid(child(path, "image"), image, "must not have leading or trailing whitespace")
    if container.get("terminationMessagePolicy") not in ("File", "FallbackToLogsOnError"):
        policies = ("FallbackToLogsOnError", "File")
        yield _unsupported(child(path, "terminationMessagePolicy"), container.get("terminationMessagePolicy"), policies)
    yield from _of_ports(container.get("ports") or (), child(path, "ports"))
    yield from _of_variables(container.get("env") or (), child(path, "env"))
    yield from _of_mounts(container.get("volumeMounts") or (), child(path, "volumeMounts"), volumes)
    if container.get("imagePullPolicy") not in _PULLS:
        yield _unsupported(child(path, "imagePullPolicy"), container.get("imagePullPolicy"), _PULLS)
    yield from _of_resources(container.get("resources") or {}, child(path, "resources"))
    yield from securing.container_causes(container, path, host_users=host_users)
    for probe in _PROBES:
        if container.get(probe) is not None:
            yield from _of_probe(container[probe], child(path, probe), is_once=probe != "readinessProbe")


def _of_ports(ports: Iterable[Value], path: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, port in enumerate(ports):
        place, name, number = at_index(path, index), port.get("name", ""), port.get("containerPort", 0)
        if name:
            if faults := port_name_faults(name):
                yield from (invalid(child(place, "name"), name, fault) for fault in faults)
            elif name in seen:
                yield duplicate(child(place, "name"), name)
            seen.add(name)
        if number == 0:
            yield required(child(place, "containerPort"))
        elif not 0 < number < 65536:
            yield invalid(child(place, "containerPort"), number, _PORT_SAYS)
        host = port.get("hostPort", 0)
        if host and not 0 < host < 65536:
            yield invalid(child(place, "hostPort"), host, _PORT_SAYS)
        if port.get("protocol") not in ("TCP", "UDP", "SCTP"):
            yield not_supported(child(place, "protocol"), port.get("protocol"), ("SCTP", "TCP", "UDP"))


def port_name_faults(name: str) -> list[str]:
    """What is wrong with it as the name of a port."""
    faults = ["must be no more than 15 characters"] if len(name) > 15 else []
    if not _PORT_NAME.fullmatch(name):
        faults.append(_PORT_NAME_SAYS)
    if not re.search("[a-z]", name):
        faults.append("must contain at least one letter (a-z)")
    if "--" in name:
        faults.append("must not contain consecutive hyphens")
    if name[:1] == "-" or name[-1:] == "-":
        faults.append("must not begin or end with a hyphen")
    return faults


def _of_variables(variables: Iterable[Value], path: str) -> Iterator[Cause]:
    for index, variable in enumerate(variables):
        place, name = at_index(path, index), variable.get("name", "")
        if not name:
            yield required(child(place, "name"))
        elif not _VARIABLE.fullmatch(name):
            yield invalid(child(place, "name"), name, _VARIABLE_SAYS)
        source = variable.get("valueFrom")
        if source is not None and variable.get("value"):
            yield invalid(child(place, "valueFrom"), "", "may not be specified when `value` is not empty")


def _of_mounts(mounts: Iterable[Value], path: str, volumes: set[str]) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, mount in enumerate(mounts):
        place, name, where = at_index(path, index), mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield required(child(place, "name"))
        elif name not in volumes:
            yield Cause("FieldValueNotFound", f'Not found: "{name}"', child(place, "name"))
        if not where:
            yield required(child(place, "mountPath"))
        elif where in seen:
            yield invalid(child(place, "mountPath"), where, "must be unique")
        seen.add(where)


def _of_resources(resources: Value, path: str) -> Iterator[Cause]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for part, given in (("limits", limits), ("requests", requests)):
        for name, size in given.items():
            found = amount(size)
            if found is not None and found < 0:
                yield invalid(f"{child(path, part)}[{name}]", size, NEGATIVE)
    for name, size in requests.items():
        asked, limit = amount(size), amount(limits.get(name, ""))
        if asked is not None and limit is not None and asked > limit:
            text = f"must be less than or equal to {name} limit of {limits[name]}"
            yield invalid(child(path, "requests"), size, text)


def _of_probe(probe: Value, path: str, *, is_once: bool) -> Iterator[Cause]:
    actions = [each for each in _ACTIONS if probe.get(each) is not None]
    for other in actions[1:]:
        yield forbidden(child(path, other), "may not specify more than 1 handler type")
    if not actions:
        yield required(path, "must specify a handler type")
    for name in ("httpGet", "tcpSocket"):
        if probe.get(name) is not None:
            port = probe[name].get("port", 0)
            if isinstance(port, int) and not 0 < port < 65536:
                yield invalid(child(child(path, name), "port"), port, _PORT_SAYS)
    numbers = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
    for name in numbers:
        if probe.get(name, 0) < 0:
            yield invalid(child(path, name), probe[name], NEGATIVE)
    if is_once and probe.get("successThreshold") != 1:
        yield invalid(child(path, "successThreshold"), probe.get("successThreshold"), "must be 1")


def _of_toleration(toleration: Value, path: str) -> Iterator[Cause]:
    key, operator, effect = (toleration.get(each, "") for each in ("key", "operator", "effect"))
    if key:
        for fault in label_name_faults(key):
            yield invalid(child(path, "key"), key, fault)
    elif operator != "Exists":
        yield invalid(child(path, "operator"), operator, _ALL_KEYS)
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield invalid(child(path, "effect"), effect, text)
    if operator == "Exists" and toleration.get("value"):
        yield invalid(child(path, "operator"), toleration["value"], "value must be empty when `operator` is 'Exists'")
    if operator not in ("", "Equal", "Exists"):
        yield not_supported(child(path, "operator"), operator, ("Equal", "Exists"))
    if effect and effect not in _EFFECTS:
        yield not_supported(child(path, "effect"), effect, _EFFECTS)


def _unsupported(path: str, value: Any, known: tuple[str, ...]) -> Cause:
    return not_supported(path, value, known) if value else required(path)
