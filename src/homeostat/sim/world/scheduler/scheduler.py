"""The scheduler's loop: hears of changes, lets the decisions be made, and does what was decided.

One Pod at a time: what was decided for it is in the estate before the next one is looked at, long before its echo comes
back from the server. Binding is the last write; before it claims must have their volumes, for which nobody waits:
the Pod keeps its place, and the claims' changes wake it.
"""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec import Struct

from homeostat.api.core import NAMESPACE, Namespace
from homeostat.kube.client import Client
from homeostat.kube.errors import Conflict, KubeError, NotFound
from homeostat.runtime.controller import Controller, failed
from homeostat.runtime.events import reference
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome, Progress
from homeostat.runtime.queue import Priority
from homeostat.sim.world.kinds.budgets import BUDGET
from homeostat.sim.world.kinds.nodes import NODE, Node
from homeostat.sim.world.kinds.pods import POD, Pod
from homeostat.sim.world.kinds.volumes import CLAIM, SELECTED, STORAGE_CLASS, VOLUME, Claim
from homeostat.sim.world.scheduler import writing
from homeostat.sim.world.scheduler.asking import Ask, asked
from homeostat.sim.world.scheduler.choosing import Chosen, Unfit, choose
from homeostat.sim.world.scheduler.estate import Estate
from homeostat.sim.world.scheduler.filters.volumes import Promise
from homeostat.sim.world.scheduler.preempting import Budget, Futile, Preemption, preempt
from homeostat.sim.world.scheduler.queue import Changes, Queue, Waiting
from homeostat.sim.world.scheduler.stock import Shelves
from homeostat.sim.world.scheduler.terms import requirements
from homeostat.sim.world.scheduler.wording import told

T = TypeVar("T")
NAME = "default-scheduler"
# Keys of the controller that are no Pods: look at the next one, and think of those that wait.
NEXT, THINK = "", "/"
VOLUMES_S = 600.0  # how long a Pod waits for volumes where it was placed before another place is looked for


class Placed(Struct, eq=False):
    """A Pod whose place was decided, and is not yet in the server's words."""

    pod: Pod
    ask: Ask
    node: str
    promises: tuple[Promise, ...]
    until: float
    is_bound: bool = False


def add_scheduler(manager: Manager, client: Client, name: str = NAME) -> None:
    """Let Pods that ask for this scheduler get their Nodes."""
    Scheduler(manager, client, name)


