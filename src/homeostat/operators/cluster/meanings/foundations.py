"""The declaration, and what masters stand on: keys, certificates and the address."""

from __future__ import annotations

from homeostat.operators.cluster import words
from homeostat.operators.cluster.wording import Table, Word

TABLES = (
    Table(
        "Accepted: the declaration can be followed",
        (
            Word(words.AS_DECLARED, "The declaration is followed.", "Nothing to do."),
            Word(
                words.INVALID_SPEC,
                "A field is wrong although the API server let it pass.",
                "Mend the field that is named.",
            ),
            Word(words.ADDRESS_TAKEN, "Another Cluster asks for the same endpoint address.", "Choose another address."),
            Word(
                words.TOO_FEW_ZONES,
                "The cell has hosts that take Pods in fewer zones than the topology needs. No master was made yet, or"
                " those that run are left as they are.",
                "Add or mend hosts (label `topology.kubernetes.io/zone`), or declare the topology single.",
            ),
            Word(
                words.PACKAGE_NOT_FOUND,
                "There is no ClusterPackageVersion of that name. Masters that run already run on.",
                "Create it, or name one that `homeostat get packageversions` lists.",
            ),
            Word(
                words.PACKAGE_CHANGED,
                "The ClusterPackageVersion that masters are made of was deleted and made anew with other content. They"
                " run on, and nothing is made of it.",
                "Make it as it was, and give the new content another name. If nobody has the old one: make one with the"
                " versions in `status.components`, and set spec.upgradePolicy.approveContent to what the message says.",
            ),
            Word(
                words.UPGRADE_REFUSED,
                "The masters cannot go to the declared package version from where they are. They stay as they are.",
                "Declare the version that the message names.",
            ),
            Word(
                words.OVERRIDE_REFUSED,
                "spec.overrides names a flag or variable that homeostat owns, a component that the package version does"
                " not have, or limits below requests. Masters stay as they are, and are repaired so.",
                "Change the field that is named.",
            ),
            Word(
                words.RESTORE_REFUSED,
                "spec.restoreFrom names a snapshot that cannot be had, is damaged or of another cluster, or does not"
                " fit the package version. Nothing was made yet; it is looked at again every minute.",
                "Read the message; it says what to declare, or what to mend.",
            ),
            Word(
                words.PAUSED,
                "spec.paused is true: nothing of this cluster is touched, unless it is deleted.",
                "Set it to false to go on.",
            ),
            Word(
                words.QUEUED,
                "As many clusters are being created in the cell as may be at once; this one waits for its turn.",
                "Wait; `homeostat run cell --max-creating` says how many.",
            ),
            Word(
                words.DELETING,
                "The Cluster is being deleted, and its masters are removed in order. The message names what is left.",
                "Wait. A Pod on a host that is away is let go after five minutes; a finalizer of others that keeps an"
                " object must be taken away by whoever put it there.",
            ),
            Word(
                words.DELETION_PROTECTED,
                "The Cluster was deleted although spec.deletionProtection is true. Its masters run on, and are cared"
                " for as before.",
                "Set spec.deletionProtection to false to let the deletion go on; it cannot be taken back.",
            ),
            Word(
                words.NAME_CONFLICT,
                "An object that is not this Cluster's bears a name that it needs, such as a volume that another Cluster"
                " of its name left. It is not touched.",
                "Remove or rename that object, or give the Cluster another name.",
            ),
            Word(
                words.FORBIDDEN,
                "The cell's API server does not permit the operator what it must do: by rights, by a quota, or by a"
                " policy. All other objects are written, and healing goes on.",
                "Read which object it is. Apply deploy/operator for the rights; change the quota or the policy.",
            ),
            Word(
                words.API_REFUSED,
                "The cell's API server fails, or finds an object invalid; it is tried again.",
                "Read the message; look at the cell, and at what changes objects on their way into it.",
            ),
        ),
    ),
    Table(
        "PKIReady: keys and certificates are whole",
        (
            Word(words.AS_DECLARED, "All keys and certificates are there and fit together.", "Nothing to do."),
            Word(words.ISSUING, "Keys and certificates are being made.", "Wait."),
            Word(words.ROTATING, "Keys are being replaced by new ones, with both known in between.", "Wait."),
            Word(
                words.ROTATION_STUCK,
                "Secrets are written anew, to be encrypted with another key, and the business cluster does not let one"
                " of them be written. Both keys stay in use; nothing is lost, and it is tried on.",
                "Let the policy, or the admission webhook, that the message names admit writes of that Secret, or"
                " delete the Secret. To take the rotation back needs the same.",
            ),
            Word(
                words.ROTATION_HELD,
                "New keys are in use, and whoever still has what the old ones made is served too.",
                "When those that the message names are renewed, run `homeostat rotate cluster NAME --release`.",
            ),
            Word(
                words.EXPIRING,
                "A certificate runs out within two weeks, because nothing was renewed while the Cluster was paused,"
                " refused, or not well; or an authority itself comes to its end.",
                "Look at the other conditions, and at status.certificates.",
            ),
            Word(
                words.NOT_CREATED,
                "The declaration is not followed, so no keys are made.",
                "Look at the condition Accepted.",
            ),
            Word(
                words.AUTHORITY_DAMAGED,
                "The Secret with the authorities' keys was changed to something unusable. Masters run on.",
                "Restore the Secret from a backup. It is never made anew: every client would be cut off.",
            ),
            Word(
                words.AUTHORITY_LOST,
                "The Secret with the authorities' keys is gone, or has lost its labels. Masters that run go on.",
                "Restore the Secret from a backup, or delete the Cluster.",
            ),
        ),
    ),
    Table(
        "EndpointAssigned: the cluster has its address",
        (
            Word(
                words.ASSIGNED,
                "The endpoint has an address, which stays for the life of the cluster.",
                "Nothing to do.",
            ),
            Word(
                words.WAITING_FOR_ADDRESS,
                "Nothing has given the Service of type LoadBalancer an address yet.",
                "Look at the cell's load balancer (locally: `homeostat logs balancer`).",
            ),
        ),
    ),
)
