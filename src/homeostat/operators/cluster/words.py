"""Every condition, reason and event of a Cluster, with its meaning and remedy; the reference page is made from this."""

from __future__ import annotations

from homeostat.operators.cluster.wording import Table, Word

ACCEPTED, PKI_READY, ENDPOINT_ASSIGNED = "Accepted", "PKIReady", "EndpointAssigned"
ETCD_READY, API_SERVER_READY, CONTROLLERS_READY = "EtcdReady", "APIServerReady", "ControllersReady"
SCALED, UP_TO_DATE, AVAILABLE, READY = "Scaled", "UpToDate", "Available", "Ready"
CONDITIONS = (
    *(ACCEPTED, PKI_READY, ENDPOINT_ASSIGNED),
    *(ETCD_READY, API_SERVER_READY, CONTROLLERS_READY),
    *(SCALED, UP_TO_DATE, AVAILABLE, READY),
)

AS_DECLARED = "AsDeclared"
INVALID_SPEC = "InvalidSpec"
ADDRESS_TAKEN = "AddressTaken"
TOO_FEW_ZONES = "TooFewZones"
PACKAGE_NOT_FOUND = "PackageVersionNotFound"
UPGRADE_REFUSED = "UpgradeRefused"
OVERRIDE_REFUSED = "OverrideRefused"
UPGRADING = "Upgrading"
AWAITING_HEALTH = "AwaitingHealth"
QUEUED = "Queued"
AWAITING_SNAPSHOT, UPGRADE_UNSECURED = "AwaitingSnapshot", "UpgradeUnsecured"
UPGRADE_FAILED = "UpgradeFailed"
ROLLING_BACK = "RollingBack"
ROLLED_BACK = "RolledBack"
UPGRADED = "Upgraded"
ENDING_EMULATION, EMULATION_ENDED = "EndingEmulation", "EmulationEnded"
PAUSED = "Paused"
DELETING = "Deleting"
DELETION_PROTECTED = "DeletionProtected"
AUTHORITY_DAMAGED = "AuthorityDamaged"
AUTHORITY_LOST = "AuthorityLost"
ISSUING = "Issuing"
WAITING_FOR_ADDRESS = "WaitingForAddress"
ASSIGNED = "Assigned"
NAME_CONFLICT = "NameConflict"
API_REFUSED = "APIRefused"
FORBIDDEN = "Forbidden"
NOT_CREATED = "NotCreated"
PROGRESSING = "Progressing"
IMAGE_UNAVAILABLE = "ImageUnavailable"
UNSCHEDULABLE = "Unschedulable"
CRASHING = "Crashing"
POD_REFUSED = "PodRefused"
COMPONENTS_READY = "Ready"
ENDPOINT_UNREACHABLE = "EndpointUnreachable"
TOO_FEW_MASTERS = "TooFewMasters"
MEMBER_UNREADY, REPLACING_MEMBER, MEMBER_REPLACED = "MemberUnready", "ReplacingMember", "MemberReplaced"
QUORUM_AT_RISK, ETCD_UNREACHABLE, NO_ROOM = "QuorumAtRisk", "EtcdUnreachable", "NoRoom"
SCALING = "Scaling"
HEALING_PAUSED, HEALING_FROZEN = "HealingPaused", "HealingFrozen"
HEALING_BUDGET_SPENT, HEALING_BACKED_OFF = "HealingBudgetSpent", "HealingBackedOff"
UNREADY, UNRESPONSIVE, NOT_LEADING = "Unready", "Unresponsive", "NotLeading"
RESTARTING_MASTER, MASTER_RESTARTED, HANDED_OVER = "RestartingMaster", "MasterRestarted", "HandedOver"
ISOLATED, RESTORED, LET_GO = "Isolated", "Restored", "LetGo"
QUORUM_LOST, RESTORING, DATA_RESTORED, RESTORE_REFUSED = "QuorumLost", "Restoring", "DataRestored", "RestoreRefused"
ETCD_NEAR_QUOTA, ETCD_NO_SPACE, ETCD_CORRUPT = "EtcdNearQuota", "EtcdNoSpace", "EtcdCorrupt"
ETCD_COMPACTED, ETCD_DEFRAGMENTED = "EtcdCompacted", "EtcdDefragmented"
ETCD_CLEARED, ETCD_GOES_BACK = "EtcdAlarmCleared", "EtcdDowngrade"
SERVING = "Serving"
RENEWED, EXPIRING = "Renewed", "Expiring"
ROTATING, ROTATION_HELD, ROTATED = "Rotating", "RotationHeld", "Rotated"

