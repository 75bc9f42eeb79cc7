"""One idempotent function per action on stateless masters. Whatever cannot be taken back is looked at again before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from homeostat.api.cluster.masters import CONTROLLERS
from homeostat.api.cluster.v1alpha1 import CLUSTER
from homeostat.api.core import DEPLOYMENT
from homeostat.api.pods import POD
from homeostat.kit.clock import Clock
from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.operators.cluster.actions import CheckServers, EndTrial, Isolate, LetGo, RestartMaster, Server
from homeostat.operators.cluster.ending import is_ending
from homeostat.operators.cluster.healing.policy import SLOW_S
from homeostat.operators.cluster.healing.seen import LeaderHeld, ServerSeen
from homeostat.operators.cluster.hosts import is_host_ready
from homeostat.operators.cluster.names import (
    ENDPOINT_LABEL,
    FIELD_MANAGER,
    IN_ENDPOINT,
    OUT_OF_ENDPOINT,
)
from homeostat.operators.cluster.observe import Memory, Observed
from homeostat.operators.cluster.ports import Direct, Probe, Served, Unreachable
from homeostat.runtime.outcome import DONE, Outcome, Progress

_AGAIN_S, _SOON_S = 5.0, 0.5
Action = CheckServers | EndTrial | Isolate | RestartMaster | LetGo


class MasterActor:
    """Carries out actions on API servers and controllers."""

    def __init__(self, client: Client, probe: Probe, memory: Callable[[str], Memory], *, clock: Clock) -> None:
        self._client = client
        self._probe = probe
        self._memory = memory
        self._clock = clock

    async def act(self, seen: Observed, action: Action) -> Outcome:
        """Do one thing."""
        try:
            match action:
                case CheckServers(servers=servers):
                    return await self._check_all(seen, servers)
                case EndTrial(name=name, uid=uid):
                    await self._client.delete(DEPLOYMENT, name, seen.names.namespace, uid=uid)
                case Isolate():
                    return await self._isolate(seen, action)
                case RestartMaster():
                    return await self._restart(seen, action)
                case LetGo(pod=pod, uid=uid):
                    why = await self._not_let_go(seen, action)
                    if why:
                        return Progress(_AGAIN_S, why)
                    await self._client.delete(POD, pod, seen.names.namespace, uid=uid, grace_s=0)
        except NotFound:
            return DONE  # it went by itself
        return DONE

    async def _check_all(self, seen: Observed, servers: tuple[Server, ...]) -> Outcome:
        """All at once, each with a strict limit of time."""
        failures = await asyncio.gather(*(self._check(seen, server) for server in servers))
        known = self._memory(seen.cluster.metadata.uid)
        there = {pod.metadata.uid for pod in seen.pods}
        for uid in known.servers.keys() - there:
            del known.servers[uid]
        failed = [failure for failure in failures if failure]
        return Progress(_SOON_S, failed[0]) if failed else DONE

    async def _check(self, seen: Observed, server: Server) -> str:
        """Why an API server is of no use to clients; empty: it is."""
        known, failure, refused = self._memory(seen.cluster.metadata.uid), "", ""
        direct = Direct(server.address, seen.names.apiserver_service)
        try:
            told = await self._probe.probe(known.admin.data, direct)
        except Unreachable as error:
            failure = str(error)
        else:
            note_leaders(known, told, self._clock.now())
            refused = told.refused.why if told.refused is not None and not told.refused.is_by_policy else ""
        now = self._clock.now()
        fresh = ServerSeen(now, failure, since=now, refused=refused)
        before = known.servers.get(server.uid)
        known.servers[server.uid] = before.then(now, failure, refused) if before else fresh
        return failure

    async def _isolate(self, seen: Observed, action: Isolate) -> Outcome:
        word = OUT_OF_ENDPOINT if action.out else IN_ENDPOINT
        patch = {"metadata": {"uid": action.uid, "labels": {ENDPOINT_LABEL: word}}}
        await self._client.merge_patch(POD, action.pod, patch, seen.names.namespace, field_manager=FIELD_MANAGER)
        return DONE

    async def _not_let_go(self, seen: Observed, action: LetGo) -> str:
        """Why a Pod is not to be forgotten by force after all; empty: its host is away, or is no more."""
        began = self._clock.monotonic()
        why = await self._untouchable(seen, action.pod)
        is_back = await is_host_ready(self._client, action.host)
        took = self._clock.monotonic() - began
        if took > SLOW_S:
            return f"{action.pod} is not let go while the cell's API server takes {took:.1f} s for two reads"
        return why or (f"{action.pod} is not let go: its host {action.host} is ready again" if is_back else "")

    async def _untouchable(self, seen: Observed, pod: str) -> str:
        """Why nobody may touch a Pod, by what the Cluster says at this moment; empty: one may."""
        cluster = await self._client.get(CLUSTER, seen.cluster.metadata.name, seen.names.namespace)
        if cluster.spec.paused or cluster.spec.healing.paused or is_ending(cluster):
            return f"{pod} is not deleted: the Cluster is paused or is being deleted"
        return ""

    async def _restart(self, seen: Observed, action: RestartMaster) -> Outcome:
        why = await self._held(seen, action)
        if why:
            return Progress(_AGAIN_S, why)
        await self._client.delete(POD, action.pod, seen.names.namespace, uid=action.uid)
        return DONE

    async def _held(self, seen: Observed, action: RestartMaster) -> str:
        """Why a Pod must not be deleted after all, by what the cell and the master itself say at this moment."""
        began = self._clock.monotonic()
        why = await self._untouchable(seen, action.pod)
        pod = await self._client.get(POD, action.pod, seen.names.namespace)
        took = self._clock.monotonic() - began
        if took > SLOW_S:
            return f"{action.pod} is not deleted while the cell's API server takes {took:.1f} s for two reads"
        if why:
            return why
        if pod.is_ready and not action.is_hung:
            return f"{action.pod} is not deleted: it is ready again"
        if action.server is None:
            return await self._leads_again(seen, action)
        if not await self._check(seen, action.server):
            return f"{action.pod} is not deleted: it answers again"
        return ""

    async def _leads_again(self, seen: Observed, action: RestartMaster) -> str:
        """Why a controller must not be touched; empty: it leads nobody."""
        known = self._memory(seen.cluster.metadata.uid)
        try:
            told = await self._probe.probe(known.admin.data)
        except Unreachable as error:
            return f"{action.pod} is not deleted: nobody tells who leads: {error}"
        note_leaders(known, told, self._clock.now())
        leader = known.leaders.get(action.component)
        if leader is not None and leader.leads(action.pod) and not leader.is_stale:
            return f"{action.pod} is not deleted: it leads"
        return ""


def note_leaders(known: Memory, told: Served, now: datetime) -> None:
    """Remember since when each leader's Lease is as it is; none ages while perhaps nobody can renew."""
    found = {component: told.leaders[component] for component in CONTROLLERS if component in told.leaders}
    before = {component: known.leaders[component] for component in found if component in known.leaders}
    same = {component: held for component, held in before.items() if held.is_as(found[component])}
    # What keeps one write waiting keeps renewals waiting as well, unless somebody has renewed since.
    is_vain = told.refused is not None and len(same) == len(before)
    ages = {component: held.since for component, held in same.items() if not (held.is_vain or is_vain)}
    for component, leader in found.items():
        known.leaders[component] = LeaderHeld(now, leader.holder, leader.renewed, ages.get(component, now), is_vain)
