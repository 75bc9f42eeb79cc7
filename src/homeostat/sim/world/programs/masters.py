"""The programs of business clusters' masters, by the names of their commands."""

from __future__ import annotations

from collections.abc import Callable

from homeostat.sim.world.hosts.containers import Container, Program, Programs, Start
from homeostat.sim.world.programs.apiserver.server import Server
from homeostat.sim.world.programs.controllers import MANAGER, SCHEDULER, Controllers
from homeostat.sim.world.programs.etcd.clusters import Clusters
from homeostat.sim.world.programs.etcd.member import Member
from homeostat.sim.world.programs.starting import Surroundings


def masters(around: Surroundings) -> Programs:
    """All of one world."""
    clusters = Clusters()

    def etcd(container: Container, changed: Callable[[], None]) -> Program:
        return Member(container, changed, around, clusters)

    def apiserver(container: Container, changed: Callable[[], None]) -> Program:
        return Server(container, changed, around)

    def controllers(kind: str) -> Start:
        def start(container: Container, changed: Callable[[], None]) -> Program:
            return Controllers(container, changed, around, kind)

        return start

    found = {"etcd": etcd, "kube-apiserver": apiserver}
    return found | {kind: controllers(kind) for kind in (MANAGER, SCHEDULER)}
