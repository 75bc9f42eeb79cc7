"""Who carries out what healing plans: changes of etcd's members, and restarts of other masters."""

from __future__ import annotations

from collections.abc import Callable

from homeostat.kit.clock import Clock
from homeostat.kube.client import Client
from homeostat.operators.cluster.actions import (
    AddMember,
    AskEtcd,
    CheckServers,
    Discard,
    EndTrial,
    Isolate,
    LetGo,
    MoveLeader,
    PromoteMember,
    RemoveMember,
    RestartMaster,
    RetireMember,
)
from homeostat.operators.cluster.healing.act import MemberActor
from homeostat.operators.cluster.healing.restart import MasterActor
from homeostat.operators.cluster.observe import Memory, Observed
from homeostat.operators.cluster.ports import Etcd, Probe
from homeostat.runtime.outcome import Outcome

OnMembers = AskEtcd | RemoveMember | AddMember | PromoteMember | MoveLeader | RetireMember | Discard
OnMasters = CheckServers | EndTrial | Isolate | RestartMaster | LetGo
HealingAction = OnMembers | OnMasters


class Healer:
    """Carries out actions of healing."""

    def __init__(
        self, client: Client, probe: Probe, etcd: Etcd, memory: Callable[[str], Memory], *, clock: Clock
    ) -> None:
        self._members = MemberActor(client, etcd, memory, clock=clock)
        self._masters = MasterActor(client, probe, memory, clock=clock)

    async def act(self, seen: Observed, action: HealingAction) -> Outcome:
        """Do one thing."""
        if isinstance(action, OnMembers):
            return await self._members.act(seen, action)
        return await self._masters.act(seen, action)
