"""What healing looks at beside the rest: hosts of the cell, and what etcd and single API servers say."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from homeostat.operators.cluster.ports import LeaderSeen, MemberSeen

_RENEWED = timedelta(seconds=30)


class HostSeen(Struct, frozen=True):
    """A host of the cell."""

    zone: str
    is_ready: bool
    takes_pods: bool


class EtcdSeen(Struct, frozen=True):
    """What etcd last said about its members."""

    at: datetime
    members: tuple[MemberSeen, ...] = ()
    failure: str = ""  # why it could not be asked


class ServerSeen(Struct, frozen=True):
    """How one API server answered, past the endpoint, when it was last asked."""

    at: datetime
    failure: str = ""  # of the last time
    times: int = 1  # in a row that it failed, or did not
    since: datetime | None = None  # when this row began
    refused: str = ""  # why it takes no writes of its own accord, though it is alive

    def then(self, at: datetime, failure: str, refused: str = "") -> ServerSeen:
        """The same after one more question."""
        if bool(failure) != bool(self.failure):
            return ServerSeen(at, failure, since=at, refused=refused)
        return ServerSeen(at, failure, self.times + 1, self.since or self.at, refused)

    @property
    def is_silent(self) -> bool:
        """Whether it failed more than once: a single failure may be chance."""
        return self.failure != "" and self.times >= 2

    @property
    def is_sound(self) -> bool:
        """Whether it has answered more than once in a row."""
        return not self.failure and self.times >= 2


class LeaderHeld(Struct, frozen=True):
    """Who leads a component, and since when its Lease is as it is, by this process' clock and not by its holder's."""

    at: datetime
    holder: str
    renewed: datetime | None
    since: datetime
    is_vain: bool = False  # it was looked at while writes were refused, and perhaps nobody could renew any Lease

    def is_as(self, leader: LeaderSeen) -> bool:
        """Whether nobody has renewed it since."""
        return (self.holder, self.renewed) == (leader.holder, leader.renewed)

    @property
    def stale_for(self) -> timedelta:
        """How long nobody has renewed it."""
        return self.at - self.since

    @property
    def is_stale(self) -> bool:
        """Whether it looks as if nobody led: leaders renew every few seconds."""
        return self.stale_for >= _RENEWED

    def leads(self, pod: str) -> bool:
        """Whether a Pod is its holder: identities begin with the host's name, which in a Pod is the Pod's."""
        return self.holder.startswith(f"{pod}_")
