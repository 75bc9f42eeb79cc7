"""The events of a Cluster."""

from __future__ import annotations

from homeostat.operators.cluster import words
from homeostat.operators.cluster.wording import Table, Word

EVENTS = Table(
    "Events",
    (
        Word(words.CREATING, "The operator began to make the masters.", "Nothing to do."),
        Word(
            words.CREATED,
            "The cluster was Ready for the first time, or has served for ten minutes. From now on it is healed and"
            " backed up.",
            "Nothing to do; where it is not Ready, see its condition.",
        ),
        Word(
            words.REPAIRED, "A derived object was missing or changed by hand, and was put back.", "Find out who did it."
        ),
        Word(words.ISSUING, "Keys or certificates were made.", "Nothing to do."),
        Word(words.ROTATING, "A rotation of keys came to another stage.", "Nothing to do."),
        Word(
            words.ROTATION_STUCK,
            "A rotation of the key that encrypts Secrets met one that cannot be written.",
            "Look at the condition PKIReady.",
        ),
        Word(words.ROTATED, "A rotation of keys is over: done, or taken back.", "Nothing to do."),
        Word(words.RENEWED, "Certificates were renewed, well before they run out.", "Nothing to do."),
        Word(words.UPGRADING, "A master moves to another package version, or to other overrides.", "Nothing to do."),
        Word(words.UPGRADED, "All masters are of the declared package version and overrides.", "Nothing to do."),
        Word(
            words.EMULATION_ENDED,
            "All masters serve the minor version that they are of. `status.rollback` tells what that means.",
            "Nothing to do.",
        ),
        Word(words.UPGRADE_FAILED, "A master did not become ready after its move.", "Look at the condition UpToDate."),
        Word(words.ROLLING_BACK, "A master moves back.", "Wait."),
        Word(words.REPLACING_MEMBER, "A dead member of etcd is being replaced; an event for each step.", "Wait."),
        Word(words.MEMBER_REPLACED, "A member of etcd was replaced, and is ready.", "Nothing to do."),
        Word(words.ISOLATED, "An API server was taken out of the endpoint.", "Wait: it is put back, or restarted."),
        Word(words.RESTORED, "An API server was put back into the endpoint.", "Nothing to do."),
        Word(words.LET_GO, "A Pod that was to go is forgotten, because its host is away for long.", "Mend the host."),
        Word(words.RESTARTING_MASTER, "A master that was ill is being replaced by another Pod.", "Read its log."),
        Word(words.MASTER_RESTARTED, "All of a component is well again after restarts.", "Nothing to do."),
        Word(words.HANDED_OVER, "Restarts did not help.", "Look at the conditions of the masters."),
        Word(words.SCALING, "The topology changes; an event for each step.", "Nothing to do."),
        Word(words.SCALED, "All masters of the declared topology are there, and no others.", "Nothing to do."),
        Word(
            words.ROLLED_BACK, "The masters went back to what was complete before.", "Look at the condition UpToDate."
        ),
        Word(words.RESTORING, "A restore from a snapshot begins, or comes to its next stage.", "Wait."),
        Word(
            words.DATA_RESTORED,
            "The cluster serves the data of a snapshot.",
            "Look at what was written since it was taken.",
        ),
        Word(words.ETCD_NEAR_QUOTA, "A store of etcd is nearly full.", "Look at the condition EtcdReady."),
        Word(
            words.ETCD_COMPACTED, "Etcd was full, and was made to forget its old revisions.", "Find out what fills it."
        ),
        Word(words.ETCD_DEFRAGMENTED, "Free room inside the store of a member was given back.", "Nothing to do."),
        Word(words.ETCD_CLEARED, "An alarm of etcd was taken back, its cause being gone.", "Find out what fills it."),
        Word(
            words.ETCD_GOES_BACK,
            "Etcd was told that its members go back to the minor before, or that they do not.",
            "Nothing to do.",
        ),
        Word(words.REMOVED, "A part was removed, because the Cluster is being deleted.", "Nothing to do."),
        Word(words.DELETED, "Everything that was made for the Cluster is gone.", "Nothing to do."),
    ),
)