CREATING, CREATED, REPAIRED, REMOVED, DELETED = "Creating", "Created", "Repaired", "Removed", "Deleted"

TABLES = (
    Table(
        "Accepted: the declaration can be followed",
        (
            Word(AS_DECLARED, "The declaration is followed.", "Nothing to do."),
            Word(
                INVALID_SPEC, "A field is wrong although the API server let it pass.", "Mend the field that is named."
            ),
            Word(ADDRESS_TAKEN, "Another Cluster asks for the same endpoint address.", "Choose another address."),
            Word(
                TOO_FEW_ZONES,
                "The cell has hosts that take Pods in fewer zones than the topology needs. No master was made yet, or"
                " those that run are left as they are.",
                "Add or mend hosts (label `topology.kubernetes.io/zone`), or declare the topology single.",
            ),
            Word(
                PACKAGE_NOT_FOUND,
                "There is no ClusterPackageVersion of that name. Masters that run already run on.",
                "Create it, or name one that `homeostat get packageversions` lists.",
            ),
            Word(
                UPGRADE_REFUSED,
                "The masters cannot go to the declared package version from where they are. They stay as they are.",
                "Declare the version that the message names.",
            ),
            Word(
                OVERRIDE_REFUSED,
                "spec.overrides names a flag or variable that homeostat owns, a component that the package version does"
                " not have, or limits below requests. Masters stay as they are, and are repaired so.",
                "Change the field that is named.",
            ),
            Word(
                RESTORE_REFUSED,
                "spec.restoreFrom names a snapshot that cannot be had, is damaged or of another cluster, or does not"
                " fit the package version. Nothing was made yet; it is looked at again every minute.",
                "Read the message; it says what to declare, or what to mend.",
            ),
            Word(
                PAUSED,
                "spec.paused is true: nothing of this cluster is touched, unless it is deleted.",
                "Set it to false to go on.",
            ),
            Word(
                QUEUED,
                "As many clusters are being created in the cell as may be at once; this one waits for its turn.",
                "Wait; `homeostat run cell --max-creating` says how many.",
            ),
            Word(DELETING, "The Cluster is being deleted, and its masters are removed in order.", "Wait."),
            Word(
                DELETION_PROTECTED,
                "The Cluster was deleted although spec.deletionProtection is true. Its masters run on.",
                "Set spec.deletionProtection to false to let the deletion go on; it cannot be taken back.",
            ),
            Word(
                NAME_CONFLICT,
                "An object that is not this Cluster's bears a name that it needs. It is not touched.",
                "Remove or rename that object, or give the Cluster another name.",
            ),
            Word(
                FORBIDDEN,
                "The cell's API server does not permit the operator what it must do.",
                "Apply deploy/operator.",
            ),
            Word(
                API_REFUSED,
                "The cell's API server refuses or fails; it is tried again.",
                "Read the message; look at the cell.",
            ),
        ),
    ),
    Table(
        "PKIReady: keys and certificates are whole",
        (
            Word(AS_DECLARED, "All keys and certificates are there and fit together.", "Nothing to do."),
            Word(ISSUING, "Keys and certificates are being made.", "Wait."),
            Word(ROTATING, "Keys are being replaced by new ones, with both known in between.", "Wait."),
            Word(
                ROTATION_HELD,
                "New keys are in use, and whoever still has what the old ones made is served too.",
                "When those that the message names are renewed, run `homeostat rotate cluster NAME --release`.",
            ),
            Word(
                EXPIRING,
                "A certificate runs out within two weeks, because nothing was renewed while the Cluster was paused,"
                " refused, or not well; or an authority itself comes to its end.",
                "Look at the other conditions, and at status.certificates.",
            ),
            Word(
                NOT_CREATED, "The declaration is not followed, so no keys are made.", "Look at the condition Accepted."
            ),
            Word(
                AUTHORITY_DAMAGED,
                "The Secret with the authorities' keys was changed to something unusable. Masters run on.",
                "Restore the Secret from a backup. It is never made anew: every client would be cut off.",
            ),
            Word(
                AUTHORITY_LOST,
                "The Secret with the authorities' keys is gone, or has lost its labels. Masters that run go on.",
                "Restore the Secret from a backup, or delete the Cluster.",
            ),
        ),
    ),
    Table(
        "EndpointAssigned: the cluster has its address",
        (
            Word(ASSIGNED, "The endpoint has an address, which stays for the life of the cluster.", "Nothing to do."),
            Word(
                WAITING_FOR_ADDRESS,
                "Nothing has given the Service of type LoadBalancer an address yet.",
                "Look at the cell's load balancer (locally: `homeostat logs balancer`).",
            ),
        ),
    ),
    Table(
        "EtcdReady, APIServerReady, ControllersReady: the masters run",
        (
            Word(COMPONENTS_READY, "All replicas are ready.", "Nothing to do."),
            Word(NOT_CREATED, "Waits for what it depends on.", "Look at the conditions before it."),
            Word(PROGRESSING, "Pods are starting or being replaced.", "Wait."),
            Word(
                IMAGE_UNAVAILABLE,
                "An image cannot be had on the host that is named.",
                "Load or push the image, or use another package version.",
            ),
            Word(
                POD_REFUSED,
                "The cell's API server does not let the Pod be made.",
                "Read the message; look at quotas and admission policies of the namespace.",
            ),
            Word(UNSCHEDULABLE, "No host of the cell takes the Pod.", "Read the message; add room or mend the hosts."),
            Word(
                CRASHING,
                "The container ends again and again.",
                "Read the log of the Pod that is named: `kubectl logs --previous POD`.",
            ),
        ),
    ),
    Table(
        "EtcdReady, of a cluster with three members: one is dead for long",
        (
            Word(
                MEMBER_UNREADY,
                "A member's Pod is not ready for long, but etcd says that the member is well, or is being asked.",
                "Look at the Pod that is named.",
            ),
            Word(
                REPLACING_MEMBER,
                "A dead member gives way to a new one with an empty volume, which fills it from the others.",
                "Wait; what was wrong with the old one stands in status.healing.",
            ),
            Word(
                QUORUM_AT_RISK,
                "A member is dead, and the others are not all well: touching the members could cost the data.",
                "Mend the hosts of the members that the message names.",
            ),
            Word(
                ETCD_UNREACHABLE,
                "A member is not ready, and etcd cannot be asked about it.",
                "Look at the network between the operator and the masters.",
            ),
            Word(
                NO_ROOM,
                "A member is dead, and no host takes a new one in a zone of its own.",
                "Add hosts, or mend those of the zone.",
            ),
            Word(
                QUORUM_LOST,
                "Too few members of etcd are left for a quorum. Only their return, or a restore from a snapshot, helps;"
                " the message says what a restore would lose.",
                "Mend the hosts of the members; if they are lost, set spec.healing.approveRestore to the snapshot that"
                " the message names.",
            ),
            Word(
                RESTORING,
                "The data of etcd comes from a snapshot: of a new Cluster, or after an approval.",
                "Wait; status.restore says how far it is.",
            ),
            Word(
                RESTORE_REFUSED,
                "The restore that was approved cannot begin, and nothing was touched.",
                "Read the message; approve another snapshot, or mend what is wrong.",
            ),
        ),
    ),
    Table(
        "APIServerReady, ControllersReady: a master is ill",
        (
            Word(
                UNRESPONSIVE,
                "An API server does not answer past the endpoint: a read, a write, or the write coming back by a watch"
                " fails. When another one does answer, this one is out of the endpoint.",
                "Wait: it is restarted when it stays so. Read its log.",
            ),
            Word(
                RESTARTING_MASTER,
                "A master that was ill by two signals gives way to another Pod, or the other Pod is awaited.",
                "Wait; what was wrong, and how often, stands in status.healing.restarts.",
            ),
            Word(
                HANDED_OVER,
                "Several restarts, also on other hosts, did not help, so nothing is tried any more.",
                "Read the logs of the Pod that is named. When the component is well again, healing goes on by itself.",
            ),
        ),
    ),
    Table(
        "EtcdReady, APIServerReady, ControllersReady: a master is ill, and nothing is done about it now",
        (
            Word(HEALING_PAUSED, "spec.healing.paused is true.", "Set it to false to heal it."),
            Word(
                HEALING_FROZEN,
                "So many clusters of the cell look sick at once that their masters are hardly the cause, or the cell's"
                " API server is slow.",
                "Look at the cell: its hosts, its network, its API server. Healing goes on by itself when that is over,"
                " one master a minute at first.",
            ),
            Word(
                HEALING_BUDGET_SPENT,
                "As many masters were replaced or restarted in the cell within ten minutes as may be, or a freeze ended"
                " a moment ago.",
                "Wait, and find out what breaks them.",
            ),
            Word(
                HEALING_BACKED_OFF,
                "The last try was not long ago; each makes the next one wait longer.",
                "Find out what breaks it.",
            ),
        ),
    ),
    Table(
        "EtcdReady: the stores of etcd",
        (
            Word(
                ETCD_NEAR_QUOTA,
                "A store of etcd has four fifths of its quota or more. The condition is still true; members with free"
                " room inside are defragmented.",
                "Delete what is not needed, or raise `quota-backend-bytes` of etcd by spec.overrides.",
            ),
            Word(
                ETCD_NO_SPACE,
                "Etcd was full and takes no more writes, until the operator has compacted and defragmented it and"
                " every member has room again.",
                "Wait a minute. If it lasts, data itself needs more than the quota: delete objects (deletions are"
                " still taken), or raise `quota-backend-bytes` of etcd by spec.overrides.",
            ),
            Word(
                ETCD_CORRUPT,
                "Members of etcd have different data, or etcd raised the alarm CORRUPT and takes no writes."
                " One member of three that the two others agree against is replaced; anything else is left to people.",
                "Where the message names no single member: restore the newest snapshot from before it.",
            ),
        ),
    ),
    Table(
        "Scaled: there are as many masters as the declared topology asks for",
        (
            Word(AS_DECLARED, "There are.", "Nothing to do."),
            Word(SCALING, "Masters come or go, one after the other.", "Wait; the message names what is awaited."),
            Word(
                TOO_FEW_ZONES,
                "The cell has hosts that take Pods in fewer than three zones.",
                "Add or mend hosts (label `topology.kubernetes.io/zone`), or set spec.topology back.",
            ),
            Word(
                AWAITING_HEALTH,
                "The topology changes when the masters that the message names are well, or a move of the package"
                " version is over.",
                "Wait; if it lasts, look at the conditions of the masters and at UpToDate.",
            ),
            Word(
                REPLACING_MEMBER,
                "The topology changes when a dead member of etcd was replaced.",
                "Wait; look at EtcdReady.",
            ),
            Word(
                QUORUM_AT_RISK,
                "A member of etcd is to leave, and those that would remain are not all well.",
                "Mend the hosts of the members that the message names, or set spec.topology back.",
            ),
            *(
                Word(lost, "etcd has lost its quorum: the topology changes when it was restored.", "Look at EtcdReady.")
                for lost in (QUORUM_LOST, RESTORING, RESTORE_REFUSED)
            ),
            Word(
                ETCD_UNREACHABLE,
                "A member of etcd comes or goes, and etcd cannot be asked.",
                "Look at the network between the operator and the masters.",
            ),
            Word(PAUSED, "spec.paused is true.", "Set it to false to go on."),
            Word(NOT_CREATED, "The declaration is not followed.", "Look at the condition Accepted."),
        ),
    ),
    Table(
        "UpToDate: all masters are made of the declared package version, with the declared overrides",
        (
            Word(AS_DECLARED, "They are.", "Nothing to do."),
            Word(UPGRADING, "Masters move to what is declared, one after the other.", "Wait."),
            Word(
                ENDING_EMULATION,
                "All masters are of the declared package version, and begin to serve its minor version.",
                "Wait; `spec.upgradePolicy.finishEmulation` says when that begins.",
            ),
            Word(
                QUEUED,
                "As many clusters of the cell move at once as may; this one waits for its turn.",
                "Wait; `homeostat run cell --max-rolling` says how many.",
            ),
            Word(
                AWAITING_HEALTH,
                "The next master moves when those that the message names are well.",
                "Wait; if it lasts, look at the conditions of the masters.",
            ),
            Word(
                AWAITING_SNAPSHOT,
                "A snapshot of etcd is taken before the first master moves to another package version.",
                "Wait; spec.upgradePolicy.snapshot says whether one is required.",
            ),
            Word(
                UPGRADE_UNSECURED,
                "The snapshot that is required before anything moves could not be taken. It is tried again.",
                "Mend what the message names, then `homeostat backup cluster`; or declare spec.upgradePolicy.snapshot:"
                " BestEffort to move without one.",
            ),
            Word(
                UPGRADE_FAILED,
                "A master did not become ready after its move, and everything is left as it is.",
                "Set spec.packageVersion, or spec.overrides, back or to what works. `spec.upgradePolicy.onFailure:"
                " Rollback` does the former by itself.",
            ),
            Word(ROLLING_BACK, "Masters move back to what was complete before.", "Wait."),
            Word(
                ROLLED_BACK,
                "What is declared failed; the masters went back to what was complete before. It is not tried again.",
                "Find out why from the message; declare another package version, or other overrides.",
            ),
            Word(PAUSED, "spec.paused is true.", "Set it to false to go on."),
            Word(
                PACKAGE_NOT_FOUND, "There is no ClusterPackageVersion of the declared name.", "Create it, or name one."
            ),
            Word(UPGRADE_REFUSED, "See Accepted.", "Declare the version that the message names."),
            Word(OVERRIDE_REFUSED, "See Accepted.", "Change the field that is named."),
            Word(NOT_CREATED, "The declaration is not followed.", "Look at the condition Accepted."),
        ),
    ),
    Table(
        "Available: the cluster serves its clients, perhaps with fewer masters than declared",
        (
            Word(SERVING, "A read through the endpoint succeeded.", "Nothing to do."),
            Word(
                ENDPOINT_UNREACHABLE,
                "Enough masters are ready, but a read through the endpoint fails.",
                "Look at the load balancer and at the network between it and the cell's Pods.",
            ),
            Word(
                TOO_FEW_MASTERS,
                "No API server is ready, or etcd has no quorum of ready members.",
                "Look at the conditions of the masters.",
            ),
            Word(PROGRESSING, "Waits for the first read through the endpoint.", "Wait."),
        ),
    ),
    Table(
        "Ready: the cluster is as declared, and serves its clients",
        (
            Word(SERVING, "All masters are ready, and a read through the endpoint succeeded.", "Nothing to do."),
            Word(
                PROGRESSING,
                "The cluster is on its way; the message names what it waits for. Any reason of the other conditions can"
                " stand here too.",
                "Wait.",
            ),
        ),
    ),
    Table(
        "Events",
        (
            Word(CREATING, "The operator began to make the masters.", "Nothing to do."),
            Word(CREATED, "The cluster was Ready for the first time.", "Nothing to do."),
            Word(
                REPAIRED, "A derived object was missing or changed by hand, and was put back.", "Find out who did it."
            ),
            Word(ISSUING, "Keys or certificates were made.", "Nothing to do."),
            Word(ROTATING, "A rotation of keys came to another stage.", "Nothing to do."),
            Word(ROTATED, "A rotation of keys is over: done, or taken back.", "Nothing to do."),
            Word(RENEWED, "Certificates were renewed, well before they run out.", "Nothing to do."),
            Word(UPGRADING, "A master moves to another package version, or to other overrides.", "Nothing to do."),
            Word(UPGRADED, "All masters are of the declared package version and overrides.", "Nothing to do."),
            Word(
                EMULATION_ENDED,
                "All masters serve the minor version that they are of. `status.rollback` tells what that means.",
                "Nothing to do.",
            ),
            Word(UPGRADE_FAILED, "A master did not become ready after its move.", "Look at the condition UpToDate."),
            Word(ROLLING_BACK, "A master moves back.", "Wait."),
            Word(REPLACING_MEMBER, "A dead member of etcd is being replaced; an event for each step.", "Wait."),
            Word(MEMBER_REPLACED, "A member of etcd was replaced, and is ready.", "Nothing to do."),
            Word(ISOLATED, "An API server was taken out of the endpoint.", "Wait: it is put back, or restarted."),
            Word(RESTORED, "An API server was put back into the endpoint.", "Nothing to do."),
            Word(LET_GO, "A Pod that was to go is forgotten, because its host is away for long.", "Mend the host."),
            Word(RESTARTING_MASTER, "A master that was ill is being replaced by another Pod.", "Read its log."),
            Word(MASTER_RESTARTED, "All of a component is well again after restarts.", "Nothing to do."),
            Word(HANDED_OVER, "Restarts did not help.", "Look at the conditions of the masters."),
            Word(SCALING, "The topology changes; an event for each step.", "Nothing to do."),
            Word(SCALED, "All masters of the declared topology are there, and no others.", "Nothing to do."),
            Word(ROLLED_BACK, "The masters went back to what was complete before.", "Look at the condition UpToDate."),
            Word(RESTORING, "A restore from a snapshot begins, or comes to its next stage.", "Wait."),
            Word(
                DATA_RESTORED,
                "The cluster serves the data of a snapshot.",
                "Look at what was written since it was taken.",
            ),
            Word(ETCD_NEAR_QUOTA, "A store of etcd is nearly full.", "Look at the condition EtcdReady."),
            Word(ETCD_COMPACTED, "Etcd was full, and was made to forget its old revisions.", "Find out what fills it."),
            Word(ETCD_DEFRAGMENTED, "Free room inside the store of a member was given back.", "Nothing to do."),
            Word(ETCD_CLEARED, "An alarm of etcd was taken back, its cause being gone.", "Find out what fills it."),
            Word(
                ETCD_GOES_BACK,
                "Etcd was told that its members go back to the minor before, or that they do not.",
                "Nothing to do.",
            ),
            Word(REMOVED, "A part was removed, because the Cluster is being deleted.", "Nothing to do."),
            Word(DELETED, "Everything that was made for the Cluster is gone.", "Nothing to do."),
        ),
    ),
)
