"""Whether clients are served, and all is as declared."""

from __future__ import annotations

from homeostat.operators.cluster import words
from homeostat.operators.cluster.wording import Table, Word

TABLES = (
    Table(
        "Available: the cluster serves its clients, perhaps with fewer masters than declared",
        (
            Word(words.SERVING, "A read through the endpoint succeeded.", "Nothing to do."),
            Word(
                words.ENDPOINT_UNREACHABLE,
                "Enough masters are ready, but a read through the endpoint fails.",
                "Look at the load balancer and at the network between it and the cell's Pods.",
            ),
            Word(
                words.WRITES_REFUSED,
                "The API servers answer, but do not take a write of a Lease in kube-system. While an admission webhook,"
                " a policy or a quota of the business cluster refuses it, the condition stays true: no master is to"
                " blame, and none is restarted for it.",
                "Mend or remove what the message names, in the business cluster; of a webhook that does not answer see"
                " `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations` there. It should leave"
                " kube-system out, or have the failurePolicy Ignore. Where nothing of the business cluster refuses, set"
                " back what spec.overrides says of admission plugins.",
            ),
            Word(
                words.TOO_FEW_MASTERS,
                "No API server is ready, or etcd has no quorum of ready members.",
                "Look at the conditions of the masters.",
            ),
            Word(words.PROGRESSING, "Waits for the first read through the endpoint.", "Wait."),
            Word(
                words.DELETING,
                "The Cluster is being deleted; the message names what of it is left.",
                "Nothing to do; where it lasts, look at the condition Accepted.",
            ),
        ),
    ),
    Table(
        "Ready: the cluster is as declared, and serves its clients",
        (
            Word(words.SERVING, "All masters are ready, and a read through the endpoint succeeded.", "Nothing to do."),
            Word(
                words.PROGRESSING,
                "The cluster is on its way; the message names what it waits for. Any reason of the other conditions can"
                " stand here too.",
                "Wait.",
            ),
        ),
    ),
)
