"""Which Pods a Service selects, and which Services select a Pod."""

from __future__ import annotations

from collections.abc import Iterable

from homeostat.runtime.informer import Informer
from homeostat.runtime.queue import Priority
from homeostat.sim.apiserver.selecting.labels import Requirement, Requirements
from homeostat.sim.world.kinds.pods import Pod
from homeostat.sim.world.kinds.selecting import Selectors
from homeostat.sim.world.kinds.services import Service


def chosen_by(service: Service) -> Requirements | None:
    """Whom a Service selects; None when it leaves that to others."""
    if not service.spec.selector or service.spec.type == "ExternalName":
        return None
    return tuple(Requirement(key, "in", (value,)) for key, value in sorted(service.spec.selector.items()))


class Choosing:
    """The Services of each Pod, kept as Services come, change and go."""

    def __init__(self, services: Informer[Service]) -> None:
        self._selectors = Selectors()
        services.add_handler(self._changed)

    def services_of(self, pod: Pod) -> Iterable[str]:
        """The keys of all that select a Pod."""
        return self._selectors.of(pod.metadata.namespace, pod.metadata.labels)

    def _changed(self, old: Service | None, new: Service | None, priority: Priority) -> None:  # noqa: ARG002
        known = new if new is not None else old
        if known is not None:
            meta = known.metadata
            self._selectors.put(meta.key, meta.namespace, None if new is None else chosen_by(new))
