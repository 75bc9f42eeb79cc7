"""Which component moves next.

The rules are those of Kubernetes (kubernetes.io/releases/version-skew-policy) and of etcd:

- API servers of one cluster are at most one minor apart, so they move one minor at a time, in either direction.
- Controller manager and scheduler are never newer than the API server: they move after it upwards, before it downwards.
- Kubelets are never newer than the API server, and at most three minors older.
- etcd moves before the API server, which may need what is new, and after it downwards; one minor at a time. Up to 3.6
  it comes from 3.5.26 or newer, which mend what older ones may have left in their lists of members; back by a minor it
  goes from 3.6 on, when it was told so (see lines.py).

They are asked anew at every step, from where each component is now, and from what its Pods are of, which may not have
followed: so a wish that changes in the middle of a move, or when one is stuck, needs no memory of how the cluster came
there.

Hosted operators are clients as controllers are: after the API server upwards, before it downwards. One that the other
package version does not have moves as well: it comes, or goes.

A component whose overrides change moves like one whose version does, in the same order, also where no version changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from homeostat.api.cluster.masters import API_SERVER, CONTROLLERS, ETCD
from homeostat.api.cluster.v1alpha1 import ClusterPackageVersionSpec
from homeostat.operators.cluster.rollout.kubelets import legible
from homeostat.operators.cluster.rollout.order import downwards, upwards
from homeostat.operators.cluster.rollout.versions import Version, version_of

_BACK_FROM = Version(3, 6, 0)  # the first etcd that writes its data anew for the minor before
# What the minor before must be at least: https://etcd.io/blog/2025/zombie_members_upgrade
_NEIGHBOURS = {"3.6": Version(3, 5, 26)}
_OLDEST_KUBELET = 3  # minors behind the API server


class Stand(Struct, frozen=True):
    """Where every component is, and where all shall go: names of package versions, and what is in them."""

    at: Mapping[str, str]  # component to the package version that it is made of
    to: str
    packages: Mapping[str, ClusterPackageVersionSpec]
    differing: frozenset[str] = frozenset()  # components whose overrides are not those that are wished
    emulating: frozenset[str] = frozenset()  # components that behave as another version than is wished
    emulates: str = ""  # the older minor version that they shall behave as; empty: their own
    runs: Mapping[str, frozenset[Version]] = {}  # what Pods are of, those on their way out too; may lag behind `at`

    def now(self, component: str) -> Version:
        """The version of a component as it is."""
        return self._version(self.at[component], component)

    def then(self, component: str) -> Version:
        """The version of a component as it shall be."""
        return self._version(self.to, component)

    def is_moved(self, component: str) -> bool:
        """Whether a component is made of what is wished."""
        return self.at[component] == self.to and component not in self.differing | self.emulating

    def is_known(self, component: str) -> bool:
        """Whether there is such a component in what is wished."""
        return self.packages[self.to].component(component) is not None

    def comes_or_goes(self, component: str) -> bool:
        """Whether a hosted operator is only in one of what it is made of and what is wished."""
        return self.is_known(component) != (self.packages[self.at[component]].component(component) is not None)

    def with_moved(self, component: str) -> Stand:
        """The same, once a component moved."""
        done = {component}
        return replace(
            self,
            at={**self.at, component: self.to},
            differing=self.differing - done,
            emulating=self.emulating - done,
        )

    def _version(self, package: str, component: str) -> Version:
        found = self.packages[package].component(component)
        if found is None:
            raise LookupError(f"package version {package} has no component {component}")
        return version_of(found.version)


def _is_newer(version: Version, then: Version) -> bool:
    return version.minors_above(then) > 0


def _is_older(version: Version, then: Version) -> bool:
    return version.minors_above(then) < 0


def _is_far(version: Version, then: Version) -> bool:
    return abs(version.minors_above(then)) > 1


# By component that moves: beside what of another one it must not run.
_SKEWS: Mapping[str, tuple[tuple[str, Callable[[Version, Version], bool]], ...]] = {
    ETCD: ((ETCD, _is_far),),
    API_SERVER: ((API_SERVER, _is_far), *((each, _is_newer) for each in CONTROLLERS)),
    **dict.fromkeys(CONTROLLERS, ((API_SERVER, _is_older),)),
}


def next_move(stand: Stand) -> str:
    """The component that moves next; empty when all are where they shall be, or nothing may move."""
    waiting = [component for component in _order(stand) if not stand.is_moved(component)]
    return next((component for component in waiting if _may_move(stand, component)), "")


def remaining(stand: Stand) -> tuple[str, ...]:
    """All components that will move, in their order."""
    moves: list[str] = []
    while move := next_move(stand):
        moves.append(move)
        stand = stand.with_moved(move)
    return tuple(moves)


def refusal(stand: Stand, kubelets: Iterable[str] = ()) -> str:
    """Why the wish cannot be followed at all, and what to do; empty when it can.

    Kubelets forbid another minor version of API servers, and nothing else.
    """
    for component in (API_SERVER, ETCD):
        now, then = stand.now(component), stand.then(component)
        if abs(then.minors_above(now)) > 1:
            return _too_far(component, now, then)
    why = _etcd(stand.now(ETCD), stand.then(ETCD))
    return why or (_kubelets(stand, kubelets) if changes_minor(stand) else "")


def changes_minor(stand: Stand) -> bool:
    """Whether API servers come to another minor version."""
    return stand.then(API_SERVER).minors_above(stand.now(API_SERVER)) != 0


def held_by_pods(stand: Stand, component: str) -> str:
    """What still runs, whatever was declared since, that forbids a component's move now; empty: nothing does."""
    then = stand.then(component) if stand.is_known(component) else None
    if then is None:
        return ""
    for each, is_wrong in _SKEWS.get(component, ()):
        for version in sorted(stand.runs.get(each, ())):
            if is_wrong(version, then):
                return f"{each} {version} still runs, and {component} {then} must not run beside it"
    return ""


