"""One idempotent function per action about hosted operators. What is taken away is looked at again right before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from homeostat.api.cluster.v1alpha1 import CLUSTER
from homeostat.kit.clock import Clock
from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.operators.cluster.hosting.actions import GrantRights, HostingAction, Withdraw
from homeostat.operators.cluster.hosting.entitled import entitled
from homeostat.operators.cluster.hosting.rights import digest
from homeostat.operators.cluster.hosting.seen import RightsSeen
from homeostat.operators.cluster.hosting.step import back_off
from homeostat.operators.cluster.observe import Memory, Observed
from homeostat.operators.cluster.ports import Rights, Unreachable
from homeostat.operators.cluster.rollout.standing import hosted_now
from homeostat.runtime.outcome import DONE, Outcome, Progress

_AGAIN_S = 5.0
_SHOWN = 500  # characters of why rights are not granted


class HostingActor:
    """Carries out actions about hosted operators."""

    def __init__(self, client: Client, granting: Rights, memory: Callable[[str], Memory], *, clock: Clock) -> None:
        self._client = client
        self._granting = granting
        self._memory = memory
        self._clock = clock

    async def act(self, seen: Observed, action: HostingAction) -> Outcome:
        """Grant, or withdraw."""
        if isinstance(action, GrantRights):
            return await self._grant(seen)
        return await self._withdraw(seen, action)

    async def _grant(self, seen: Observed) -> Outcome:
        memory, wanted, now = self._memory(seen.cluster.metadata.uid), entitled(seen), self._clock.now()
        before = memory.rights
        tries = before.tries + 1 if before is not None and before.digest == digest(wanted) else 1
        try:
            refused = await self._granting.grant(memory.admin.data, wanted)
        except Unreachable as error:
            known = before.refused if before is not None else {}
            memory.rights = RightsSeen(now, digest(wanted), known, str(error)[:_SHOWN], tries)
            return Progress(back_off(tries).total_seconds(), str(error))
        told = {name: why[:_SHOWN] for name, why in refused.items()}
        memory.rights = RightsSeen(now, digest(wanted), told, tries=tries if told else 0)
        return Progress(back_off(tries).total_seconds(), "; ".join(told.values())) if told else DONE

    async def _withdraw(self, seen: Observed, action: Withdraw) -> Outcome:
        cluster = await self._client.get(CLUSTER, seen.cluster.metadata.name, seen.names.namespace)
        is_other = cluster.metadata.uid != seen.cluster.metadata.uid
        if is_other or cluster.spec.paused or action.operator in hosted_now(cluster, seen.packages):
            return Progress(_AGAIN_S, f"{action.name} stays: the Cluster is paused, or hosts {action.operator} again")
        with suppress(NotFound):
            await self._client.delete(action.kind, action.name, seen.names.namespace, uid=action.uid)
        return DONE
