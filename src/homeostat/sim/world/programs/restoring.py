"""What the Pods of a restore run: they fetch a copy from who hands it out, make a member's data of it, and place that.

The steps and what they refuse are those of `homeostat member` and of `etcdutl snapshot restore`.
"""

from __future__ import annotations

from collections.abc import Callable

from homeostat.sim.world.hosts.containers import Container, Disk
from homeostat.sim.world.programs.etcd.clusters import Clusters
from homeostat.sim.world.programs.etcd.copies import Copies, Copy
from homeostat.sim.world.programs.etcd.data import copied
from homeostat.sim.world.programs.etcd.member import DATA, disk_of
from homeostat.sim.world.programs.etcd.quorum import Belonging, Disked, Quorum, cluster_id, line_of, member_id
from homeostat.sim.world.programs.starting import Ended, Surroundings, tell_end, version_of

_RESTORED, _MARK = "restored", "restore"
_QUOTA_BYTES = 2 << 30
_TAKES_S = (0.2, 1.0)


class Step:
    """A program that does one thing, and ends."""

    def __init__(self, container: Container, around: Surroundings, do: Callable[[Container], None]) -> None:
        self._container, self._around, self._do = container, around, do

    async def run(self) -> int:
        """Do it; the exit code."""
        around = self._around
        await around.clock.sleep(around.random.uniform(*_TAKES_S) * around.quickness)
        try:
            self._do(self._container)
        except Ended as error:
            return tell_end(self._container, error)
        return 0

    def answers(self, port: int, path: str) -> bool:  # noqa: ARG002
        """Nobody asks it."""
        return False


def member_step(container: Container, copies: Copies) -> None:
    """`homeostat member fetch` and `homeostat member place`. Raises Ended."""
    what = container.command[1:3]
    if what == ("member", "fetch"):
        _fetch(container, copies)
    elif what == ("member", "place"):
        _place(container)
    else:
        raise Ended(f"No such command '{' '.join(container.command[1:])}'.", 2)


def etcdutl(container: Container, around: Surroundings, clusters: Clusters) -> None:
    """`etcdutl snapshot restore`. Raises Ended."""
    if container.command[1:3] != ("snapshot", "restore"):
        raise Ended("the simulated etcdutl restores snapshots, and does nothing else")
    source, target = container.command[3], container.flag("data-dir")
    found = disk_of(container, source).content.get(source)
    if not isinstance(found, Copy):
        raise Ended(f"open {source}: no such file or directory")
    disk = disk_of(container, target)
    if _RESTORED in disk.content:
        raise Ended(f'data-dir "{target}" not empty or could not be read')
    token, listed = container.flag("initial-cluster-token"), container.flag("initial-cluster")
    told = dict(each.split("=", 1) for each in listed.split(","))
    members = {(made := member_id(url, token)): Belonging(made, name, url) for name, url in sorted(told.items())}
    number = cluster_id(members)
    quorum = clusters.find(number)
    if quorum is None:
        quorum = clusters.begin(Quorum(number, members, around.network, line_of(version_of(container)), _QUOTA_BYTES))
        quorum.serve(copied(found.store))
        quorum.store.revision += int(container.flag("bump-revision", "0"))
        quorum.store.forget(quorum.store.revision)
    own = container.flag("initial-advertise-peer-urls")
    disk.content[_RESTORED] = Disked(quorum, member_id(own, token), quorum.store.revision)


def _fetch(container: Container, copies: Copies) -> None:
    offer, target = container.flag("offer"), container.flag("to")
    disk_of(container, container.flag("data")).content.pop(_RESTORED, None)
    try:
        token, wanted = (container.files(f"{offer}/{name}").decode().strip() for name in ("token", "sha256"))
    except FileNotFoundError as error:
        raise Ended(f"{error}: no such file or directory") from error
    found = copies.offered.get(token)
    if found is None:
        raise Ended("fetching the snapshot: HTTP 404")
    if found.sha256 != wanted:
        raise Ended(f"fetching the snapshot: expected the SHA-256 {wanted}, found {found.sha256}")
    disk_of(container, target).content[target] = found


def _place(container: Container) -> None:
    """By one turn of the loop: nothing sees half of it, so there is no step to be taken up again."""
    disk: Disk = disk_of(container, container.flag("data"))
    restore = container.flag("restore")
    if disk.content.get(_MARK) == restore:
        disk.content.pop(_RESTORED, None)
        return
    if _RESTORED not in disk.content:
        raise Ended(f"placing the data: {container.flag('data')}/{_RESTORED} is not there")
    if DATA in disk.content:
        if container.flag("old-data") != "aside":
            raise Ended("placing the data: there is some already, and a new cluster must begin without data")
        disk.content[f"{DATA}.before-{restore}"] = disk.content.pop(DATA)
    disk.content[DATA] = disk.content.pop(_RESTORED)
    disk.content[_MARK] = restore
