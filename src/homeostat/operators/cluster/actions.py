"""What the operator can do to a cluster, as data: to show, to review, to run, to test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from homeostat.api.cluster.certificates import ClusterRotationStatus
from homeostat.api.cluster.healing import MasterRestartStatus, MemberReplacementStatus
from homeostat.api.cluster.scaling import ClusterTopologyStatus
from homeostat.api.kind import Kind
from homeostat.operators.cluster.hosting.actions import HostingAction
from homeostat.operators.cluster.manifests.shape import Desired
from homeostat.operators.cluster.overrides import Overrides
from homeostat.operators.cluster.pki.leaves import Leaf
from homeostat.operators.cluster.ports import Refusal
from homeostat.operators.cluster.restore.actions import RestoreAction, Restoring
from homeostat.operators.cluster.upkeep.actions import UpkeepAction
from homeostat.runtime.outcome import Done, Progress


class AddFinalizer(Struct, frozen=True, tag=True):
    """Make sure that nothing is left behind when the Cluster is deleted."""


class IssueAuthority(Struct, frozen=True, tag=True):
    """Make the authorities of a new cluster, once."""


class IssueLeaf(Struct, frozen=True, tag=True):
    """Make, or make anew, one Secret of certificates."""

    leaf: Leaf
    because: str
    renews: bool = False  # nothing is wrong with the one there is, but its time


class Apply(Struct, frozen=True, tag=True):
    """Put derived objects into their declared state, all at once: none depends on another."""

    objects: tuple[Desired, ...]


class Keep(Struct, frozen=True, tag=True):
    """Take workloads as they are, for another release of homeostat made them for the same. Nothing is written."""

    objects: tuple[Desired, ...]


class ProbeEndpoint(Struct, frozen=True, tag=True):
    """Read through the endpoint as a client does."""


class AskKubelets(Struct, frozen=True, tag=True):
    """Ask the business cluster which versions its kubelets are."""


class Remove(Struct, frozen=True, tag=True):
    """Destructive: delete one derived object, by uid. Only ever planned for a Cluster that is being deleted.

    With the name of a host that is away, a Pod there, as long as it is away; nobody waits for its kubelet then.
    """

    kind: Kind[Any]
    name: str
    uid: str
    away: str = ""


class RemoveFinalizer(Struct, frozen=True, tag=True):
    """Let the Cluster go: nothing of it is left."""


class AskEtcd(Struct, frozen=True, tag=True):
    """Ask etcd and each of its members how they are."""


class RemoveMember(Struct, frozen=True, tag=True):
    """Destructive: let the other members forget a dead one, for ever. Looked at again right before.

    A corrupt one is not dead: it runs, with data that all others agree against.
    """

    member: str
    id: int
    corrupt: bool = False


class AddMember(Struct, frozen=True, tag=True):
    """Let a learner take the place of a member that was removed."""

    member: str


class PromoteMember(Struct, frozen=True, tag=True):
    """Give a learner that has caught up its vote."""

    member: str
    id: int


class MoveLeader(Struct, frozen=True, tag=True):
    """Let another member of etcd lead, before the one that leads is restarted or removed."""

    member: str
    id: int


class RetireMember(Struct, frozen=True, tag=True):
    """Destructive: let the other members forget one that is well, for ever, because fewer are declared.

    Looked at again right before.
    """

    member: str
    id: int


class Discard(Struct, frozen=True, tag=True):
    """Destructive: delete the volume claim or the Pod of a member that was removed or left, by uid.

    With force, nobody waits for the kubelet of a host that is gone: the member can do no harm any more.
    """

    kind: Kind[Any]
    name: str
    uid: str
    force: bool = False


class Server(Struct, frozen=True):
    """One API server's Pod, and where it is reached."""

    pod: str
    uid: str
    address: str


class CheckServers(Struct, frozen=True, tag=True):
    """Read, write and watch at single API servers, past the endpoint."""

    servers: tuple[Server, ...]


class EndTrial(Struct, frozen=True, tag=True):
    """Delete the Deployment of an API server that was tried, by uid; it serves nobody."""

    name: str
    uid: str


class Isolate(Struct, frozen=True, tag=True):
    """Take an API server out of the endpoint, or put it back; it runs on either way."""

    pod: str
    uid: str
    out: bool


class RestartMaster(Struct, frozen=True, tag=True):
    """Destructive: delete the Pod of a stateless master, for another to take its place. Looked at again right before.

    `server`: an API server, which must fail a last check; `is_hung`: although its kubelet finds it well.
    """

    component: str
    pod: str
    uid: str
    reason: str
    server: Server | None = None
    is_hung: bool = False


class LetGo(Struct, frozen=True, tag=True):
    """Destructive: forget a Pod that is being deleted on a host that is away. What still runs there serves nobody.

    An API server is in no endpoint and keeps no data, and etcd orders what it writes; of controllers only the holder of
    the Lease acts, and another one has taken it. Looked at again right before.
    """

    pod: str
    uid: str
    host: str


TrialAction = Apply | CheckServers | EndTrial


class Wait(Struct, frozen=True):
    """Look again at a time, also when nothing changes."""

    until: datetime
    reason: str


def soonest(waits: Iterable[Wait | None]) -> Wait | None:
    """The wait that is over first; None when there is none."""
    return min((wait for wait in waits if wait is not None), key=lambda wait: wait.until, default=None)


class Verdict(Struct, frozen=True):
    """Why the declaration is not followed, or not all of it: a reason of words.py and a sentence."""

    reason: str
    message: str


