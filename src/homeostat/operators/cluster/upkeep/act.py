"""One idempotent function per action on the stores of etcd. What clients feel is looked at again right before."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from homeostat.api.cluster.v1alpha1 import CLUSTER
from homeostat.kit.clock import Clock
from homeostat.kube.client import Client
from homeostat.operators.cluster.actions import RemoveMember
from homeostat.operators.cluster.ending import is_ending
from homeostat.operators.cluster.observe import Memory, Observed
from homeostat.operators.cluster.ports import EtcdAccess, EtcdRefused, EtcdUpkeep, Unreachable
from homeostat.operators.cluster.topology import standing
from homeostat.operators.cluster.upkeep.actions import (
    AllowDowngrade,
    AskStores,
    Compact,
    CompareStores,
    Defragment,
    Disarm,
    ForbidDowngrade,
    UpkeepAction,
)
from homeostat.operators.cluster.upkeep.seen import UpkeepSeen
from homeostat.runtime.outcome import DONE, Outcome, Progress

_AGAIN_S = 5.0


class UpkeepActor:
    """Carries out actions on the stores of etcd."""

    def __init__(self, client: Client, upkeep: EtcdUpkeep, memory: Callable[[str], Memory], *, clock: Clock) -> None:
        self._client = client
        self._upkeep = upkeep
        self._memory = memory
        self._clock = clock

    async def act(self, seen: Observed, action: UpkeepAction) -> Outcome:
        """Ask, or change something; what was known of the stores before is void then."""
        try:
            access = self._memory(seen.cluster.metadata.uid).etcd
            if isinstance(action, AskStores):
                answer = await self._upkeep.look(access)
                self._know(seen, at=self._clock.now(), answer=answer, failure="", is_stale=False)
                return DONE
            return await self._change(seen, access, action)
        except (Unreachable, EtcdRefused) as error:
            if isinstance(action, AskStores):
                self._know(seen, at=self._clock.now(), failure=str(error), is_stale=False)
            else:
                self._know(seen, is_stale=True)
            return Progress(_AGAIN_S, str(error))

    async def still_deviates(self, seen: Observed, action: RemoveMember) -> str:
        """Why a member must not be removed for its data after all; empty when all others agree against it."""
        try:
            hashes = await self._upkeep.hashes(self._memory(seen.cluster.metadata.uid).etcd)
        except (Unreachable, EtcdRefused) as error:
            return str(error)
        host = seen.names.etcd_host(action.member)
        self._compared(seen, hashes)
        if UpkeepSeen(hashes=hashes).deviating == (host,):
            # Whoever takes its place is not to be judged by what it had.
            self._know(seen, hashes={each: one for each, one in hashes.items() if each != host})
            return ""
        return f"{action.member} is not removed: the members do not all agree against it any more"

    async def _change(self, seen: Observed, access: EtcdAccess, action: UpkeepAction) -> Outcome:
        now = self._clock.now()
        match action:
            case CompareStores():
                await self._compare(seen, access)
            case AllowDowngrade(line=line):
                await self._upkeep.allow_downgrade(access, line)
            case ForbidDowngrade():
                await self._upkeep.forbid_downgrade(access)
            case Compact() | Defragment() | Disarm():
                held = await self._held(seen, access, action)
                if held:
                    self._know(seen, is_stale=True)
                    return Progress(_AGAIN_S, held)
                await self._repair(seen, access, action)
            case AskStores():
                raise AssertionError("asking changes nothing")
        self._know(seen, is_stale=True, at=self._memory(seen.cluster.metadata.uid).upkeep.at or now)
        return DONE

    async def _compare(self, seen: Observed, access: EtcdAccess) -> None:
        """What cannot be compared is tried again at the next turn."""
        self._compared(seen, {})
        self._compared(seen, await self._upkeep.hashes(access))

    def _compared(self, seen: Observed, hashes: Mapping[str, int]) -> None:
        answer = self._memory(seen.cluster.metadata.uid).upkeep.answer
        alarms = answer.alarms if answer is not None else ()
        self._know(seen, compared_at=self._clock.now(), hashes=dict(hashes), compared_under=alarms)

    async def _repair(self, seen: Observed, access: EtcdAccess, action: Compact | Defragment | Disarm) -> None:
        match action:
            case Compact():
                revision = await self._upkeep.compact(access)
                self._know(seen, compacted=revision, compacted_at=self._clock.now())
            case Defragment(host=host):
                known = self._memory(seen.cluster.metadata.uid).upkeep
                # Noted before: one that took too long to answer is being done all the same.
                self._know(seen, defragmented={**known.defragmented, host: self._clock.now()})
                await self._upkeep.defragment(access, host)
            case Disarm(alarm=alarm):
                await self._upkeep.disarm(access, alarm)

    async def _held(self, seen: Observed, access: EtcdAccess, action: Compact | Defragment | Disarm) -> str:
        """Why it is not done after all, by what the cell and etcd say at this moment."""
        cluster = await self._client.get(CLUSTER, seen.cluster.metadata.name, seen.names.namespace)
        if cluster.spec.paused or cluster.spec.healing.paused or is_ending(cluster):
            return "the stores of etcd are left alone: the Cluster is paused or is being deleted"
        answer = await self._upkeep.look(access)
        members = standing(cluster).members
        is_whole = not answer.silent and len(answer.stores) == members
        if isinstance(action, Defragment) and not is_whole:
            return f"{action.member} is not defragmented while {', '.join(answer.silent) or 'another member'} is away"
        return ""

    def _know(self, seen: Observed, **what: object) -> None:
        memory = self._memory(seen.cluster.metadata.uid)
        memory.upkeep = replace(memory.upkeep, **what)
