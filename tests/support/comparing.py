"""Everything in a cell, without what differs from run to run: so that two cells can be compared."""

from __future__ import annotations

import re

import msgspec
from tests.support.cells import Cell
from tests.support.kubelet import KINDS, Whole

PATTERNS = (
    (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
    (r"\d{8}T\d{6}Z-r\d+", "SNAPSHOT"),
    (r"10\.250\.\d+\.\d+", "ADDRESS"),
    (r'("encryptionKey":)"[0-9a-f]{12}"', r'\1"KEY"'),
    (r'("(?:podIP|ip)":)"[0-9.]+"', r'\1"ADDRESS"'),
    (r'("cluster.homeostat.dev/(?:digest|secret-digest|made-for)":)"[0-9a-f]+"', r'\1"DIGEST"'),
    (r"(demo-(?:apiserver(?:-trial)?|scheduler|controller-manager|op-homeostat))-[0-9a-f]{8}-(\d)", r"\1-POD-\2"),
    (
        r'("(?:controller-revision-hash|deployment.kubernetes.io/revision|currentRevision|updateRevision)":)"[0-9a-f]+"',
        r'\1"REVISION"',
    ),
)
LOOKED_AT = ("etcd",)  # how the stores of etcd are: told since somebody looked, which is now and then
KEPT = ("last", "snapshots")  # whoever dies with a snapshot that was not told yet leaves one more than is needed


def normal(cell: Cell) -> list[Whole]:
    """Everything in a cell, without what differs from run to run: uids, times, keys, addresses, revisions of keys."""
    found = [obj for kind in KINDS if kind != "Event" for obj in cell.all(kind)]
    uids = {obj["metadata"]["uid"]: f"uid-of-{obj['kind']}-{obj['metadata']['name']}" for obj in found}
    text = msgspec.json.encode(found).decode()
    for uid, name in uids.items():
        text = text.replace(uid, name)
    text = text.replace(cell.namespace, "NAMESPACE")
    for pattern, word in PATTERNS:
        text = re.sub(pattern, word, text)
    return [stripped(obj) for obj in msgspec.json.decode(text)]


def stripped(obj: Whole) -> Whole:
    """One object without versions and keys; of managedFields, who holds something."""
    metadata = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
    managers = {(each["manager"], each["operation"]) for each in metadata.pop("managedFields", ())}
    spec = {key: value for key, value in obj.get("spec", {}).items() if not key.startswith("clusterIP")}
    for port in spec.get("ports", ()):
        port.pop("nodePort", None)
    status = {key: value for key, value in (obj.get("status") or {}).items() if key not in LOOKED_AT}
    for authority in status.get("certificates", ()):
        # Leaves that are issued one after the other may or may not fall into one second, and so run out together.
        authority.pop("secret", None)
    if isinstance(status.get("backup"), dict):
        status["backup"] = {key: value for key, value in status["backup"].items() if key not in KEPT}
    return {
        "metadata": {**metadata, "managers": sorted(managers)},
        "spec": spec,
        "status": status,
        "entries": sorted(obj.get("data", ())),
    }