class Step(Struct, frozen=True):
    """What is told and done about the package version and what differs from it."""

    to: str  # the package version that the masters go to, or are of
    verdict: Verdict | None = None  # why they are not there, or not where they were declared; None: they are
    moves: tuple[str, ...] = ()  # components that begin to move: told first, made at the next look
    probes: bool = False  # a read through the endpoint is wanted before anything else
    asks_kubelets: bool = False  # their versions are wanted before anything else
    needs: tuple[UpkeepAction | TrialAction, ...] = ()  # what is asked or done before anything else
    failed: Verdict | None = None  # the wish failed just now
    stands: bool = False  # the time of what moved last does: it is well, or waits for a host that is away
    overrides: Overrides = {}  # what will differ, or differs, from that package version
    emulates: str = ""  # the older minor version that masters will behave as, or do
    ends_emulation: bool = False  # what moves, or failed, is the end of that
    goes_on: bool = False  # all is there, and the next move begins at the next look


class Heal(Struct, frozen=True):
    """What is told and done about masters that broke."""

    verdict: Verdict | None = None  # what is being done, or why not; None: nothing is wrong for long
    actions: tuple[Action, ...] = ()
    begins: MemberReplacementStatus | None = None  # told first, done at the next look
    ends: bool = False  # the replacement that was told of is over
    wait: Wait | None = None


class Mend(Struct, frozen=True):
    """What is told and done about API servers and controllers that fell ill."""

    verdicts: Mapping[str, Verdict] = {}  # by component
    actions: tuple[Action, ...] = ()
    restarts: tuple[MasterRestartStatus, ...] | None = None  # what is told from now on; None: as before
    wait: Wait | None = None


class ChangeKeys(Struct, frozen=True, tag=True):
    """Change the Secret of authorities in a rotation: add new keys, make them the only ones, or discard them."""

    keys: str
    how: Literal["add", "promote", "discard"]


class RewriteSecrets(Struct, frozen=True, tag=True):
    """Have some more Secrets of the business cluster written anew, so that they are encrypted with the new key."""


Action = (
    AddFinalizer
    | IssueAuthority
    | IssueLeaf
    | Apply
    | Keep
    | ProbeEndpoint
    | AskKubelets
    | Remove
    | RemoveFinalizer
    | AskEtcd
    | RemoveMember
    | AddMember
    | PromoteMember
    | MoveLeader
    | RetireMember
    | Discard
    | CheckServers
    | EndTrial
    | Isolate
    | RestartMaster
    | LetGo
    | ChangeKeys
    | RewriteSecrets
    | HostingAction
    | RestoreAction
    | UpkeepAction
)


class Turn(Struct, frozen=True):
    """What is done about keys, certificates and the audit log of masters that are made as declared."""

    actions: tuple[Action, ...] = ()
    probes: bool = False  # a read through the endpoint is wanted before anything else
    wait: Wait | None = None
    rotation: ClusterRotationStatus | None = None  # begins, or comes to this stage: told first, done at the next look
    ends: bool = False  # the rotation that was told of is over
    audits: str = ""  # the level of the audit log that API servers are made with from the next look on
    rolls: bool = False  # a renewal that makes masters anew begins: told first, done at the next look
    queued: bool = False  # something of it waits for a place in the cell
    rests: bool = False  # the cluster is at rest, and none of this makes a master anew
    verdict: Verdict | None = None  # what is told of a rotation
    awaits: str = ""  # what the level of the audit log that is declared waits for


class Care(Struct, frozen=True):
    """What is told and done about the stores of etcd."""

    verdict: Verdict | None = None  # what is wrong with them; None: nothing, or nothing is known
    is_broken: bool = False  # nothing can be written for it
    actions: tuple[Action, ...] = ()
    wait: Wait | None = None


class Scale(Struct, frozen=True):
    """What is told and done about the topology."""

    verdict: Verdict | None = None  # what is being done, or why not; None: it is as declared
    actions: tuple[Action, ...] = ()
    becomes: ClusterTopologyStatus | None = None  # told first, done at the next look; None: as it was
    wait: Wait | None = None


class Plan(Struct, frozen=True):
    """What will be done now, in order."""

    actions: tuple[Action, ...] = ()
    wait: Wait | None = None
    stop: str | None = None
    verdict: Verdict | None = None  # what the condition Accepted says; None: as declared
    step: Step | None = None  # None: the package version was not looked at
    heal: Heal = Heal()
    mend: Mend = Mend()
    turn: Turn = Turn()
    restore: Restoring = Restoring()
    care: Care = Care()
    scale: Scale | None = None  # None: the topology was not looked at
    pki: Verdict | None = None  # what the condition PKIReady says beyond ready or not
    due: Wait | None = None  # the first that is to be done beside asking API servers and etcd; None: it has no time


class Wrote(Done, frozen=True):
    """Derived objects were written: the cluster is not looked at again before the caches show it."""

    versions: tuple[tuple[str, str], ...] = ()  # kind and resourceVersion


class Applied(Wrote, frozen=True, kw_only=True):
    """Objects are as declared; some had been deleted or edited by others."""

    put_back: tuple[str, ...] = ()  # kind and name


class Probed(Done, frozen=True):
    """The endpoint answered."""

    version: str = ""
    refused: Refusal | None = None  # of the write


class ProbeFailed(Progress, frozen=True):
    """The endpoint did not answer; it is asked again soon."""


class Refused(Progress, frozen=True):
    """The cell does not take some objects as they are declared; all others were written, and the rest goes on."""

    versions: tuple[tuple[str, str], ...] = ()  # kind and resourceVersion of those
    put_back: tuple[str, ...] = ()  # kind and name of those
    is_forbidden: bool = False


class Conflicted(Progress, frozen=True):
    """A foreign object bears a name that we need; nobody tells us when it goes, so we look now and then."""

    versions: tuple[tuple[str, str], ...] = ()  # kind and resourceVersion of all others, which were written
