"""Business clusters of a real data centre: declared and used as a person would."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml
from tests.support.datacentre import Centre

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
EXAMPLE = EXAMPLES / "cluster.yaml"
NAMESPACED = (
    "configmaps,deployments,replicasets,statefulsets,pods,secrets,services,endpointslices,pvc,"
    "poddisruptionbudgets,events.events.k8s.io"
)
READY_S = 120


def homeostat(centre: Centre, *words: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    """homeostat as a person has it after `export KUBECONFIG=...`."""
    environment = {**os.environ, "KUBECONFIG": str(centre.inner.kubeconfig)}
    command = centre.command(*words)[:-2]
    done = subprocess.run(
        command, input=stdin or None, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert not check or done.returncode == 0, f"homeostat {' '.join(words)}: {done.stderr[-4000:]}"
    return done


def declared(name: str, example: str = "cluster.yaml", **spec: Any) -> str:
    content = yaml.safe_load((EXAMPLES / example).read_text())
    content["metadata"] = {"name": name}
    content["spec"].update(spec)
    return str(yaml.safe_dump(content))


def declare(centre: Centre, namespace: str, name: str, example: str = "cluster.yaml", **spec: Any) -> None:
    """Apply a Cluster; not by kubectl, which does not ask again when the webhooks stood on a host that just died."""
    homeostat(centre, "apply", "-n", namespace, "-f", "-", stdin=declared(name, example, **spec))


def create(centre: Centre, namespace: str, name: str, example: str = "cluster.yaml", **spec: Any) -> None:
    """Declare a Cluster and wait until it is Ready."""
    declare(centre, namespace, name, example, **spec)
    wait_ready(centre, namespace, name)


def wait_ready(centre: Centre, namespace: str, name: str) -> None:
    wish = ("--for", "condition=Ready", "--timeout", f"{READY_S}s")
    done = homeostat(centre, "wait", "cluster", name, "-n", namespace, *wish, check=False)
    assert done.returncode == 0, done.stderr + centre.kubectl("describe", "cluster,pods", "-n", namespace)


def pod(centre: Centre, namespace: str, component: str) -> dict[str, Any]:
    """The one Pod of a component that is not on its way out."""
    items = centre.get("pods", "-n", namespace, "-l", f"app.kubernetes.io/component={component}")["items"]
    (found,) = [item for item in items if "deletionTimestamp" not in item["metadata"]]
    return dict(found)


def content(centre: Centre, namespace: str) -> set[str]:
    items = centre.get(NAMESPACED, "-n", namespace)["items"]
    return {f"{item['kind']}/{item['metadata']['name']}" for item in items if item["kind"] != "Event"}
