"""What a LimitRange gives a Pod, and what it refuses: as the plugin LimitRanger does it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from homeostat.sim.apiserver.kinds.ranges import CLAIM, CONTAINER, POD
from homeostat.sim.apiserver.quotas.amounts import Amount, Amounts, read
from homeostat.sim.apiserver.quotas.sizes import of_container, size
from homeostat.sim.apiserver.types.type import Value

_TELLS = "kubernetes.io/limit-ranger"
_PARTS = (("containers", "container"), ("initContainers", "init container"))


def give_limits(range_: Value, pod: Value) -> None:
    """Fill in what containers leave out, and note that."""
    limits: dict[str, str] = {}
    requests: dict[str, str] = {}
    for each in _limits(range_, CONTAINER):
        limits |= each.get("default") or {}
        requests |= each.get("defaultRequest") or {}
    notes: list[str] = []
    for part, called in _PARTS:
        for container in pod["spec"].get(part) or ():
            for name, word, defaults in (("requests", "request", requests), ("limits", "limit", limits)):
                given = _give(container, name, defaults)
                if given:
                    notes.append(f"{', '.join(sorted(given))} {word} for {called} {container.get('name', '')}")
    if notes:
        told = pod["metadata"].get("annotations") or {}
        pod["metadata"]["annotations"] = {**told, _TELLS: f"LimitRanger plugin set: {'; '.join(notes)}"}


def excess(range_: Value, plural: str, value: Value) -> str:
    """Why a Pod or a claim is not allowed; empty if it is."""
    found = list(dict.fromkeys(_of_pod(range_, value["spec"]) if plural == "pods" else _of_claim(range_, value)))
    return found[0] if len(found) == 1 else f"[{', '.join(found)}]" if found else ""


def _give(container: Value, name: str, defaults: Value) -> list[str]:
    resources = container.get("resources") or {}
    given = {each: size for each, size in defaults.items() if each not in (resources.get(name) or {})}
    if given:
        container["resources"] = {**resources, name: {**(resources.get(name) or {}), **given}}
    return list(given)


def _limits(range_: Value, type_: str) -> list[Value]:
    return [each for each in (range_.get("spec") or {}).get("limits") or () if each.get("type") == type_]


def _of_pod(range_: Value, spec: Value) -> Iterator[str]:
    for limit in (range_.get("spec") or {}).get("limits") or ():
        if limit.get("type") == CONTAINER:
            for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
                yield from _of_part(limit, of_container(container, "requests"), of_container(container, "limits"))
        elif limit.get("type") == POD:
            requests, limits = (size(spec, part, with_overhead=False) for part in ("requests", "limits"))
            yield from _of_part(limit, requests, limits)


def _of_part(limit: Value, requests: Amounts, limits: Amounts) -> Iterator[str]:
    type_ = limit["type"]
    for name, least in read(limit.get("min")).items():
        says = f"minimum {name} usage per {type_} is {least}"
        yield from _too_small(says, least, requests.get(name), limits.get(name))
    for name, largest in read(limit.get("max")).items():
        says = f"maximum {name} usage per {type_} is {largest}"
        if name not in limits:
            yield f"{says}.  No limit is specified"
        elif limits[name].value > largest.value:
            yield f"{says}, but limit is {limits[name]}"
        elif name in requests and requests[name].value > largest.value:
            yield f"{says}, but request is {requests[name]}"
    for name, ratio in read(limit.get("maxLimitRequestRatio")).items():
        says = f"{name} max limit to request ratio per {type_} is {ratio}"
        yield from _too_far(says, ratio, requests.get(name), limits.get(name))


def _of_claim(range_: Value, claim: Value) -> Iterator[str]:
    requests = read(((claim.get("spec") or {}).get("resources") or {}).get("requests"))
    for limit in _limits(range_, CLAIM):
        for name, least in read(limit.get("min")).items():
            yield from _too_small(f"minimum {name} usage per {CLAIM} is {least}", least, requests.get(name), None)
        for name, largest in read(limit.get("max")).items():
            says = f"maximum {name} usage per {CLAIM} is {largest}"
            if name not in requests:
                yield f"{says}.  No request is specified"
            elif requests[name].value > largest.value:
                yield f"{says}, but request is {requests[name]}"


def _too_small(says: str, least: Amount, request: Amount | None, limit: Amount | None) -> Iterable[str]:
    if request is None:
        yield f"{says}.  No request is specified"
    elif request.value < least.value:
        yield f"{says}, but request is {request}"
    elif limit is not None and limit.value < least.value:
        yield f"{says}, but limit is {limit}"


def _too_far(says: str, ratio: Amount, request: Amount | None, limit: Amount | None) -> Iterable[str]:
    if request is None or not request.value:
        yield f"{says}, but no request is specified or request is 0"
    elif limit is None or not limit.value:
        yield f"{says}, but no limit is specified or limit is 0"
    elif limit.value / request.value > ratio.value:
        yield f"{says}, but provided ratio is {limit.value / request.value:.6f}"
