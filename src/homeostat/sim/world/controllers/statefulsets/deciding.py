"""Which Pods of a StatefulSet are made and ended now. Pure.

In order means: none is touched before all that come before it are available, and one is touched at a time. In parallel
means: all at once, but replaced for another template in the same bounds as in order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from homeostat.sim.world.controllers.statefulsets.identity import ordinal_of, revision_of
from homeostat.sim.world.controllers.workloads.pods import is_available
from homeostat.sim.world.controllers.workloads.shares import scaled
from homeostat.sim.world.kinds.pods import Pod
from homeostat.sim.world.kinds.workloads import StatefulSet

ROLLING, ON_DELETE = "RollingUpdate", "OnDelete"


class Make(Struct, frozen=True):
    """A Pod of a number, of a revision."""

    ordinal: int
    revision: str


class Provide(Struct, frozen=True):
    """The claims of a Pod that waits for them."""

    ordinal: int


class End(Struct, frozen=True):
    """A Pod goes; one that is not wanted any more does not come back."""

    pod: Pod
    is_condemned: bool = False


Action = Make | Provide | End


class Seen(Struct, frozen=True):
    """A StatefulSet and its Pods. `going` are the uids of those that end, whether the cache shows it or not."""

    owner: StatefulSet
    pods: tuple[Pod, ...]
    current: str  # names of revisions
    update: str
    going: frozenset[str]
    now: datetime

    def is_ending(self, pod: Pod) -> bool:
        """Whether it goes already."""
        return pod.is_ending or pod.metadata.uid in self.going

    def is_available(self, pod: Pod) -> bool:
        """Whether it runs, and has been ready long enough."""
        return runs_ready(pod) and is_available(pod, self.owner.spec.min_ready_seconds, self.now)

    def is_healthy(self, pod: Pod) -> bool:
        """Whether others may be touched while it is as it is."""
        return self.is_available(pod) and not self.is_ending(pod)

    @property
    def ordinals(self) -> range:
        """The numbers that there are to be."""
        start = self.owner.spec.ordinals.start
        return range(start, start + self.owner.spec.replicas)


def runs_ready(pod: Pod) -> bool:
    """Whether it runs and is ready, also while it ends."""
    return pod.status.phase == "Running" and pod.is_ready


def decide(seen: Seen) -> tuple[Action, ...]:
    """What to do now."""
    owner = seen.owner
    is_ordered = owner.spec.pod_management_policy == "OrderedReady"
    numbered = {number: pod for pod in seen.pods if (number := ordinal_of(owner, pod.metadata.name)) is not None}
    wanted = {number: numbered[number] for number in seen.ordinals if number in numbered}
    condemned = [numbered[number] for number in sorted(numbered, reverse=True) if number not in seen.ordinals]
    found, is_held = _filled(seen, wanted, is_ordered=is_ordered)
    if is_held:
        return tuple(found)
    more, is_held = _emptied(seen, wanted, condemned, is_ordered=is_ordered)
    found += more
    if is_held or owner.spec.update_strategy.type == ON_DELETE:
        return tuple(found)
    return (*found, *_replaced(seen, wanted))


def _filled(seen: Seen, wanted: Mapping[int, Pod], *, is_ordered: bool) -> tuple[list[Action], bool]:
    """What the numbers that there are to be need, and whether those behind must wait."""
    found: list[Action] = []
    for number in seen.ordinals:
        pod = wanted.get(number)
        is_over = pod is not None and pod.is_over
        if pod is None:
            found.append(Make(number, _revision(seen, number)))
        elif is_over and not seen.is_ending(pod):
            found.append(End(pod))
        elif pod.status.phase == "Pending" and not pod.spec.node_name and not seen.is_ending(pod):
            found.append(Provide(number))
        if is_ordered and (pod is None or is_over or not seen.is_healthy(pod)):
            return found, True
    return found, False


def _emptied(
    seen: Seen, wanted: Mapping[int, Pod], condemned: Sequence[Pod], *, is_ordered: bool
) -> tuple[list[Action], bool]:
    """The end of those that are not to be, the last first."""
    if not is_ordered:
        return [End(pod, is_condemned=True) for pod in condemned if not seen.is_ending(pod)], False
    first = condemned[:1]
    if not first:
        return [], False
    (pod,) = first
    unhealthy = [each for each in (*wanted.values(), *reversed(condemned)) if not seen.is_healthy(each)]
    may_go = seen.is_available(pod) or (bool(unhealthy) and unhealthy[0] is pod)
    return ([End(pod, is_condemned=True)] if may_go and not seen.is_ending(pod) else []), True


def _replaced(seen: Seen, wanted: Mapping[int, Pod]) -> list[Action]:
    """The end of those that are of an older revision, the last first, as many as may be missing."""
    rolling = seen.owner.spec.update_strategy.rolling_update
    partition = rolling.partition if rolling is not None else 0
    share = rolling.max_unavailable if rolling is not None else None
    most = max(scaled(share, seen.owner.spec.replicas, up=True), 1) if share is not None else 1
    found: list[Action] = []
    missing = 0
    for number in sorted(wanted, reverse=True):
        pod = wanted[number]
        if number < seen.ordinals.start + partition or missing >= most:
            break
        if revision_of(pod) != seen.update and not seen.is_ending(pod):
            found.append(End(pod))
            missing += 1
        elif not seen.is_healthy(pod):
            missing += 1
    return found


def _revision(seen: Seen, number: int) -> str:
    """What a Pod is made of: below the partition of what it was before."""
    strategy = seen.owner.spec.update_strategy
    if strategy.type != ROLLING or strategy.rolling_update is None:
        return seen.update
    return seen.current if number < seen.ordinals.start + strategy.rolling_update.partition else seen.update
