"""The official Python client, used as its documentation shows: paged lists, `Watch`, a queue and worker threads.

Its SharedInformer cannot hold custom objects (37.0.1), so the cache is a dict.
"""

from __future__ import annotations

import queue
import sys
import threading
from typing import Any

from kubernetes import client, config, watch

from benchmarks.contenders.protocol import Conversation, Figures
from benchmarks.machines import GROUP, NAMESPACE, PLURAL, VERSION

KUBECONFIG, RUN = sys.argv[1], sys.argv[2]
WORKERS = 8

figures = Figures()
talk = Conversation(figures)
cache: dict[str, Any] = {}
waiting: queue.Queue[str] = queue.Queue()


def reconcile(api: Any, name: str) -> None:
    """Write the status where it is behind."""
    figures.reconciles += 1
    machine = cache[name]
    generation, status = machine["metadata"]["generation"], machine.get("status", {})
    seen = status.get("observedGeneration") == generation and status.get("observedBy") == RUN
    if not talk.reconciling or seen:
        return
    condition = {
        "type": "Ready", "status": "True", "reason": "Observed", "message": f"observed by {RUN}",
        "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    patch = {"status": {"observedGeneration": generation, "observedBy": RUN, "conditions": [condition]}}
    api.patch_namespaced_custom_object_status(GROUP, VERSION, NAMESPACE, PLURAL, name, patch)
    figures.writes += 1


def work(api: Any) -> None:
    """Reconcile what waits, for ever."""
    while True:
        reconcile(api, waiting.get())


def follow(api: Any) -> None:
    """List in pages, then watch, and queue every name."""
    token = ""
    while True:
        page = api.list_namespaced_custom_object(GROUP, VERSION, NAMESPACE, PLURAL, limit=500, _continue=token)
        for machine in page["items"]:
            cache[machine["metadata"]["name"]] = machine
            waiting.put(machine["metadata"]["name"])
            figures.objects += 1
        token = page["metadata"].get("continue", "")
        if not token:
            break
    version = page["metadata"]["resourceVersion"]
    figures.synced = True
    stream = watch.Watch().stream
    listing = api.list_namespaced_custom_object
    for event in stream(
        listing, GROUP, VERSION, NAMESPACE, PLURAL, resource_version=version, allow_watch_bookmarks=True
    ):
        version = event["object"]["metadata"]["resourceVersion"]
        if event["type"] != "BOOKMARK":
            name = event["object"]["metadata"]["name"]
            cache[name] = event["object"]
            figures.events += 1
            waiting.put(name)


def main() -> None:
    """Wait for the word, then follow and work."""
    api = client.CustomObjectsApi(config.new_client_from_config(KUBECONFIG))
    talk.begin()
    talk.started.wait()
    for _ in range(WORKERS):
        threading.Thread(target=work, args=(api,), daemon=True).start()
    follow(api)


if __name__ == "__main__":
    main()
