"""The masters: whether they run, which of them is ill, and how the stores of etcd are."""

from __future__ import annotations

from homeostat.operators.cluster import words
from homeostat.operators.cluster.wording import Table, Word

TABLES = (
    Table(
        "EtcdReady, APIServerReady, ControllersReady: the masters run",
        (
            Word(words.COMPONENTS_READY, "All replicas are ready.", "Nothing to do."),
            Word(words.NOT_CREATED, "Waits for what it depends on.", "Look at the conditions before it."),
            Word(
                words.RIGHTS_REFUSED,
                "A hosted operator could not be given its rights in the business cluster.",
                "The message says why; a namespace that its package version names must exist. It is tried again.",
            ),
            Word(words.PROGRESSING, "Pods are starting or being replaced.", "Wait."),
            Word(
                words.IMAGE_UNAVAILABLE,
                "An image cannot be had on the host that is named.",
                "Load or push the image, or use another package version.",
            ),
            Word(
                words.POD_REFUSED,
                "The cell's API server does not let the Pod be made.",
                "Read the message; look at quotas and admission policies of the namespace.",
            ),
            Word(
                words.UNSCHEDULABLE,
                "No host of the cell takes the Pod.",
                "Read the message; add room or mend the hosts.",
            ),
            Word(
                words.CRASHING,
                "The container ends again and again.",
                "Read the log of the Pod that is named: `kubectl logs --previous POD`.",
            ),
        ),
    ),
    Table(
        "EtcdReady, of a cluster with three members: one is dead for long",
        (
            Word(
                words.MEMBER_UNREADY,
                "A member's Pod is not ready for long, but etcd says that the member is well, or is being asked, or a"
                " move of the package version brought it there.",
                "Look at the Pod that is named, and at UpToDate where it moved.",
            ),
            Word(
                words.REPLACING_MEMBER,
                "A dead member gives way to a new one with an empty volume, which fills it from the others.",
                "Wait; what was wrong with the old one stands in status.healing.",
            ),
            Word(
                words.QUORUM_AT_RISK,
                "A member is dead, and the others are not all well: touching the members could cost the data.",
                "Mend the hosts of the members that the message names.",
            ),
            Word(
                words.ETCD_UNREACHABLE,
                "A member is not ready, and etcd cannot be asked about it.",
                "Look at the network between the operator and the masters.",
            ),
            Word(
                words.NO_ROOM,
                "A member is dead, and no host takes a new one in a zone of its own.",
                "Add hosts, or mend those of the zone.",
            ),
            Word(
                words.QUORUM_LOST,
                "Too few members of etcd are left for a quorum. Only their return, or a restore from a snapshot, helps;"
                " the message says what a restore would lose.",
                "Mend the hosts of the members; if they are lost, set spec.healing.approveRestore to the snapshot that"
                " the message names. What stood there before the loss was told does not count: clear it first.",
            ),
            Word(
                words.RESTORING,
                "The data of etcd comes from a snapshot: of a new Cluster, or after an approval.",
                "Wait; status.restore says how far it is.",
            ),
            Word(
                words.RESTORE_REFUSED,
                "The restore that was approved cannot begin, and nothing was touched.",
                "Read the message; approve another snapshot, or mend what is wrong.",
            ),
        ),
    ),
    Table(
        "APIServerReady, ControllersReady: a master is ill",
        (
            Word(
                words.UNRESPONSIVE,
                "An API server does not answer past the endpoint: a read, a write, or the write coming back by a watch"
                " fails. When another one does answer, this one is out of the endpoint.",
                "Wait: it is restarted when it stays so. Read its log.",
            ),
            Word(
                words.RESTARTING_MASTER,
                "A master that was ill by two signals gives way to another Pod, or the other Pod is awaited.",
                "Wait; what was wrong, and how often, stands in status.healing.restarts.",
            ),
            Word(
                words.HANDED_OVER,
                "Several restarts, also on other hosts, did not help, so nothing is tried any more.",
                "Read the logs of the Pod that is named. When the component is well again, healing goes on by itself.",
            ),
        ),
    ),
    Table(
        "EtcdReady, APIServerReady, ControllersReady: a master is ill, and nothing is done about it now",
        (
            Word(words.HEALING_PAUSED, "spec.healing.paused is true.", "Set it to false to heal it."),
            Word(
                words.HEALING_FROZEN,
                "At least three clusters, and more than a fifth of the cell's, fell sick within some minutes, so that"
                " their masters are hardly the cause; or the cell's API server is slow. No master is restarted or"
                " replaced; a silent API server is still kept from clients while another one answers, but not by the"
                " word of a slow cell.",
                "Look at the cell: its hosts, its network, its API server. Healing goes on, one master a minute at"
                " first, when fewer are sick, after six hours in any case, or when the API server was quick for a calm"
                " minute. Set spec.healing.paused on clusters that you mend yourself: they are counted no more"
                " (docs/howto/clusters.md).",
            ),
            Word(
                words.HEALING_BUDGET_SPENT,
                "As many masters were replaced or restarted in the cell within ten minutes as may be, or a freeze ended"
                " a moment ago.",
                "Wait, and find out what breaks them.",
            ),
            Word(
                words.HEALING_BACKED_OFF,
                "The last try was not long ago; each makes the next one wait longer.",
                "Find out what breaks it.",
            ),
        ),
    ),
    Table(
        "EtcdReady: the stores of etcd",
        (
            Word(
                words.ETCD_NEAR_QUOTA,
                "A store of etcd has four fifths of its quota or more. The condition is still true; members with free"
                " room inside are defragmented.",
                "Delete what is not needed, or raise `quota-backend-bytes` of etcd by spec.overrides.",
            ),
            Word(
                words.ETCD_NO_SPACE,
                "Etcd was full and takes no more writes, until the operator has compacted and defragmented it and"
                " every member has room again.",
                "Wait a minute. If it lasts, data itself needs more than the quota: delete objects (deletions are"
                " still taken), or raise `quota-backend-bytes` of etcd by spec.overrides.",
            ),
            Word(
                words.ETCD_CORRUPT,
                "Members of etcd have different data, or etcd raised the alarm CORRUPT and takes no writes."
                " One member of three that the two others agree against is replaced. Where nobody can say who is right,"
                " the message says what a restore would lose, and nothing is done before one is approved.",
                "Where the message names no single member: set spec.healing.approveRestore to the snapshot that it"
                " names (docs/howto/etcd.md).",
            ),
        ),
    ),
    Table(
        "`homeostat_healing_restarts`: what was wrong with masters that were restarted",
        (
            Word(
                words.UNREADY,
                "A master was not ready for long, and did not answer, or lead, either.",
                "Read the log of its Pod.",
            ),
            Word(
                words.UNRESPONSIVE,
                "An API server was ready, but did not answer past the endpoint.",
                "Read the log of its Pod.",
            ),
            Word(
                words.NOT_LEADING,
                "A controller manager or scheduler was ready and the leader, but no longer renewed its Lease.",
                "Read the log of its Pod.",
            ),
        ),
    ),
)
