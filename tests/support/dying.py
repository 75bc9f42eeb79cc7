"""Operators that die at random moments, and what comes into being meanwhile: for tests that nothing is done twice."""

from __future__ import annotations

import random
import subprocess
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import NamedTuple, Self

from tests.support.datacentre import Centre
from tests.support.masters import Whole, signal

HOME = "homeostat-system"
OPERATORS = ("-n", HOME, "-l", "app.kubernetes.io/name=homeostat")
FIELDS = (
    r"{.metadata.labels.app\.kubernetes\.io/component}",
    "{.metadata.uid}",
    "{.metadata.deletionTimestamp}",
    '{.status.conditions[?(@.type=="Ready")].status}',
)
HEARD = f"jsonpath={'|'.join(FIELDS)}{{'\\n'}}"
LEASE = "homeostat-cell"
LONGEST_S = 60.0  # of a death
AFTER = timedelta(seconds=2)  # a renewal by one who is about to die is not one of a successor


class Told(NamedTuple):
    """What a watch told of a Pod at one moment."""

    component: str
    uid: str
    is_going: bool
    is_ready: bool


class Deaths:
    """All operators of a data centre die together at random moments, by force or by SIGKILL, until the block ends.

    Each time one has led for a while: who could not give the lease up is waited for, for 15 s. Deaths that come faster
    than that leave nobody who acts, and prove nothing.
    """

    def __init__(self, centre: Centre, chance: random.Random, led_s: tuple[float, float]) -> None:
        self.by: Counter[str] = Counter()
        self._centre, self._chance, self._led_s = centre, chance, led_s
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deaths")
        self._failure: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        self._end.set()
        self._thread.join(LONGEST_S)
        self._centre.kubectl("rollout", "status", "deployment/homeostat", "-n", HOME, f"--timeout={LONGEST_S:g}s")
        if self._failure is not None and kind is None:
            raise self._failure

    def _run(self) -> None:
        try:
            while not self._end.wait(self._chance.uniform(*self._led_s)):
                self._die()
                self._await_leader(datetime.now(UTC))
        except (AssertionError, OSError, subprocess.SubprocessError) as failure:
            self._failure = failure

    def _await_leader(self, since: datetime) -> None:
        """Wait until somebody leads who has renewed the lease after a death."""
        until = time.monotonic() + LONGEST_S
        while not self._end.wait(0.5):
            spec = self._centre.get("lease", LEASE, "-n", HOME)["spec"]
            if spec.get("holderIdentity") and datetime.fromisoformat(spec["renewTime"]) > since + AFTER:
                return
            assert time.monotonic() < until, f"nobody leads {LONGEST_S:g} s after all operators died: {spec}"

    def _die(self) -> None:
        pods = self._centre.get("pods", *OPERATORS)["items"]
        # A process that is killed once more is not started again at once by its kubelet; another Pod is.
        if self._chance.random() < 0.5 and all(starts(pod) == 0 for pod in pods):
            for pod in pods:
                with suppress(AssertionError):  # it has not started yet
                    signal(self._centre, pod, "KILL")
                    self.by["SIGKILL"] += 1
        else:
            self._centre.kubectl("delete", "pods", *OPERATORS, "--grace-period=0", "--force", "--wait=false")
            self.by["deletion"] += len(pods)


def starts(pod: Whole) -> int:
    """How often its containers were started again."""
    return sum(each["restartCount"] for each in pod["status"].get("containerStatuses", ()))


class Births:
    """The Pods of one cluster's masters that come into being until the block ends, heard by a watch."""

    def __init__(self, centre: Centre, namespace: str, cluster: str) -> None:
        self._centre = centre
        self._pods = ("pods", "-n", namespace, "-l", f"cluster.homeostat.dev/name={cluster}")
        self._before: set[str] = set()
        self._told = tempfile.TemporaryFile("w+")  # noqa: SIM115  (closed by the block)

    def __enter__(self) -> Self:
        self._before = {pod["metadata"]["uid"] for pod in self._centre.get(*self._pods)["items"]}
        command = [str(self._centre.inner.kubectl), "--kubeconfig", str(self._centre.inner.kubeconfig)]
        self._watch = subprocess.Popen([*command, "get", *self._pods, "--watch", "-o", HEARD], stdout=self._told)
        return self

    def __exit__(self, *error: object) -> None:
        self._watch.terminate()
        self._watch.wait(LONGEST_S)
        self._told.close()

    def counted(self) -> dict[str, int]:
        """How many there were until now, by component."""
        return dict(Counter(told[0].component for told in self._by_uid().values()))

    def turns(self) -> list[str]:
        """Which components came into being in turn; those of one that came one after the other are one turn."""
        return [component for component, _ in groupby(told[0].component for told in self._by_uid().values())]

    def most_at_once(self) -> int:
        """Of how many at most it was awaited at one moment that they become ready for the first time."""
        coming: set[str] = set()
        known, most = set(self._before), 0
        for told in self._heard():
            if told.is_ready or told.is_going:
                coming.discard(told.uid)
                known.add(told.uid)
            elif told.uid not in known:
                coming.add(told.uid)
            most = max(most, len(coming))
        return most

    def _by_uid(self) -> dict[str, list[Told]]:
        """What was heard of each that was not there before, in the order in which they came."""
        found: dict[str, list[Told]] = {}
        for told in self._heard():
            if told.uid not in self._before:
                found.setdefault(told.uid, []).append(told)
        return found

    def _heard(self) -> list[Told]:
        self._told.seek(0)
        words = (line.split("|") for line in self._told.read().splitlines())
        whole = (each for each in words if len(each) == len(FIELDS))
        return [Told(component, uid, bool(going), ready == "True") for component, uid, going, ready in whole]
