"""When what kubelets tell of Pods happened, by a clock that can be relied on. Pure.

A kubelet stamps what it tells with the clock of its host, which may be behind by minutes: what it found a second ago
would look as if it had been so for long, and patience be over at once. So what this process hears of while it looks
counts from when it was heard. Only what was so already when it looked for the first time is of the age that the
kubelet gives it, but of none before its Pod was made, which the API server stamps, and of none that is yet to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from homeostat.api.pods import Pod

Heard = Mapping[tuple[str, datetime], datetime]  # by the uid of a Pod and what its kubelet told


def hear(before: Heard | None, pods: Iterable[Pod], now: datetime) -> Heard:
    """Since when each thing is so that kubelets tell of these Pods; `before`: the same of the last look, if any."""
    found = {(pod.metadata.uid, told): told_at(pod, told) for pod in pods for told in _times(pod)}
    if before is None:
        return {key: min(at, now) for key, at in found.items()}
    return {key: before.get(key, now) for key in found}


def told_at(pod: Pod, told: datetime) -> datetime:
    """A kubelet's time, as far as it can be."""
    created = pod.metadata.creation_timestamp
    return max(told, created) if created is not None else told


def _times(pod: Pod) -> Iterator[datetime]:
    """Of its start, of its readiness, and of each container."""
    ready = pod.status.condition("Ready")
    changed = ready.last_transition_time if ready is not None else None
    running = (each.state.running for each in pod.status.container_statuses)
    started = (each.started_at for each in running if each is not None)
    return (each for each in (pod.status.start_time, changed, *started) if each is not None)
