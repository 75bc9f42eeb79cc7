"""What is so in a world, whatever anybody says of it: read from its programs and its network, not from the API."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from tests.support.fleets import Fleet, Whole

from homeostat.operators.cluster.names import API_PORT
from homeostat.sim.world.network.network import OUTSIDE, Refused, Silent, UnknownName
from homeostat.sim.world.programs.apiserver.server import Server
from homeostat.sim.world.programs.etcd.member import CLIENT_PORT, Member
from homeostat.sim.world.programs.etcd.quorum import Quorum


class Voting(Struct, frozen=True):
    """Who has a vote in a cluster's etcd, and who of them is as far as its data."""

    voters: frozenset[str]  # names of members
    level: frozenset[str]

    @property
    def has_quorum(self) -> bool:
        """Whether it can go on."""
        return 2 * len(self.level) > len(self.voters)


def serves(fleet: Fleet, cluster: Whole) -> bool:
    """Whether a client that dials a cluster's endpoint is answered, and etcd takes what it writes."""
    endpoint = cluster.get("status", {}).get("endpoint")
    if endpoint is None:
        return False
    try:
        found = fleet.world.network.dial(OUTSIDE, endpoint["host"], endpoint["port"])
    except (Refused, Silent, UnknownName):
        return False
    return isinstance(found, Server) and _is_sound(found)


def quorum_of(fleet: Fleet, members: Iterable[Whole]) -> Quorum | None:
    """The etcd that these Pods are members of, if any of them runs."""
    for pod in members:
        try:
            found = fleet.world.network.at(OUTSIDE, pod.get("status", {}).get("podIP", ""), CLIENT_PORT)
        except (Refused, Silent):
            continue
        if isinstance(found, Member) and found.running is not None:
            return found.quorum
    return None


def voting(quorum: Quorum) -> Voting:
    """Its members now."""
    voters = {each.id: each.name for each in quorum.members.values() if not each.is_learner}
    level = (name for id_, name in voters.items() if id_ in quorum.running and quorum.running[id_].is_level)
    return Voting(frozenset(voters.values()), frozenset(level))


def is_healthy(fleet: Fleet, pod: Whole) -> bool:
    """Whether nothing is wrong with a master: it is ready, its host is heard, and an API server answers."""
    conditions = pod.get("status", {}).get("conditions", ())
    host = fleet.world.centre.hosts.get(pod["spec"].get("nodeName", ""))
    if host is None or not host.is_heard or not any(_says_ready(each) for each in conditions):
        return False
    if pod["metadata"]["labels"].get("app.kubernetes.io/component") != "kube-apiserver":
        return True
    try:
        found = fleet.world.network.at(OUTSIDE, pod["status"].get("podIP", ""), API_PORT)
    except (Refused, Silent):
        return False
    return isinstance(found, Server) and _is_sound(found)


def _says_ready(condition: Whole) -> bool:
    return bool(condition["type"] == "Ready" and condition["status"] == "True")


def _is_sound(server: Server) -> bool:
    return not server.is_hung and server.answers(API_PORT, "/livez")