class Scheduler:
    """Places Pods of one cluster."""

    def __init__(self, manager: Manager, client: Client, name: str) -> None:
        self._name = name
        self._client = client
        self._clock = manager.clock
        self._random = manager.random
        self._recorder = manager.recorder(client, name)
        self.estate = Estate()
        self.queue = Queue()
        self._placed: dict[str, Placed] = {}
        self._placed_by_claim: dict[str, str] = {}
        self._changes = Changes()
        self._start = 0
        self._controller = Controller(
            "scheduler", self._work, clock=manager.clock, random=manager.random, workers=1, metrics=manager.metrics
        )
        claims = manager.informer(client, CLAIM)
        volumes = manager.informer(client, VOLUME)
        classes = manager.informer(client, STORAGE_CLASS)
        self._budgets = manager.informer(client, BUDGET)
        self.stock = Shelves(claims.store, volumes.store, classes.store)
        pods, nodes = manager.informer(client, POD), manager.informer(client, NODE)
        namespaces = manager.informer(client, NAMESPACE)
        namespaces.add_handler(self._namespace_changed)
        nodes.add_handler(self._node_changed)
        pods.add_handler(self._pod_changed)
        claims.add_handler(self._claim_changed)
        for informer in (volumes, classes):
            informer.add_handler(self._volumes_changed)
        self._controller.informers += [pods, nodes, namespaces, claims, volumes, classes, self._budgets]
        manager.add(self._controller)

    # What changes tell.

    def _namespace_changed(self, old: Namespace | None, new: Namespace | None, priority: Priority) -> None:  # noqa: ARG002
        if new is not None:
            self.estate.put_namespace(new.metadata.name, new.metadata.labels)

    def _node_changed(self, old: Node | None, new: Node | None, priority: Priority) -> None:  # noqa: ARG002
        if new is None:
            if old is not None:
                self.estate.drop_node(old.metadata.name)
            return
        if old is not None and _stands(old) == _stands(new):
            return  # a heartbeat
        self.estate.put_node(new)
        self._think(node=new.metadata.name)

    def _pod_changed(self, old: Pod | None, new: Pod | None, priority: Priority) -> None:  # noqa: ARG002
        pod = new or old
        if pod is None:
            return
        key = pod.metadata.key
        if new is None or new.is_over:
            self._gone(key)
        elif new.spec.node_name:
            if old is None or _asks(old) != _asks(new):
                self._stands_now(new)
        elif new.spec.scheduler_name == self._name:
            waiting = self.queue.waiting.get(key)
            if waiting is not None and _asks(waiting.pod) == _asks(new):
                waiting.pod = new  # it only says now why it waits
            elif old is None or _asks(old) != _asks(new):
                self._pending(new)

    def _gone(self, key: str) -> None:
        self._forget(key)
        self._drop(key)
        node, ask = self.estate.homes.get(key, ""), self.estate.let_go(key)
        if ask is not None:
            self._think(node=node, pod=ask)

    def _stands_now(self, pod: Pod) -> None:
        key, node = pod.metadata.key, pod.spec.node_name
        placed = self._forget(key)
        self._drop(key)
        left = self.estate.homes.get(key, "")
        ask = asked(pod)
        self.estate.take_in(ask, node)
        # Where it was thought to stand, there is room; and others may have waited for it to stand somewhere.
        self._think(node=left if placed is not None and left != node else "", pod=ask)

    def _pending(self, pod: Pod) -> None:
        key = pod.metadata.key
        placed = self._placed.get(key)
        if placed is not None and placed.ask.uid == pod.metadata.uid and not pod.is_ending:
            return
        if placed is not None:
            self._unplace(key)
        if pod.is_ending or pod.spec.scheduling_gates:
            self._drop(key)
            return
        ask = asked(pod)
        self._drop(key)
        if ask.nominated:
            self.estate.nominate(ask, ask.nominated)
        self.queue.add(pod, ask)
        self._controller.queue.add(NEXT)

    def _claim_changed(self, old: Claim | None, new: Claim | None, priority: Priority) -> None:  # noqa: ARG002
        key = (new or old).metadata.key if (new or old) is not None else ""  # type: ignore[union-attr]
        placed = self._placed_by_claim.get(key)
        if placed is not None:
            self._controller.queue.add(placed)
        for pod in self.queue.by_claim.get(key, ()):
            self.queue.activate(pod)
            self._controller.queue.add(NEXT)

    def _volumes_changed(self, old: Any, new: Any, priority: Priority) -> None:  # noqa: ARG002
        if new is not None and (self.queue.waiting or old is None):
            self._changes.volumes = True
            self._think()

    def _think(self, *, node: str = "", pod: Ask | None = None) -> None:
        """Something changed that may help somebody who waits."""
        if not self.queue.waiting:
            return
        if node:
            self._changes.nodes[node] = None
        if pod is not None:
            self._changes.pods.append(pod)
        self._controller.queue.add(THINK)

    # What is done.

    async def _work(self, key: str) -> Outcome:
        if key == THINK:
            changes, self._changes = self._changes, Changes()
            for pod in list(self.queue.helped(changes, self.estate, self.stock)):
                self.queue.activate(pod)
            self._controller.queue.add(NEXT)
            return DONE
        if key == NEXT:
            waiting = self.queue.next()
            if waiting is not None:
                self._controller.queue.add(NEXT)
                await self._place(waiting)
            return DONE
        if key in self._placed:
            return await self._go_on(self._placed[key])
        self.queue.activate(key)
        self._controller.queue.add(NEXT)
        return DONE

    async def _place(self, waiting: Waiting) -> None:
        ask = waiting.ask
        decided, self._start = choose(ask, self.estate, self.stock, self._random, self._start)
        if isinstance(decided, Chosen):
            self._take(waiting, decided)
            self._controller.queue.add(ask.key)
            return
        waiting.by, waiting.unready = decided.by(), decided.unready
        try:
            await self._refuse(waiting, decided)
        except NotFound:
            self._drop(ask.key)
        except KubeError:
            if ask.key in self.queue.waiting:
                self._controller.queue.add_failed(ask.key)

    def _take(self, waiting: Waiting, chosen: Chosen) -> None:
        """From now on the Pod stands there, whatever the server says yet."""
        ask = waiting.ask
        self._drop(ask.key)
        self.estate.take_in(ask, chosen.node)
        self.stock.promise(ask.key, chosen.promises)
        until = self._clock.monotonic() + VOLUMES_S
        self._placed[ask.key] = Placed(waiting.pod, ask, chosen.node, chosen.promises, until)
        for each in chosen.promises:
            self._placed_by_claim[each.claim.metadata.key] = ask.key

    async def _go_on(self, placed: Placed) -> Outcome:
        """The next write for a Pod that has its place."""
        key = placed.ask.key
        if placed.is_bound:
            return DONE
        try:
            for each in placed.promises:
                await writing.keep(self._client, each, placed.node, self.stock)
            if not self._has_volumes(placed):
                return self._wait_for_volumes(placed)
            await writing.bind(self._client, placed.pod, placed.node)
        except (NotFound, Conflict):
            if self._placed.get(key) is placed:
                self._try_elsewhere(placed)
            return DONE
        except KubeError as error:
            return failed(error)
        placed.is_bound = True
        where = f"Successfully assigned {key} to {placed.node}"
        self._recorder.normal(reference(POD, placed.pod), "Scheduled", where, action="Binding")
        return DONE

    def _has_volumes(self, placed: Placed) -> bool:
        claims = (self.stock.claim(each.claim.metadata.key) for each in placed.promises)
        return all(claim is not None and claim.is_bound for claim in claims)

    def _wait_for_volumes(self, placed: Placed) -> Outcome:
        """Their changes wake the Pod. Who cannot make one says so by taking the choice of the Node back."""
        left = placed.until - self._clock.monotonic()
        for each in placed.promises:
            claim = self.stock.claim(each.claim.metadata.key)
            given_back = (
                claim is not None
                and not each.volume
                and not claim.is_bound
                and claim.metadata.resource_version != each.claim.metadata.resource_version
                and SELECTED not in claim.metadata.annotations
            )
            if claim is None or given_back or left <= 0:
                self._try_elsewhere(placed)
                return DONE
        return Progress(left, "waiting for volumes")

    def _try_elsewhere(self, placed: Placed) -> None:
        self._unplace(placed.ask.key)
        self.queue.add(placed.pod, placed.ask)
        self._controller.queue.add(NEXT)

    async def _refuse(self, waiting: Waiting, unfit: Unfit) -> None:
        """Send others away if that helps; say why the Pod must wait."""
        ask, pod = waiting.ask, waiting.pod
        found = preempt(ask, unfit, self.estate, self.stock, self._allowances()) if unfit.nodes else None
        futile = found if isinstance(found, Futile) else None
        if isinstance(found, Preemption):
            self.estate.nominate(ask, found.node)
            for victim in found.victims:
                why = f"Preempted by pod {ask.uid} on node {found.node}"
                self._recorder.normal(writing.regarding(victim), "Preempted", why, action="Preempting")
                await writing.send_away(self._client, victim, self._clock.now())
        elif ask.nominated and not (futile and futile.why):
            self.estate.nominate(ask, "")
        text = told(unfit, futile)
        self._recorder.warning(reference(POD, pod), "FailedScheduling", text, action="Scheduling")
        await writing.tell(self._client, pod, text, ask.nominated, self._clock.now())

    def _allowances(self) -> list[Budget]:
        return [
            Budget(each.metadata.namespace, requirements(each.spec.selector or {}), each.status.disruptions_allowed)
            for each in self._budgets.store.values()
            if each.spec.selector is not None
        ]

    # What is forgotten.

    def _forget(self, key: str) -> Placed | None:
        """The server says what was decided, or the Pod is gone."""
        placed = self._placed.pop(key, None)
        if placed is not None:
            self.stock.take_back(key)
            for each in placed.promises:
                self._placed_by_claim.pop(each.claim.metadata.key, None)
        return placed

    def _unplace(self, key: str) -> None:
        """It does not stand there after all."""
        self._forget(key)
        node, ask = self.estate.homes.get(key, ""), self.estate.let_go(key)
        if ask is not None:
            self._think(node=node, pod=ask)

    def _drop(self, key: str) -> None:
        waiting = self.queue.drop(key)
        if waiting is not None:
            self.estate.renounce(waiting.ask)


def _stands(node: Node) -> tuple[Any, ...]:
    return node.metadata.labels, node.spec, node.status.allocatable


def _asks(pod: Pod) -> tuple[Any, ...]:
    meta = pod.metadata
    return meta.uid, meta.labels, pod.spec, pod.is_ending, pod.is_over
