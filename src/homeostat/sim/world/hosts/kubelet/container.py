"""The life of one container: its image, its start, what its probes find, its ends and its restarts.

A container does nothing by itself: it says when it has to be looked at again (`due`), and `step` does what is due then.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from datetime import datetime
from enum import Enum, auto
from math import inf
from typing import Any, Protocol

from homeostat.api.pods import ContainerStatus
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.sim.world.hosts.ailing import Ail
from homeostat.sim.world.hosts.containers import Disk, Program
from homeostat.sim.world.hosts.host import Host, Process
from homeostat.sim.world.hosts.images import Registry, identity
from homeostat.sim.world.hosts.kubelet.backoff import BackOff, spoken
from homeostat.sim.world.hosts.kubelet.probing import Asking, first_at
from homeostat.sim.world.hosts.kubelet.spec import ContainerSpec, Probe
from homeostat.sim.world.hosts.kubelet.statuses import Seen, State
from homeostat.sim.world.hosts.kubelet.variables import ConfigError
from homeostat.sim.world.hosts.times import Times

KILLED, ASKED_TO_END = 137, 143  # 128 and the signal
_LOST = 255  # what containerd says of one that was there before the host went down
_LONGEST_MESSAGE = 4096
_TRIES = 100  # until a program that is killed and goes on is left alone


class Stage(Enum):
    """What a container waits for."""

    TURN = auto()  # those before it
    IMAGE = auto()
    START = auto()
    RUN = auto()
    HOOK = auto()  # until its hook is over, before it is asked to end
    STOP = auto()  # its end
    SEEN = auto()  # that its kubelet sees that it ended
    CRASHED = auto()  # the end of a back-off
    NO_IMAGE = auto()  # the next try to pull
    OFF = auto()  # the next try to start
    END = auto()


class Ground(Protocol):
    """What is around a container: its Pod, and its host."""

    clock: Clock
    random: Random
    times: Times
    registry: Registry
    host: Host

    @property
    def key(self) -> str:
        """The Pod, by namespace and name."""
        ...

    @property
    def name(self) -> str:
        """The Pod, as messages name it."""
        ...

    @property
    def uid(self) -> str:
        """Of the Pod."""
        ...

    @property
    def grace_s(self) -> float:
        """How long its containers have to end."""
        ...

    async def program(self, container: ContainerSpec, last_words: Disk, changed: Callable[[], None]) -> Program:
        """What runs in it. Raises ConfigError and KubeError."""
        ...

    def spawn(self, what: Coroutine[Any, Any, int]) -> asyncio.Task[int]:
        """Run on the host."""
        ...

    def wake(self) -> None:
        """Have containers looked at soon."""
        ...


class ContainerLife:
    """One container of one Pod, through all its restarts."""

    def __init__(
        self, spec: ContainerSpec, ground: Ground, *, policy: str, waits: str, told: ContainerStatus | None = None
    ) -> None:
        """`policy` is Always, OnFailure or Never; `told` is what was last said of it before its host went down."""
        self.spec = spec
        self.stage = Stage.TURN
        self.is_ending = False  # for good
        self._ground = ground
        self._policy = policy
        self._state: State = {"waiting": {"reason": waits}}
        self._last: State = {}
        self._restarts = -1  # before the first start
        self._due = inf
        self._kill_at = inf
        self._signal = ASKED_TO_END, "Error"  # the code and reason with which it ends if it returns no code
        self._backoff, self._pulls = BackOff(), BackOff()
        self._pull_error = ""
        self._program: Program | None = None
        self._task: asyncio.Task[int] | None = None
        self._words = Disk()
        self._born: datetime | None = None
        self._began = self._ended_at = 0.0
        self._askings: dict[str, tuple[Probe, Asking]] = {}
        if told is not None:
            self._remember(told)

    # --- what is to be told of it

    @property
    def is_started(self) -> bool:
        """Whether it runs, and its startup probe is content."""
        return self._program is not None and "startup" not in self._askings

    @property
    def is_ready(self) -> bool:
        """Whether it takes traffic."""
        if not self.is_started:
            return False
        asked = self._askings.get("readiness")
        return asked is None or bool(asked[1].verdict)

    @property
    def has_begun(self) -> bool:
        """Whether it runs, ran, or could not: before that nothing is worth a word."""
        return self._restarts >= 0 or self.stage not in (Stage.TURN, Stage.IMAGE, Stage.START)

    @property
    def has_ended(self) -> bool:
        """Whether it ended for good."""
        return self.stage is Stage.END

    @property
    def has_succeeded(self) -> bool:
        """Whether it ended for good, and well."""
        return self.has_ended and self._state.get("terminated", {}).get("exitCode") == 0

    def seen(self, *, is_done: bool = False) -> Seen:
        """All that is told of it."""
        has_run = self._restarts >= 0
        return Seen(
            name=self.spec.name,
            image=self.spec.image,
            state=self._state,
            last=self._last,
            restarts=max(self._restarts, 0),
            ready=self.is_ready or (is_done and self.has_succeeded),
            started=self.is_started,
            is_done=is_done,
            image_id=identity(self.spec.image) if has_run else "",
            container_id=self._id() if has_run else "",
        )

    # --- what is done with it

    def due(self) -> float:
        """When to look at it again, as monotonic seconds."""
        return min(self._due, *(asking.due() for _, asking in self._askings.values()), inf)

    def begin(self) -> None:
        """It is its turn."""
        if self.stage is Stage.TURN:
            self._try_image()

    def retry(self) -> None:
        """Something came that it may have waited for."""
        if self.stage is Stage.OFF and self._state.get("waiting", {}).get("reason") == "CreateContainerConfigError":
            self._due = self._now

    def change_image(self, spec: ContainerSpec) -> None:
        """It is to be another one from now on: whatever runs ends, and the new one follows at once."""
        self.spec = spec
        self._backoff, self._pulls = BackOff(), BackOff()
        if self.stage is Stage.RUN:
            self._leave(self._ground.grace_s)
        elif self.stage in (Stage.IMAGE, Stage.START, Stage.CRASHED, Stage.NO_IMAGE, Stage.OFF):
            self._try_image()

    def end(self, grace_s: float) -> None:
        """End it for good, within so many seconds; asked again, it ends by the earlier one."""
        self.is_ending = True
        if self.stage in (Stage.RUN, Stage.HOOK, Stage.STOP):
            self._leave(grace_s)
        elif self.stage is not Stage.END:
            self._settle(Stage.END)

    def be_killed(self, code: int, reason: str) -> None:
        """Something on its host kills it at once."""
        if self._task is not None and not self._task.done():
            self._signal = code, reason
            _put_down(self._task)

    def abandon(self) -> None:
        """Its host has no power any more."""
        if self._task is not None:
            _put_down(self._task)

    async def step(self) -> None:
        """Do what is due. Raises KubeError."""
        if self._task is not None and self._task.done():
            self._ended(self._task)
        if self._askings:
            self._ask()
        if self._due <= self._now:
            if self.stage is Stage.START:
                await self._start()
            else:
                self._go_on()

    def _go_on(self) -> None:
        match self.stage:
            case Stage.IMAGE:
                self._pulled()
            case Stage.HOOK:
                self._terminate()
            case Stage.STOP:
                self._kill()
            case Stage.SEEN:
                self._see_end()
            case Stage.CRASHED:
                self._restart()
            case Stage.NO_IMAGE:
                self._try_pull_again()
            case Stage.OFF:
                self._try_image()
            case _:
                self._due = inf

    # --- image and start

    @property
    def _now(self) -> float:
        return self._ground.clock.monotonic()

    def _settle(self, stage: Stage, after_s: float = inf) -> None:
        self.stage = stage
        self._due = self._now + after_s

    def _wait(self, reason: str, message: str = "") -> None:
        self._state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}

    def _try_image(self) -> None:
        ground, image = self._ground, self.spec.image
        has_it = image in ground.host.images
        if has_it and self.spec.image_pull_policy != "Always":
            self._settle(Stage.START, ground.times.start.draw(ground.random) * ground.host.slowness)
        elif not has_it and self.spec.image_pull_policy == "Never":
            self._wait("ErrImageNeverPull", f'Container image "{image}" is not present with pull policy of Never')
            self._settle(Stage.OFF, ground.times.retry.draw(ground.random))
        else:
            seconds = 0.2 if has_it or ground.registry.refusal(image) else ground.times.pull.draw(ground.random)
            self._settle(Stage.IMAGE, seconds * ground.host.slowness)

    def _pulled(self) -> None:
        ground, image = self._ground, self.spec.image
        refusal = ground.registry.refusal(image)
        if not refusal and image not in ground.host.images and (trouble := ground.host.pull_refusal()):
            refusal = f'rpc error: code = Unknown desc = failed to pull and unpack image "{image}": {trouble}'
        if refusal:
            self._pull_error = refusal
            self._pulls = self._pulls.tried(self._now)
            self._wait("ErrImagePull", refusal)
            self._settle(Stage.NO_IMAGE, ground.times.retry.draw(ground.random))
            return
        ground.host.images[image] = None
        self._settle(Stage.START, ground.times.start.draw(ground.random) * ground.host.slowness)

    async def _start(self) -> None:
        if self._ground.host.ailments.has(Ail.RUNTIME):
            self._settle(Stage.START, self._ground.times.retry.draw(self._ground.random))
            return
        if refusal := self._ground.host.refusal():
            self._wait("CreateContainerError", refusal)
            self._settle(Stage.OFF, self._ground.times.retry.draw(self._ground.random))
            return
        self._words = Disk()
        try:
            program = await self._ground.program(self.spec, self._words, self._ground.wake)
        except ConfigError as error:
            self._wait("CreateContainerConfigError", str(error))
            self._settle(Stage.OFF, self._ground.times.retry.draw(self._ground.random))
            return
        self._restarts += 1
        self._program = program
        self._born, self._began = self._ground.host.now(self._ground.clock), self._now
        self._state = {"running": {"startedAt": _time(self._born)}}
        self._signal, self._kill_at = (ASKED_TO_END, "Error"), inf
        self._ground.host.processes[self._id()] = Process(self._ground.key, self.spec.name, self.be_killed)
        self._task = self._ground.spawn(program.run())
        self._task.add_done_callback(lambda _: self._ground.wake())
        self._settle(Stage.RUN)
        if self.spec.startup_probe is not None:
            self._add("startup", self.spec.startup_probe, None)
        else:
            self._add_lasting()

    # --- probes

    def _add_lasting(self) -> None:
        if self.spec.readiness_probe is not None:
            self._add("readiness", self.spec.readiness_probe, False)
        if self.spec.liveness_probe is not None:
            self._add("liveness", self.spec.liveness_probe, True)

    def _add(self, name: str, probe: Probe, verdict: bool | None) -> None:
        first = first_at(probe, self._now, self._began)
        self._askings[name] = (probe, Asking(probe, first, answer=self._answer(probe), verdict=verdict))

    def _ask(self) -> None:
        now = self._now
        for probe, asking in self._askings.values():
            asking.answered(now, self._answer(probe))
        startup = self._askings.get("startup")
        if startup is not None and startup[1].verdict:
            del self._askings["startup"]
            self._add_lasting()
            self._ask()
            return
        for name in ("startup", "liveness"):
            if name not in self._askings or self.stage is not Stage.RUN:
                continue
            probe, asking = self._askings[name]
            if asking.verdict is False:
                own = probe.termination_grace_period_seconds
                self._leave(float(own) if own is not None else self._ground.grace_s)

    def _answer(self, probe: Probe) -> bool:
        request, program = probe.request, self._program
        if program is None:
            return False
        if request is None:
            return True
        return program.answers(self._port(request.port), request.path if probe.http_get is not None else "")

    def _port(self, port: int | str) -> int:
        if isinstance(port, int):
            return port
        return next((each.container_port for each in self.spec.ports if each.name == port), 0)

    # --- the end

    def _leave(self, grace_s: float) -> None:
        """Ask it to end, after its hook; it is killed when the time is over."""
        self._kill_at = min(self._kill_at, self._now + grace_s)
        if self.stage is Stage.RUN:
            hook = self.spec.lifecycle.pre_stop if self.spec.lifecycle is not None else None
            pause_s = float(hook.sleep.seconds) if hook is not None and hook.sleep is not None else 0.0
            self._settle(Stage.HOOK, min(pause_s, grace_s))
        self._due = min(self._due, self._kill_at)

    def _terminate(self) -> None:
        assert self._task is not None  # noqa: S101  (it runs)
        self._task.cancel()
        self.stage, self._due = Stage.STOP, self._kill_at

    def _kill(self) -> None:
        assert self._task is not None  # noqa: S101
        self._signal = KILLED, "Error"
        _put_down(self._task)
        self._due = inf
        if not self._task.done():
            self._put_away(*self._signal)

    def _ended(self, task: asyncio.Task[int]) -> None:
        if task.cancelled():
            self._put_away(*self._signal)
        else:
            code = task.result()
            self._put_away(code, "Error" if code else "Completed")

    def _put_away(self, code: int, reason: str) -> None:
        """It has ended: for good, or until it is started again."""
        self._ground.host.processes.pop(self._id(), None)
        self._ended_at = self._now
        was = {"startedAt": _time(self._born), "finishedAt": _time(self._ground.host.now(self._ground.clock))}
        message = str(self._words.content.get("message", ""))[-_LONGEST_MESSAGE:]
        told = {"exitCode": code, "reason": reason, **was, "containerID": self._id()}
        self._state = {"terminated": {**told, "message": message} if message else told}
        self._task, self._program, self._askings = None, None, {}
        if self.is_ending or not self._comes_back(code):
            self._settle(Stage.END)
        else:
            self._settle(Stage.SEEN, self._ground.times.relist.draw(self._ground.random))

    def _comes_back(self, code: int) -> bool:
        return self._policy == "Always" or (self._policy == "OnFailure" and code != 0)

    def _see_end(self) -> None:
        """Its kubelet sees that it ended: it is started again, at once or after a back-off."""
        self._last = self._state
        until = self._backoff.until(self._ended_at)
        if until <= self._now:
            self._restart()
            return
        name, wait = self.spec.name, spoken(self._backoff.wait_s)
        self._wait("CrashLoopBackOff", f"back-off {wait} restarting failed container={name} pod={self._ground.name}")
        self._settle(Stage.CRASHED, until - self._now)

    def _restart(self) -> None:
        self._backoff = self._backoff.tried(self._now)
        self._try_image()

    def _try_pull_again(self) -> None:
        left_s = self._pulls.at + self._pulls.wait_s - self._now
        if left_s <= 0:
            self._try_image()
            return
        text = f'Back-off pulling image "{self.spec.image}": ErrImagePull: {self._pull_error}'
        self._wait("ImagePullBackOff", text)
        self._settle(Stage.NO_IMAGE, left_s)

    def _remember(self, told: ContainerStatus) -> None:
        """It ran before its host went down: this start is a restart."""
        has_run = told.state.running is not None or told.state.terminated is not None or told.restart_count > 0
        if not has_run:
            return
        self._restarts = told.restart_count
        running = told.state.running
        born = running.started_at if running is not None else None
        now = self._ground.host.now(self._ground.clock)
        was = {"startedAt": _time(born or now), "finishedAt": _time(now)}
        self._last = {"terminated": {"exitCode": _LOST, "reason": "Unknown", **was, "containerID": self._id()}}

    def _id(self) -> str:
        text = f"{self._ground.uid}/{self.spec.name}/{self._restarts}"
        return f"containerd://{hashlib.sha256(text.encode()).hexdigest()}"


def _put_down(task: asyncio.Task[int], tries: int = _TRIES) -> None:
    """Kill a program: nothing that it does to end in order goes on for longer than a few steps."""
    if not task.done() and tries > 0:
        task.cancel()
        # As a timer, not as a callback: those go before all tasks, also before the one that is to end.
        asyncio.get_running_loop().call_later(0, _put_down, task, tries - 1)


def _time(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment is not None else None
