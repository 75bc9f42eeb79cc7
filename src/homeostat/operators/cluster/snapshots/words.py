"""The reasons of the condition BackedUp and the events of the backup loop, with meaning and remedy."""

from __future__ import annotations

from homeostat.operators.cluster.wording import Table, Word
from homeostat.operators.cluster.words import AS_DECLARED, ETCD_CORRUPT, ETCD_UNREACHABLE, RESTORING

BACKED_UP = "BackedUp"

NO_STORE = "NoStore"
AWAITING_FIRST = "AwaitingFirst"
OVERDUE = "Overdue"
BACKUPS_PAUSED = "BackupsPaused"
STORE_FULL, STORE_REFUSED = "StoreFull", "StoreRefused"
STORE_UNREACHABLE, STORE_WRONG = "StoreUnreachable", "StoreWrong"
KEYS_UNUSABLE, SCRATCH_FAILED = "KeysUnusable", "ScratchFailed"
ETCD_REFUSED, INTERRUPTED, SNAPSHOT_FAILED = "EtcdRefused", "Interrupted", "SnapshotFailed"

SNAPSHOT_TAKEN, SNAPSHOT_HELD = "SnapshotTaken", "SnapshotHeld"

FAILURES = (
    *(STORE_FULL, STORE_REFUSED, STORE_UNREACHABLE, STORE_WRONG, KEYS_UNUSABLE),
    *(SCRATCH_FAILED, ETCD_UNREACHABLE, ETCD_REFUSED, ETCD_CORRUPT, INTERRUPTED, SNAPSHOT_FAILED),
)

TABLES = (
    Table(
        "BackedUp: snapshots are taken as declared, and the last one is sound",
        (
            Word(AS_DECLARED, "The last snapshot is of the declared period.", "Nothing to do."),
            Word(
                NO_STORE,
                "The operator was told of no store, so no snapshots are taken.",
                "Configure one: docs/howto/backups.md.",
            ),
            Word(AWAITING_FIRST, "The first snapshot comes within the hour.", "Wait, or `homeostat backup cluster`."),
            Word(
                OVERDUE,
                "Two periods passed without a snapshot, although none failed.",
                "Look at the operator: it was away, or too many clusters wait for their turn.",
            ),
            Word(
                RESTORING,
                "The cluster is being restored from a snapshot; none is taken before it serves its clients again.",
                "Wait; status.restore says how far it is, and EtcdReady what it waits for.",
            ),
            Word(BACKUPS_PAUSED, "spec.backup.paused is true.", "Set it to false to go on."),
            Word(STORE_FULL, "The store has no room left.", "Make room, raise the quota, or keep fewer snapshots."),
            Word(
                STORE_REFUSED,
                "The store does not know the credentials, or does not permit what is needed.",
                "Mend the credentials, or the rights to list, read, write and delete.",
            ),
            Word(
                STORE_UNREACHABLE,
                "The store does not answer, or not in time.",
                "Look at the store and at the network to it; it is tried again by itself.",
            ),
            Word(
                STORE_WRONG,
                "There is no such bucket or directory.",
                "Mend the address of the store, or make the bucket or directory.",
            ),
            Word(
                KEYS_UNUSABLE,
                "There are no keys to encrypt snapshots with, or one of the files is none.",
                "Mend the Secret with the keys; it is read again at the next attempt.",
            ),
            Word(
                SCRATCH_FAILED,
                "The operator's own directory for snapshots on their way has no room, or cannot be written.",
                "Give the operator's volume more room.",
            ),
            Word(ETCD_UNREACHABLE, "No member of etcd is well, or its answer broke off.", "Look at EtcdReady."),
            Word(
                ETCD_CORRUPT,
                "The data of etcd is corrupt, and nobody can say which member is right: none is drawn from, and the"
                " snapshots in the store stay.",
                "Look at EtcdReady; a snapshot from before is restored after an approval (docs/howto/etcd.md).",
            ),
            Word(ETCD_REFUSED, "etcd refused to send a snapshot.", "Read the message."),
            Word(INTERRUPTED, "The operator ended while it took a snapshot.", "Nothing to do; it is tried again."),
            Word(SNAPSHOT_FAILED, "Something else went wrong with a snapshot.", "Read the message."),
        ),
    ),
    Table(
        "Events of backups",
        (
            Word(SNAPSHOT_TAKEN, "A snapshot was taken, verified and stored.", "Nothing to do."),
            Word(
                SNAPSHOT_HELD,
                "A snapshot stays whatever the policy says: a Cluster that is to begin with it (spec.restoreFrom) was"
                " not Ready within a day. Told with each new snapshot.",
                "Look at that Cluster: mend what keeps it from beginning, or delete it.",
            ),
            Word(INTERRUPTED, "See BackedUp; any of its failures is an event too.", "Look at the condition BackedUp."),
        ),
    ),
)
