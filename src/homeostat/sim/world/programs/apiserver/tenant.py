"""What all API servers of one business cluster serve: the objects that its etcd holds, and who leads its controllers.

It is made of the data when it is first asked for, and goes with it: a quorum that lost data serves another one.

Leaders hold their Leases without writing (decision 0033). The world knows who leads and lives; a Lease is renewed by a
real write when somebody is about to read it, as of the moment at which the last of the leader's rounds was.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

import msgspec

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.runtime.microtime import micro_time
from homeostat.sim.apiserver.access.attributes import AUTHENTICATED, User
from homeostat.sim.apiserver.server import ApiServer, Request
from homeostat.sim.apiserver.store.compacting import Compactor
from homeostat.sim.apiserver.store.record import key_of, record
from homeostat.sim.world.programs.etcd.quorum import Quorum

NAMESPACE = "kube-system"
RENEWS_S = 2.0  # how often a leader renews, and who waits looks
LEASE_S = 15.0  # how long a Lease holds
_COLLECTION = ("coordination.k8s.io", "leases")
_PATH = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
_LOOPBACK = User("system:apiserver", ("system:masters", AUTHENTICATED))


class Leader(Protocol):
    """Who may hold a Lease."""

    @property
    def identity(self) -> str:
        """As the Lease names it."""
        ...

    @property
    def renews(self) -> bool:
        """Whether it lives and reaches the API server."""
        ...


class Tenant:
    """Of one quorum."""

    def __init__(self, quorum: Quorum, *, clock: Clock, random: Random) -> None:
        self.server = ApiServer(clock=clock, random=random, store=quorum.store)
        self._compactor = Compactor(quorum.store, clock)
        self._clock = clock
        self._leaders: dict[str, Leader] = {}  # by the name of their Lease
        self._last: dict[str, datetime] = {}  # when Leases were last renewed that nobody has read since

    def forget(self) -> None:
        """Let go what is older than an etcd keeps it; to be called before a request is answered."""
        self._compactor.look()

    def freshen(self) -> None:
        """Renew what leaders have renewed by now; to be called before somebody reads Leases."""
        now = self._clock.now()
        for name, leader in self._leaders.items():
            if leader.renews:
                self._last[name] = now
        for name in tuple(self._last):
            self._tell(name)

    def pause(self, leader: Leader) -> None:
        """A leader has renewed until now; what has woken it may keep it from that from now on."""
        for name, each in self._leaders.items():
            if each is leader:
                self._last[name] = self._clock.now()

    def rest(self, leader: Leader) -> None:
        """A leader renews no longer; its Lease tells when it last did."""
        for name in [name for name, each in self._leaders.items() if each is leader]:
            if leader.renews:
                self._last[name] = self._clock.now()
                self._tell(name)
            del self._leaders[name]

    def take(self, name: str, leader: Leader) -> float:
        """Hold a Lease; zero, or in how many seconds it may be free."""
        held = self._leaders.get(name)
        if held is leader:
            return 0.0
        if held is not None and held.renews:
            return LEASE_S
        now = self._clock.now()
        self._tell(name)
        spec = self._spec(name)
        left = LEASE_S - (now - _time(spec.get("renewTime"))).total_seconds() if spec.get("holderIdentity") else 0.0
        if left > 0 and spec["holderIdentity"] != leader.identity:
            return left + RENEWS_S
        self._write(name, leader, spec, now)
        self._leaders[name] = leader
        return 0.0

    def _spec(self, name: str) -> dict[str, Any]:
        found = self.server.store.shelf(_COLLECTION).get(key_of(NAMESPACE, name))
        return {} if found is None else dict(found.value(b"").get("spec") or {})

    def _tell(self, name: str) -> None:
        """Write down when a Lease was last renewed."""
        last = self._last.pop(name, None)
        if last is not None:
            self._renew(name, last)

    def _renew(self, name: str, now: datetime) -> None:
        found = self.server.store.shelf(_COLLECTION).get(key_of(NAMESPACE, name))
        if found is None:  # somebody deleted it: the leader makes it anew
            if name in self._leaders:
                self._write(name, self._leaders[name], {}, now)
            return
        value = found.value(b"")
        if (now - _time(value["spec"].get("renewTime"))).total_seconds() < RENEWS_S:
            return
        value["spec"]["renewTime"] = micro_time(now)
        self.server.store.put(_COLLECTION, record(value, 0))

    def _write(self, name: str, leader: Leader, spec: dict[str, Any], now: datetime) -> None:
        moment = micro_time(now)
        is_same = spec.get("holderIdentity") == leader.identity
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "holderIdentity": leader.identity,
                "leaseDurationSeconds": int(LEASE_S),
                "acquireTime": spec.get("acquireTime", moment) if is_same else moment,
                "renewTime": moment,
                "leaseTransitions": spec.get("leaseTransitions", -1) + (not is_same),
            },
        }
        method, path, media = ("PATCH", f"{_PATH}/{name}", "application/merge-patch+json") if spec else _CREATE
        headers = {"content-type": media, "user-agent": leader.identity.partition("_")[0]}
        asked = Request(method=method, path=path, headers=headers, body=msgspec.json.encode(body))
        self.server.answer_at_once(asked, _LOOPBACK)


_CREATE = ("POST", _PATH, "application/json")


def tenant_of(quorum: Quorum, *, clock: Clock, random: Random) -> Tenant:
    """The one of a quorum's data."""
    found = quorum.kept.get("tenant")
    if not isinstance(found, Tenant):
        found = quorum.kept["tenant"] = Tenant(quorum, clock=clock, random=random)
    return found


def _time(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else datetime.fromisoformat("1970-01-01T00:00:00+00:00")
