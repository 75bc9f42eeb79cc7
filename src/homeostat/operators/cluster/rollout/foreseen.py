"""What a wish leads to, told from a Cluster alone: who moves, in which order, or why nobody does. Pure.

It asks the rules by which the operator goes, in their order, so that what a dry run prints is what will run. What
passes by itself (masters that are not well, a turn in the cell, a snapshot that is being taken) refuses nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from homeostat.api.cluster.v1alpha1 import Cluster, ClusterPackageVersion
from homeostat.operators.cluster.ending import is_ending
from homeostat.operators.cluster.overrides import faults, told
from homeostat.operators.cluster.rollout.emulation import on_the_way
from homeostat.operators.cluster.rollout.path import Stand, refusal, remaining
from homeostat.operators.cluster.rollout.sealing import changed
from homeostat.operators.cluster.rollout.securing import is_first_move, without_store
from homeostat.operators.cluster.rollout.standing import Wish, complete, declared, placed, standing, wished
from homeostat.operators.cluster.validity import wrong_in

Packages = Mapping[str, ClusterPackageVersion]


class Foreseen(Struct, frozen=True):
    """What will happen, unless it is refused."""

    stand: Stand
    moves: tuple[str, ...] = ()  # components, in their order
    refused: str = ""
    at_once: bool = False  # all move at one instant: there is no data to be careful for
    secured: bool = False  # a snapshot is taken before the first one, where the cell has a store


def asking_for(cluster: Cluster, to: str) -> Cluster:
    """The Cluster as it is declared when it asks for a package version: once more, if that failed."""
    asked = replace(cluster, spec=replace(cluster.spec, package_version=to))
    upgrade = cluster.status.upgrade
    if upgrade is None or wished(asked) == declared(asked):
        return asked
    again = replace(asked.spec.upgrade_policy, attempt=upgrade.failed_attempt + 1)
    return replace(asked, spec=replace(asked.spec, upgrade_policy=again))


def lost(cluster: Cluster, packages: Packages) -> tuple[str, ...]:
    """The package versions that masters are made of, or shall be, and that are not there."""
    return tuple(sorted((placed(cluster, packages) | {cluster.spec.package_version}) - packages.keys()))


def foresee(cluster: Cluster, packages: Packages) -> Foreseen:
    """What becomes of a Cluster as it is declared; none of its package versions is lost."""
    wish = wished(cluster)
    emulates = on_the_way(cluster, wish.package, packages)
    stand = standing(cluster, wish, packages, emulates)
    if why := _refused(cluster, wish, stand, packages):
        return Foreseen(stand, refused=why)
    moves = remaining(stand)
    stuck = [each for each in stand.at if not stand.is_moved(each) and each not in moves]
    if cluster.status.ready_at is None:
        return Foreseen(stand, (*moves, *stuck), at_once=True)
    if stuck:
        return Foreseen(stand, refused=f"no order of moves is safe for {', '.join(stuck)}")
    is_first = bool(moves) and is_first_move(cluster, wish.package)
    backup = cluster.status.backup
    held = without_store(cluster) if is_first and backup is not None and not backup.store else None
    if held is not None:
        return Foreseen(stand, refused=held.message)
    return Foreseen(stand, moves, secured=is_first)


def _refused(cluster: Cluster, wish: Wish, stand: Stand, packages: Packages) -> str:
    """Why nobody moves, in the order in which the operator says so."""
    if is_ending(cluster):
        return "it is being deleted"
    if why := wrong_in(cluster.spec):
        return why
    if name := changed(cluster, packages):
        return f"ClusterPackageVersion {name!r} was made anew with other content than the masters are made of"
    if why := told(faults(wish.overrides, packages[wish.package])):
        return why
    # What goes back asks nobody, for there may be nobody left to ask.
    kubelets = () if wish == complete(cluster) else cluster.status.kubelets
    return refusal(stand, kubelets)
