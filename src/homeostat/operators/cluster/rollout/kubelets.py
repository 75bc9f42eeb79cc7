"""What kubelets of a business cluster are of, by what its Nodes say. Pure.

Whoever may write a Node of the business cluster says there what he likes: simulated Nodes and virtual kubelets tell
words, or versions of their own. What is no version cannot be compared and is not counted, for neither the masters of
that cluster nor their operator may stand still for it. And the status takes only so many.
"""

from __future__ import annotations

from collections.abc import Iterable

from homeostat.operators.cluster.rollout.versions import Version, is_version, version_of

_SHOWN = 64  # as the CRD says


def legible(told: Iterable[str]) -> list[Version]:
    """The versions among what was told, the oldest first."""
    return sorted({version_of(each) for each in told if is_version(each)})


def shown(told: Iterable[str]) -> tuple[str, ...]:
    """The same for the status; of too many the oldest and the newest, which decide where masters may go."""
    versions = legible(told)
    half = _SHOWN // 2
    ends = versions if len(versions) <= _SHOWN else (*versions[:half], *versions[-half:])
    return tuple(f"v{each}" for each in ends)
