"""Completions that have numbers: which Pod works on which, and how the status writes many of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from homeostat.sim.world.kinds.jobs import Job
from homeostat.sim.world.kinds.pods import Pod

INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"
_SPAN = re.compile(r"(\d+)(?:-(\d+))?")
Indexes = frozenset[int]


def is_indexed(job: Job) -> bool:
    """Whether its completions have numbers."""
    return job.spec.completion_mode == "Indexed"


def index_of(job: Job, pod: Pod) -> int | None:
    """Which one a Pod works on; None for one that there is not."""
    text = pod.metadata.annotations.get(INDEX, "")
    index = int(text) if text.isdecimal() else None
    return index if index is not None and index < (job.spec.completions or 0) else None


def by_index(job: Job, pods: Iterable[Pod]) -> dict[int, list[Pod]]:
    """The Pods of each."""
    found: dict[int, list[Pod]] = {}
    for pod in pods:
        index = index_of(job, pod)
        if index is not None:
            found.setdefault(index, []).append(pod)
    return found


def failures_of(pod: Pod) -> int:
    """How many that count have failed at its index before it."""
    return _number(pod, FAILURES)


def ignored_of(pod: Pod) -> int:
    """How many that do not count have failed at its index before it."""
    return _number(pod, IGNORED)


def read_indexes(text: str, completions: int) -> Indexes:
    """Such as `0,3-5`; those that there are not are left out, and so is what cannot be read."""
    found: set[int] = set()
    for part in text.split(","):
        span = _SPAN.fullmatch(part)
        if span is not None:
            found.update(range(int(span[1]), min(int(span[2] or span[1]), completions - 1) + 1))
    return frozenset(found)


def write_indexes(indexes: Indexes) -> str:
    """Three in a row, or more, are written as a span."""
    return ",".join(_words(sorted(indexes)))


def _words(ordered: list[int]) -> Iterator[str]:
    at = 0
    while at < len(ordered):
        end = at
        while end + 1 < len(ordered) and ordered[end + 1] == ordered[end] + 1:
            end += 1
        if end > at:
            yield f"{ordered[at]}{'-' if end > at + 1 else ','}{ordered[end]}"
        else:
            yield str(ordered[at])
        at = end + 1


def _number(pod: Pod, annotation: str) -> int:
    text = pod.metadata.annotations.get(annotation, "")
    return int(text) if text.isdecimal() else 0
