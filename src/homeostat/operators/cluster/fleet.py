"""All clusters of a cell together: what is known of them beside each one, and told of them as gauges.

One for a process, also where it serves several namespaces: budgets are the cell's. Everything is counted as Clusters
and Pods change, so that neither a scrape nor a look at one cluster costs more in a cell of ten thousand. Nothing is
kept that the objects do not say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from homeostat.api.cluster.etcd import ClusterEtcdStatus
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.api.pods import ContainerStatus, Pod
from homeostat.kit.clock import Clock
from homeostat.operators.cluster import metrics as told
from homeostat.operators.cluster.healing.cell import CellHealth, CellPolicy
from homeostat.operators.cluster.names import COMPONENT_LABEL
from homeostat.operators.cluster.orchestrations import running
from homeostat.operators.cluster.pacing.pace import Pace
from homeostat.operators.cluster.pacing.pace import Policy as PacingPolicy
from homeostat.operators.cluster.pki.material import CAS
from homeostat.telemetry.metrics import Declaration, Measure, Metrics

_OPERATIONS = (told.CREATE, told.UPGRADE, told.ROLLBACK, told.DELETE, told.HEAL, told.SCALE, told.RESTORE)
_ENDS = {"Completed", "ContainerCannotRun", "Error", "OOMKilled"}  # as kubelets say it; anything else is Other
_SHARES = (0, 50, 80, 95)  # percent
Series = tuple[Declaration, tuple[str, ...]]


class Fleet:
    """The clusters of a cell."""

    def __init__(
        self,
        metrics: Metrics,
        policy: CellPolicy,
        pacing: PacingPolicy = PacingPolicy(),  # noqa: B008  (a frozen value)
        *,
        clock: Clock,
        is_slow: Callable[[], bool] = lambda: False,
    ) -> None:
        self.pace = Pace(pacing)
        self.wakers: list[Callable[[str], None]] = []  # called with the key of a Cluster whose turn has come
        self.health = CellHealth(policy, is_slow=is_slow)
        self._metrics = metrics
        self._clock = clock
        self._running: dict[str, dict[str, datetime]] = {operation: {} for operation in _OPERATIONS}  # since, by uid
        self._ends: dict[str, dict[str, float]] = {authority: {} for authority in CAS}  # Unix time, by uid
        self._show()

    def note(self, old: Cluster | None, new: Cluster | None, *, is_first_list: bool = False) -> None:
        """A Cluster came, changed or went. Nobody's turn comes before all are listed: the oldest may be the last."""
        self.health.note(old, new)
        self.pace.note(old, new, self._clock.now())
        for key in () if is_first_list else self.pace.called(self._clock.now()):
            for wake in self.wakers:
                wake(key)
        before = _series(old) if old is not None else set()
        after = _series(new) if new is not None else set()
        for declaration, labels in before - after:
            self._metrics.gauge(declaration).labels(*labels).dec()
        for declaration, labels in after - before:
            self._metrics.gauge(declaration).labels(*labels).inc()
        for one, is_there in ((old, False), (new, True)):
            if one is not None:
                self._follow(one, running(one) if is_there else {})
                self._follow_certificates(one, is_there=is_there)

    def note_pod(self, old: Pod | None, new: Pod | None) -> None:
        """A Pod of a master came, changed or went. What it went through before we saw it is not known."""
        if old is None or new is None or old.metadata.uid != new.metadata.uid:
            return
        before = {container.name: container.restart_count for container in old.status.container_statuses}
        for container in new.status.container_statuses:
            more = container.restart_count - before.get(container.name, 0)
            if more > 0:
                labels = (new.metadata.labels.get(COMPONENT_LABEL, ""), _end(container))
                self._metrics.record(Measure(told.RESTARTS, labels, more))

    def _follow(self, cluster: Cluster, under_way: dict[str, datetime]) -> None:
        uid = cluster.metadata.uid
        for operation, since in self._running.items():
            if operation in under_way:
                since[uid] = under_way[operation]
            else:
                since.pop(uid, None)

    def _follow_certificates(self, cluster: Cluster, *, is_there: bool) -> None:
        uid = cluster.metadata.uid
        told_of = {each.authority: each for each in cluster.status.certificates} if is_there else {}
        for authority, ends in self._ends.items():
            if authority in told_of:
                one = told_of[authority]
                ends[uid] = min(one.not_after, one.soonest or one.not_after).timestamp()
            else:
                ends.pop(uid, None)

    def _show(self) -> None:
        """What depends on the time of the scrape is read then."""
        gauge = self._metrics.gauge
        for operation, since in self._running.items():
            gauge(told.RUNNING).labels(operation).set_function(since.__len__)
            gauge(told.LONGEST).labels(operation).set_function(partial(self._longest_s, since))
        for authority, ends in self._ends.items():
            gauge(told.CERTIFICATES_END).labels(authority).set_function(partial(_first, ends))
        gauge(told.FORMED).set_function(lambda: self.health.formed)
        gauge(told.SICK).set_function(lambda: self.health.sick)
        gauge(told.FROZEN).labels("MassFailure").set_function(lambda: self.health.is_mass_failure(self._clock.now()))
        gauge(told.FROZEN).labels("SlowCell").set_function(lambda: self.health.is_slow)
        gauge(told.BUDGET_LEFT).set_function(lambda: self.health.left(self._clock.now()))
        gauge(told.HANDED_OVER).set_function(lambda: self.health.handed_over)

    def _longest_s(self, since: dict[str, datetime]) -> float:
        return (self._clock.now() - min(since.values())).total_seconds() if since else 0.0


def _first(ends: Mapping[str, float]) -> float:
    return min(ends.values(), default=math.inf)


def _series(cluster: Cluster) -> set[Series]:
    """Where a Cluster is counted."""
    status = cluster.status
    etcd = _etcd(status.etcd) if status.etcd is not None else set()
    said = {(told.CONDITIONS, (one.type, one.status, one.reason)) for one in status.conditions}
    return {(told.CLUSTERS, (status.phase or "Pending", status.kubernetes_version)), *said, *etcd}


def _etcd(status: ClusterEtcdStatus) -> set[Series]:
    share = max((each for each in _SHARES if each <= status.used_percent), default=0)
    return {(told.ETCD_USED, (str(share),)), *((told.ETCD_ALARMS, (alarm,)) for alarm in status.alarms)}


def _end(container: ContainerStatus) -> str:
    last = container.last_state.terminated
    if last is None:
        return "Other"
    return last.reason if last.reason in _ENDS else "Other"
