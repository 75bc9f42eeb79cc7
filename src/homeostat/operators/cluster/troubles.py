"""Why a component is not ready, in words a person can act on. Pure."""

from __future__ import annotations

from msgspec import Struct

from homeostat.api.cluster.masters import COMPONENTS
from homeostat.api.pods import ContainerStateTerminated, ContainerStateWaiting, ContainerStatus, Pod
from homeostat.operators.cluster import words
from homeostat.operators.cluster.components import (
    everything,
    is_ready,
    is_rolled_out,
    operators,
    pods_of,
    replicas,
    topology,
    workload_name,
)
from homeostat.operators.cluster.ending import is_ending
from homeostat.operators.cluster.observe import Observed, Workload

_IMAGE_REASONS = {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError"}
_CRASH_REASONS = {"CrashLoopBackOff", "RunContainerError", "CreateContainerError", "CreateContainerConfigError"}
_SHOWN = 300


class Trouble(Struct, frozen=True):
    """Why a component is not ready."""

    reason: str
    message: str


def trouble(seen: Observed, component: str) -> Trouble:
    """What a component waits for, most telling first; reason Ready when it is."""
    workload = seen.workloads.get(workload_name(seen.names, component))
    if component not in COMPONENTS:
        declared = operators(seen).get(component)
        if declared is None:
            return _leaving(seen, component)
        if (why := _unentitled(seen, component)) is not None:
            return why
        wanted = replicas(seen, declared)
    else:
        wanted = topology(seen).replicas(component)
    if workload is None:
        return Trouble(words.NOT_CREATED, "waits for what it depends on")
    return why_unready(workload, wanted, pods_of(seen, component)) or Trouble(words.COMPONENTS_READY, "")


def why_unready(workload: Workload, wanted: int, pods: list[Pod]) -> Trouble | None:
    """What a workload of these Pods waits for; None: it is rolled out."""
    if is_rolled_out(workload, wanted):
        return None
    staying = [pod for pod in pods if pod.metadata.deletion_timestamp is None]
    for judge in (_image, _crash, _unschedulable):
        for pod in staying:
            found = judge(pod)
            if found is not None:
                return found
    return _refused(workload) or Trouble(words.PROGRESSING, _awaited(workload, wanted, staying, pods))


def awaited(seen: Observed, besides: str = "") -> str:
    """A component that is not ready, and that others wait for; empty: there is none, but perhaps that one.

    A hosted operator is waited for while it starts, or goes. What is wrong with it for long, and what people of the
    business cluster did to it, holds up nobody else.
    """
    for each in everything(seen):
        is_passing = each in COMPONENTS or trouble(seen, each).reason in (words.PROGRESSING, words.NOT_CREATED)
        if is_passing and each != besides and not is_ready(seen, each):
            return each
    return ""


def authority_trouble(seen: Observed) -> Trouble | None:
    """What only a person can mend, because new authorities would cut off every client; they may go with the Cluster."""
    secret = seen.names.authority
    if seen.authority.damage:
        message = f"Secret {secret}: {seen.authority.damage}; restore it from a backup, the masters run on"
        return Trouble(words.AUTHORITY_DAMAGED, message)
    if seen.authority.exists or not seen.is_begun or is_ending(seen.cluster):
        return None
    gone = f"Secret {secret} is gone, or has lost its labels, while the cluster has data"
    message = f"{gone}; restore it from a backup, the masters run on"
    return Trouble(words.AUTHORITY_LOST, message)


def _leaving(seen: Observed, operator: str) -> Trouble:
    pods = pods_of(seen, operator)
    if not pods and seen.names.hosted(operator) not in seen.workloads:
        return Trouble(words.COMPONENTS_READY, "")
    where = _places(pods)
    return Trouble(words.PROGRESSING, "is hosted no longer" + (f", waiting until {where} is gone" if where else ""))


def _unentitled(seen: Observed, operator: str) -> Trouble | None:
    """Why a hosted operator cannot do its work."""
    why = seen.rights.refused.get(operator, "") if seen.rights is not None else ""
    return Trouble(words.RIGHTS_REFUSED, f"its rights in the business cluster are refused: {why}") if why else None


def _awaited(workload: Workload, wanted: int, staying: list[Pod], pods: list[Pod]) -> str:
    """What is waited for; replicas that are ready are not."""
    scaled = workload.spec.replicas
    if scaled < wanted:
        return (
            f"{type(workload).__name__} {workload.metadata.name} was scaled to {scaled} replicas, {wanted} are declared"
        )
    unready = [pod for pod in staying if not pod.status.is_ready]
    updated = workload.status.updated_replicas
    if staying and not unready and updated < wanted:
        return f"{updated} of {wanted} Pods are of the newest declaration"
    where = _places(unready or staying)
    if where:
        return f"starting {where}"
    leaving = "" if staying else _places(pods)
    return f"waiting until {leaving} is gone" if leaving else "waiting for its Pod"


def _places(pods: list[Pod]) -> str:
    return ", ".join(f"{pod.metadata.name} on {pod.spec.node_name}" for pod in pods if pod.spec.node_name)


def _refused(workload: Workload) -> Trouble | None:
    for condition in workload.status.conditions:
        if condition.type == "ReplicaFailure" and condition.status == "True":
            return Trouble(words.POD_REFUSED, condition.message[:_SHOWN] or condition.reason)
    return None


def _image(pod: Pod) -> Trouble | None:
    for container in pod.status.container_statuses:
        waiting = container.state.waiting
        if waiting is not None and waiting.reason in _IMAGE_REASONS:
            image = container.image or next((c.image for c in pod.spec.containers if c.name == container.name), "")
            said = waiting.message[:_SHOWN]
            where = f"image {image} cannot be had on host {pod.spec.node_name} ({waiting.reason})"
            return Trouble(words.IMAGE_UNAVAILABLE, f"{where}: {said}" if said else where)
    return None


def _crash(pod: Pod) -> Trouble | None:
    for container in pod.status.container_statuses:
        waiting, last = container.state.waiting, container.last_state.terminated or container.state.terminated
        where = f"{pod.metadata.name} on {pod.spec.node_name}"
        if last is not None and (_is_stuck(waiting) or _ends_often(container, last)):
            said, text = last.message, f"{where} ended {container.restart_count} times (exit code {last.exit_code})"
        elif waiting is not None and _is_stuck(waiting):
            said, text = waiting.message, f"{where} cannot be started ({waiting.reason})"
        else:
            continue
        said = said.strip()[-_SHOWN:]
        return Trouble(words.CRASHING, f"{text}: {said}" if said else text)
    return None


def _is_stuck(waiting: ContainerStateWaiting | None) -> bool:
    return waiting is not None and waiting.reason in _CRASH_REASONS


def _ends_often(container: ContainerStatus, last: ContainerStateTerminated) -> bool:
    return bool(last.exit_code) and container.restart_count > 1 and not container.ready


def _unschedulable(pod: Pod) -> Trouble | None:
    scheduled = pod.status.condition("PodScheduled")
    if scheduled is None or scheduled.status != "False" or scheduled.reason != "Unschedulable":
        return None
    return Trouble(words.UNSCHEDULABLE, f"{pod.metadata.name}: {scheduled.message[:_SHOWN]}")
