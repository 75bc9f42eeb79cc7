"""The objects that put a snapshot's data into a member's volume: a Secret, a claim, and a Pod that ends.

Three containers, one after the other, in a Pod that is never restarted: whoever fails is made anew as a whole, from the
first step on. homeostat's own image fetches the snapshot and compares its checksum; etcd's image, of the version that
will run on the data, restores it beside the data that is there; homeostat's image exchanges the two by renaming.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from homeostat.api.cluster.masters import ETCD
from homeostat.api.cluster.restoring import ClusterRestoreStatus
from homeostat.api.core import PERSISTENT_VOLUME_CLAIM, SECRET
from homeostat.api.pods import POD
from homeostat.operators.cluster.manifests import etcd
from homeostat.operators.cluster.manifests.shape import (
    AS_NOBODY,
    CONFINED,
    PRIORITY_CLASS,
    Desired,
    Inputs,
    apart,
    derived,
    selector,
)
from homeostat.operators.cluster.names import labels, owner
from homeostat.operators.cluster.restore.names import (
    ATTEMPT_ANNOTATION,
    COMPONENT,
    OFFER_ANNOTATION,
    attempt_of,
    pod_name,
    secret_name,
)
from homeostat.operators.cluster.restore.ports import Offer

# Revisions after a restore begin so much above the snapshot's, times the number of the restore: no watcher may see them
# go back. A busy cluster makes a thousand a second at most, which is eleven days of them.
BUMP = 1_000_000_000
_SCRATCH, _OFFER = "/scratch", "/etc/homeostat/offer"
_SNAPSHOT = f"{_SCRATCH}/snapshot.db"
RESTORED = f"{etcd.DATA}/restored"  # where etcdutl puts it
Body = dict[str, Any]


def secret(inputs: Inputs, offer: Offer) -> Desired:
    """How the Pods get the snapshot; it lives as long as the restore."""
    entries = {"url": offer.url.encode(), "ca.crt": offer.authority, "token": offer.token.encode()}
    entries["sha256"] = offer.sha256.encode()
    data = {name: b64encode(value).decode() for name, value in entries.items()}
    return derived(SECRET, inputs, secret_name(inputs.names), COMPONENT, {"type": "Opaque", "data": data})


def claim(inputs: Inputs, member: str) -> Desired:
    """The volume as the StatefulSet would make it, which takes it over."""
    template = etcd.claim_template(inputs)
    marks = {**template["metadata"]["labels"], **selector(inputs, ETCD)}
    metadata = {"name": f"data-{member}", "namespace": inputs.names.namespace, "labels": marks}
    return Desired(PERSISTENT_VOLUME_CLAIM, COMPONENT, {**template, "metadata": metadata})


def pod(inputs: Inputs, member: str, restore: ClusterRestoreStatus, offer: Offer, image: str) -> Desired:
    """What restores one member, on the host of its volume, or apart from the others where it has none yet."""
    cluster = inputs.cluster
    metadata = {
        "name": pod_name(member),
        "namespace": inputs.names.namespace,
        "labels": labels(cluster, COMPONENT),
        "annotations": {ATTEMPT_ANNOTATION: attempt_of(restore), OFFER_ANNOTATION: offer.digest},
        "ownerReferences": [owner(cluster)],
    }
    own = "aside" if restore.cluster.uid == cluster.metadata.uid else "refuse"
    exchange = f"--data={etcd.DATA}", f"--restore={attempt_of(restore)}", f"--old-data={own}"
    fetch = f"--offer={_OFFER}", f"--to={_SNAPSHOT}", f"--data={etcd.DATA}"
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "priorityClassName": PRIORITY_CLASS,
        "securityContext": AS_NOBODY,
        "volumes": [
            {"name": "offer", "secret": {"secretName": secret_name(inputs.names), "defaultMode": 0o440}},
            {"name": "scratch", "emptyDir": {}},
            {"name": "data", "persistentVolumeClaim": {"claimName": f"data-{member}"}},
        ],
        "initContainers": [
            _container("fetch", image, ["homeostat", "member", "fetch", *fetch]),
            _container("restore", inputs.component(ETCD).image, _etcdutl(inputs, member, restore)),
        ],
        "containers": [_container("place", image, ["homeostat", "member", "place", *exchange])],
        **apart(inputs, COMPONENT, zoned=inputs.topology.zoned, by_revision=False),
    }
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    return Desired(POD, COMPONENT, body)


def _etcdutl(inputs: Inputs, member: str, restore: ClusterRestoreStatus) -> list[str]:
    """Every member of one restore gets the same token: none of an older life of this cluster can join them."""
    return [
        *("etcdutl", "snapshot", "restore", _SNAPSHOT),
        f"--data-dir={RESTORED}",
        f"--name={member}",
        f"--initial-cluster={etcd.initial_cluster(inputs, inputs.topology.members)}",
        f"--initial-cluster-token={inputs.cluster.metadata.uid}-{attempt_of(restore)}",
        f"--initial-advertise-peer-urls={etcd.peer_url(inputs, member)}",
        f"--bump-revision={BUMP * restore.number}",
        "--mark-compacted",
    ]


def _container(name: str, image: str, command: list[str]) -> Body:
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
        "securityContext": CONFINED,
        "volumeMounts": [
            {"name": "offer", "mountPath": _OFFER, "readOnly": True},
            {"name": "scratch", "mountPath": _SCRATCH},
            {"name": "data", "mountPath": etcd.DATA},
        ],
    }
