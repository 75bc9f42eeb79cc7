"""What masters go through when another topology or another package version is declared."""

from __future__ import annotations

from homeostat.operators.cluster import words
from homeostat.operators.cluster.wording import Table, Word

_QUEUED = Word(
    words.QUEUED,
    "Masters of as many clusters of the cell are made anew at once as may; this one waits for its turn, also when it"
    " goes on after a pause.",
    "Wait; `homeostat run cell --max-rolling` says how many.",
)

TABLES = (
    Table(
        "Scaled: there are as many masters as the declared topology asks for",
        (
            Word(words.AS_DECLARED, "There are.", "Nothing to do."),
            Word(words.SCALING, "Masters come or go, one after the other.", "Wait; the message names what is awaited."),
            _QUEUED,
            Word(
                words.TOO_FEW_ZONES,
                "The cell has hosts that take Pods in fewer than three zones.",
                "Add or mend hosts (label `topology.kubernetes.io/zone`), or set spec.topology back.",
            ),
            Word(
                words.AWAITING_HEALTH,
                "The topology changes when the masters that the message names are well, or a move of the package"
                " version is over.",
                "Wait; if it lasts, look at the conditions of the masters and at UpToDate.",
            ),
            Word(
                words.REPLACING_MEMBER,
                "The topology changes when a dead member of etcd was replaced.",
                "Wait; look at EtcdReady.",
            ),
            Word(
                words.QUORUM_AT_RISK,
                "A member of etcd is to leave, and those that would remain are not all well.",
                "Mend the hosts of the members that the message names, or set spec.topology back.",
            ),
            *(
                Word(lost, "etcd has lost its quorum: the topology changes when it was restored.", "Look at EtcdReady.")
                for lost in (words.QUORUM_LOST, words.RESTORING, words.RESTORE_REFUSED)
            ),
            Word(
                words.ETCD_CORRUPT,
                "Members of etcd have different data: the topology changes when they agree again.",
                "Look at EtcdReady.",
            ),
            Word(
                words.NAME_CONFLICT,
                "A member of etcd is to join, and a volume of its name is there that another Cluster left. It is not"
                " touched.",
                "Remove that volume, or set spec.topology back.",
            ),
            Word(
                words.ETCD_UNREACHABLE,
                "A member of etcd comes or goes, and etcd cannot be asked.",
                "Look at the network between the operator and the masters.",
            ),
            Word(words.PAUSED, "spec.paused is true.", "Set it to false to go on."),
            Word(words.NOT_CREATED, "The declaration is not followed.", "Look at the condition Accepted."),
        ),
    ),
    Table(
        "UpToDate: all masters are made of the declared package version, with the declared overrides",
        (
            Word(words.AS_DECLARED, "They are.", "Nothing to do."),
            Word(words.UPGRADING, "Masters move to what is declared, one after the other.", "Wait."),
            Word(
                words.ENDING_EMULATION,
                "All masters are of the declared package version, and begin to serve its minor version.",
                "Wait; `spec.upgradePolicy.finishEmulation` says when that begins.",
            ),
            _QUEUED,
            Word(
                words.AWAITING_HEALTH,
                "The next master moves when those that the message names are well, or when an API server that is tried"
                " beside the others has answered.",
                "Wait; if it lasts, look at the conditions of the masters.",
            ),
            Word(
                words.AWAITING_SNAPSHOT,
                "A snapshot of etcd is taken before the first master moves to another package version.",
                "Wait; spec.upgradePolicy.snapshot says whether one is required.",
            ),
            Word(
                words.UPGRADE_UNSECURED,
                "The snapshot that is required before anything moves could not be taken. It is tried again.",
                "Mend what the message names, then `homeostat backup cluster`; or declare spec.upgradePolicy.snapshot:"
                " BestEffort to move without one.",
            ),
            Word(
                words.UPGRADE_FAILED,
                "A master did not become ready after its move, or an API server that was tried before it was of no use"
                " to clients. Everything is left as it is.",
                "Set spec.packageVersion, or spec.overrides, back or to what works; that helps also when no API server"
                " answers any more. `spec.upgradePolicy.onFailure: Rollback` does the former by itself.",
            ),
            Word(words.ROLLING_BACK, "Masters move back to what was complete before.", "Wait."),
            Word(
                words.ROLLED_BACK,
                "What is declared failed; the masters went back to what was complete before. It is not tried again.",
                "Find out why from the message; declare another package version, or other overrides. Once it is mended,"
                " `homeostat upgrade` has the same tried again (it raises spec.upgradePolicy.attempt).",
            ),
            Word(words.PAUSED, "spec.paused is true.", "Set it to false to go on."),
            Word(
                words.PACKAGE_NOT_FOUND,
                "There is no ClusterPackageVersion of the declared name.",
                "Create it, or name one.",
            ),
            Word(words.PACKAGE_CHANGED, "See Accepted.", "Make the package version as it was, or approve it."),
            Word(words.UPGRADE_REFUSED, "See Accepted.", "Declare the version that the message names."),
            Word(words.OVERRIDE_REFUSED, "See Accepted.", "Change the field that is named."),
            Word(words.NOT_CREATED, "The declaration is not followed.", "Look at the condition Accepted."),
        ),
    ),
)