def _etcd(now: Version, then: Version) -> str:
    """Between two minors of etcd there is one door, and it is not open from everywhere."""
    older, newer = sorted((now, then))
    if older.line == newer.line:
        return ""
    if then < now and newer < _BACK_FROM:
        return (
            f"etcd {now.line} writes data that {then.line} may not read, and cannot write it anew for it; declare a"
            f" package version with {now.line}"
        )
    least = _NEIGHBOURS.get(newer.line)
    if least is None or older >= least:
        return ""
    to = "moves to" if then > now else "goes back to"
    return (
        f"etcd {now} {to} {then} only by way of {least} or a newer one of {least.line}, for older ones lose members;"
        f" declare a package version with etcd {least} or newer"
    )


def _too_far(component: str, now: Version, then: Version) -> str:
    step = 1 if then > now else -1
    path = " -> ".join(f"{now.major}.{minor}" for minor in range(now.minor, then.minor + step, step))
    if now.major != then.major:
        return f"{component} cannot move from {now.line} to {then.line}: another major version"
    return (
        f"{component} moves one minor version at a time, in either direction: {path}; declare a package version of"
        f" {now.major}.{now.minor + step} first"
    )


def _kubelets(stand: Stand, kubelets: Iterable[str]) -> str:
    then = stand.then(API_SERVER)
    found = legible(kubelets)
    if not found:
        return ""
    oldest, newest = found[0], found[-1]
    if newest.minors_above(then) > 0:
        return f"there are kubelets of {newest.line}, which must not be newer than the API server; move them back first"
    if then.minors_above(oldest) > _OLDEST_KUBELET:
        return (
            f"there are kubelets of {oldest.line}, more than {_OLDEST_KUBELET} minor versions behind {then.line}; move"
            " them on first"
        )
    return ""


def _order(stand: Stand) -> tuple[str, ...]:
    """Upwards the servers come first, downwards their clients; what the package version says beside counts too.

    Servers that go down a patch to a minor that clients have yet to come up to, as when another wish comes in the
    middle of a move, come first: a client must not be newer than what still runs of them.
    """
    clients = [(stand.then(each), stand.now(each)) for each in CONTROLLERS]
    is_down = any(then < now for then, now in clients) or (
        stand.then(API_SERVER) < stand.now(API_SERVER) and not any(then.minors_above(now) > 0 for then, now in clients)
    )
    spec = stand.packages[stand.to]
    return downwards(spec, stand.at) if is_down else upwards(spec, stand.at)


def _may_move(stand: Stand, component: str) -> bool:
    if component == API_SERVER:
        return all(stand.now(each).minors_above(stand.then(API_SERVER)) <= 0 for each in CONTROLLERS)
    if component in CONTROLLERS:
        return stand.then(component).minors_above(stand.now(API_SERVER)) <= 0
    return True
