"""One API server is tried before those that clients meet move to what it is made of. Pure.

Kubelets find an API server ready when it says so itself, and a Deployment replaces one replica after the other by that
word. What it does not tell of, clients would meet at once: an argument that breaks authentication, reads or writes. So
one is started beside the others first that nobody is sent to, and is asked what a client asks: TLS, authentication, a
read, a write, and the watch event of that. Only when it has answered does the Deployment move. Until then nothing that
serves has changed, and the way back is to let the one go that was tried.

Nothing is tried where nothing is at stake: on the way back to what all masters were of before, and while no client is
served. A package version whose checks after a move of its API server leave out the endpoint asks for no trial either.

Nothing is remembered: the Deployment of the trial says what is tried, and since when.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from homeostat.api.cluster.masters import API_SERVER
from homeostat.api.core import DEPLOYMENT
from homeostat.api.pods import Pod
from homeostat.operators.cluster import desired
from homeostat.operators.cluster.actions import CheckServers, EndTrial, Step, TrialAction
from homeostat.operators.cluster.components import pods_of, serves
from homeostat.operators.cluster.healing.servers import server_of
from homeostat.operators.cluster.manifests.shape import Desired
from homeostat.operators.cluster.names import TRIAL
from homeostat.operators.cluster.observe import Live, Observed, Workload
from homeostat.operators.cluster.rollout.excuses import allowed
from homeostat.operators.cluster.rollout.hosts import away
from homeostat.operators.cluster.rollout.standing import Made, Wish, is_retreat, made
from homeostat.operators.cluster.troubles import why_unready

_AGAIN = timedelta(seconds=5)


class Tried(Struct, frozen=True):
    """A trial that has not succeeded, or not yet."""

    message: str
    is_over: bool = False  # it had its time
    needs: tuple[TrialAction, ...] = ()


def is_called_for(seen: Observed, part: Made) -> bool:
    """Whether an API server of this is tried before others of the kind serve."""
    component = seen.packages[part.package].spec.component(API_SERVER)
    checks = component.checks if component is not None else None
    is_asked_for = checks is None or "Endpoint" in checks.after
    return is_asked_for and not is_retreat(seen.cluster, part.emulates) and serves(seen, API_SERVER)


def unproven(seen: Observed, part: Made, now: datetime) -> Tried | None:
    """What is still to be done or waited for; None: it answered as clients want it to."""
    wanted = desired.trial(seen, part)
    if wanted is None:
        return Tried("it waits for its certificates")
    live = seen.live.get(wanted.object)
    if live is not None and (live.deleting or live.mark != wanted.mark):
        return Tried("one that was tried before goes first", needs=ended(seen))
    if applying := desired.changed(seen, (wanted,)):
        return Tried("it is started", needs=applying)
    return _answer(seen, wanted, now)


def outlived(seen: Observed, going: Step) -> tuple[EndTrial, ...]:
    """What is left of a trial, of a wish that changed or of a component that has moved."""
    live = _live(seen)
    if live is None or going.to not in seen.packages:
        return ()
    part = Wish(going.to, going.overrides).part(API_SERVER, going.emulates)
    is_to_move = made(seen.cluster, seen.packages)[API_SERVER] != part and not is_retreat(seen.cluster, part.emulates)
    wanted = desired.trial(seen, part) if is_to_move else None
    is_wanted = is_to_move and (wanted is None or wanted.mark == live.mark)
    return () if is_wanted else ended(seen)


def ended(seen: Observed) -> tuple[EndTrial, ...]:
    """Nothing is tried any more, whatever was."""
    live = _live(seen)
    return () if live is None or live.deleting else (EndTrial(seen.names.trial, live.uid),)


def _answer(seen: Observed, wanted: Desired, now: datetime) -> Tried | None:
    workload = seen.workloads[wanted.name]
    pods = [pod for pod in pods_of(seen, TRIAL) if pod.metadata.name.startswith(f"{wanted.name}-")]
    why = why_unready(workload, 1, pods)
    if why is not None and (host := away(seen, TRIAL)):
        return Tried(f"host {host} is away, and its time stands")
    is_over = now - _began(seen, workload, pods, now) > allowed(seen, why.reason if why is not None else "")
    if why is not None:
        return Tried(why.message, is_over)
    pod = max(pods, key=lambda each: each.is_ready)
    told = seen.servers.get(pod.metadata.uid)
    if told is None:
        return Tried("it is asked", needs=_question(pod))
    failure = told.failure or told.refused
    if not failure:
        return None
    return Tried(failure, is_over, _question(pod) if now >= told.at + _AGAIN else ())


def _began(seen: Observed, workload: Workload, pods: list[Pod], now: datetime) -> datetime:
    """Since when it has had its time.

    While masters beside it were not well, it could not become ready, and one that is made elsewhere begins anew.
    """
    born = (each.metadata.creation_timestamp for each in (workload, *pods))
    return max((*(at for at in born if at is not None), seen.ready_since or now), default=now)


def _question(pod: Pod) -> tuple[CheckServers, ...]:
    return (CheckServers((server_of(pod),)),)


def _live(seen: Observed) -> Live | None:
    return seen.live.get((DEPLOYMENT.resource.kind, seen.names.trial))
