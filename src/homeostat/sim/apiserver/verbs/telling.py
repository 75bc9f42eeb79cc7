"""Logs of Pods, as far as an API server answers by itself: what a kubelet would be asked for is not imitated."""

from __future__ import annotations

from homeostat.sim.apiserver.answer import Answer
from homeostat.sim.apiserver.refusing import Refused, bad_request, not_imitated
from homeostat.sim.apiserver.store.record import key_of
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.routing import Asked
from homeostat.sim.apiserver.verbs.reading import existing

_PARTS = ("initContainers", "containers", "ephemeralContainers")


def log(store: Store, asked: Asked) -> Answer:
    """What a container has written: nothing, of a Pod that has no host. Raises Refused."""
    spec = existing(store, asked).value(b"")["spec"]
    names = [each["name"] for part in _PARTS for each in spec.get(part) or ()]
    wanted = asked.query.get("container", "")
    if not wanted and len(spec["containers"]) > 1:
        choices = " ".join(each["name"] for each in spec["containers"])
        raise bad_request(f"a container name must be specified for pod {asked.name}, choose one of: [{choices}]")
    if wanted and wanted not in names:
        raise bad_request(f"container {wanted} is not valid for pod {asked.name}")
    host = spec.get("nodeName", "")
    if not host:
        return Answer(200, media="text/plain")
    if store.shelf(("", "nodes")).get(key_of("", host)) is None:
        raise Refused(404, "NotFound", f'pods "{host}" not found', kind="pods", name=host)
    raise not_imitated("logs, which a kubelet would be asked for")
