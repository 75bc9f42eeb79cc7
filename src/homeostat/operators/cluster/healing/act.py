"""One idempotent function per action on members. Whatever cannot be taken back is looked at again right before."""

from __future__ import annotations

from collections.abc import Callable

from homeostat.api.cluster.healing import MemberReplacementStatus
from homeostat.api.cluster.scaling import MemberChangeStatus
from homeostat.api.cluster.v1alpha1 import CLUSTER, Cluster
from homeostat.api.pods import POD
from homeostat.kit.clock import Clock
from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.operators.cluster.actions import (
    AddMember,
    AskEtcd,
    Discard,
    MoveLeader,
    PromoteMember,
    RemoveMember,
    RetireMember,
)
from homeostat.operators.cluster.ending import is_ending
from homeostat.operators.cluster.healing.members import unsafe_without
from homeostat.operators.cluster.healing.policy import SLOW_S
from homeostat.operators.cluster.healing.seen import EtcdSeen
from homeostat.operators.cluster.observe import Memory, Observed
from homeostat.operators.cluster.ports import Etcd, EtcdAccess, EtcdRefused, Unreachable
from homeostat.operators.cluster.reaching import etcd_access
from homeostat.operators.cluster.scaling.act import why_not
from homeostat.runtime.outcome import DONE, Outcome, Progress

_AGAIN_S = 5.0
Change = RemoveMember | AddMember | PromoteMember | MoveLeader | RetireMember


class MemberActor:
    """Carries out actions on the members of etcd, and on what they leave behind."""

    def __init__(self, client: Client, etcd: Etcd, memory: Callable[[str], Memory], *, clock: Clock) -> None:
        self._client = client
        self._etcd = etcd
        self._memory = memory
        self._clock = clock

    async def act(self, seen: Observed, action: AskEtcd | Change | Discard) -> Outcome:
        """Ask or change the membership; what was known of it before is void."""
        try:
            access = await etcd_access(self._client, seen.cluster)
            if isinstance(action, Discard):
                return await self._discard(seen, access, action)
            if isinstance(action, AskEtcd):
                return await self._ask(seen, access)
            return await self._change(seen, access, action)
        except EtcdRefused as error:  # it answers, and may be otherwise than it was when this was planned
            is_asked = isinstance(action, AskEtcd)
            self._know(seen, EtcdSeen(self._clock.now(), failure=str(error)) if is_asked else None)
            return Progress(_AGAIN_S, str(error))
        except Unreachable as error:
            self._know(seen, EtcdSeen(self._clock.now(), failure=str(error)))
            return Progress(_AGAIN_S, str(error))

    async def _discard(self, seen: Observed, access: EtcdAccess, action: Discard) -> Outcome:
        """Only what a removed member left: as long as its Cluster says that it is being replaced, or leaves.

        And whatever that says, nothing on which a member with a vote stands.
        """
        name, namespace = seen.cluster.metadata.name, seen.names.namespace
        members = await self._etcd.members(access)
        host = seen.names.etcd_host(action.name.removeprefix("data-"))
        if any(each.host == host and not each.is_learner for each in members):
            self._know(seen, EtcdSeen(self._clock.now(), members))
            return Progress(_AGAIN_S, f"{action.name} does not go: a member with a vote stands on it")
        cluster = await self._client.get(CLUSTER, name, namespace)
        told, planned = _told(cluster), _told(seen.cluster)
        if told != planned or not any(planned):
            return Progress(_AGAIN_S, f"{action.name} is not to go any more")
        try:
            await self._client.delete(
                action.kind, action.name, namespace, uid=action.uid, grace_s=0 if action.force else None
            )
        except NotFound:
            return DONE
        return DONE

    async def _ask(self, seen: Observed, access: EtcdAccess) -> Outcome:
        members = await self._etcd.members(access)
        self._know(seen, EtcdSeen(self._clock.now(), members))
        return DONE

    async def _change(self, seen: Observed, access: EtcdAccess, action: Change) -> Outcome:
        match action:
            case RemoveMember(member=name, id=number, corrupt=corrupt):
                held = await self._held(seen, access, name, number, is_corrupt=corrupt)
                if held:
                    return Progress(_AGAIN_S, held)
                await self._etcd.remove(access, number)
            case RetireMember(id=number):
                held = await why_not(self._client, self._etcd, seen, access, action)
                if held:
                    return Progress(_AGAIN_S, held)
                await self._etcd.remove(access, number)
            case AddMember(member=name):
                await self._etcd.add_learner(access, seen.names.etcd_host(name))
            case PromoteMember(id=number):
                await self._etcd.promote(access, number)
            case MoveLeader(id=number):
                await self._etcd.move_leader(access, number)
        self._know(seen, None)
        return DONE

    async def _held(self, seen: Observed, access: EtcdAccess, name: str, number: int, *, is_corrupt: bool) -> str:
        """Why a member must not be removed after all, by what the cell and etcd say at this moment."""
        began = self._clock.monotonic()
        cluster = await self._client.get(CLUSTER, seen.cluster.metadata.name, seen.names.namespace)
        try:
            is_ready = (await self._client.get(POD, name, seen.names.namespace)).is_ready
        except NotFound:
            is_ready = False
        took = self._clock.monotonic() - began
        if took > SLOW_S:
            return f"{name} is not removed while the cell's API server takes {took:.1f} s for two reads"
        if cluster.spec.paused or cluster.spec.healing.paused or is_ending(cluster):
            return f"{name} is not removed: the Cluster is paused or is being deleted"
        members = await self._etcd.members(access)
        one = next((each for each in members if each.id == number), None)
        is_dead = one is not None and not is_ready and not one.is_well
        if one is None or not (is_dead or is_corrupt):
            self._know(seen, EtcdSeen(self._clock.now(), members))
            return f"{name} is not removed: it is not dead any more"
        return unsafe_without(members, one.host, is_corrupt=is_corrupt)

    def _know(self, seen: Observed, what: EtcdSeen | None) -> None:
        self._memory(seen.cluster.metadata.uid).members = what


def _told(cluster: Cluster) -> tuple[MemberReplacementStatus | None, MemberChangeStatus | None]:
    """Which member is being replaced, and which one joins or leaves."""
    healing, topology = cluster.status.healing, cluster.status.topology
    return healing.replacement if healing is not None else None, topology.change if topology is not None else None
