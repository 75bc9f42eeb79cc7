"""The programs of business clusters' masters, by the names of their commands."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from homeostat.sim.world.hosts.containers import Container, Endless, Program, Programs, Start
from homeostat.sim.world.programs.apiserver.server import Server
from homeostat.sim.world.programs.controllers import MANAGER, SCHEDULER, Controllers
from homeostat.sim.world.programs.etcd.clusters import Clusters
from homeostat.sim.world.programs.etcd.copies import Copies
from homeostat.sim.world.programs.etcd.member import Member
from homeostat.sim.world.programs.restoring import Step, etcdutl, member_step
from homeostat.sim.world.programs.starting import Surroundings


def masters(around: Surroundings, copies: Copies) -> Programs:
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

    def homeostat(container: Container, _: Callable[[], None]) -> Program:
        """A step of a restore; an operator that is hosted beside the masters is not played, and is well."""
        if container.command[1:2] == ("run",):
            return Endless()
        return Step(container, around, partial(member_step, copies=copies))

    def etcdutl_(container: Container, _: Callable[[], None]) -> Program:
        return Step(container, around, partial(etcdutl, around=around, clusters=clusters))

    found: dict[str, Start] = {"homeostat": homeostat, "etcdutl": etcdutl_}
    found |= {"etcd": etcd, "kube-apiserver": apiserver}
    return found | {kind: controllers(kind) for kind in (MANAGER, SCHEDULER)}
