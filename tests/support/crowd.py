"""Many clusters of one namespace: whether their API servers answer throughout, and whether a master is made twice."""

from __future__ import annotations

import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, Self

from msgspec import Struct
from tests.support.datacentre import Centre

Items = list[dict[str, Any]]

EVERY_S = 1.0
RARELY_S = 5.0  # on average: whoever is asked less often than that is not watched
LEAST = 5  # questions
COMPONENT = "app.kubernetes.io/component"
CLUSTER = "cluster.homeostat.dev/name"


class Answers(Struct):
    """What one API server was asked since its first answer, with which it is watched."""

    since: float | None = None
    asked: int = 0
    answered: int = 0
    slowest_s: float = 0.0

    def add(self, began: float, took_s: float, *, is_well: bool) -> None:
        """Count a question; none is owed an answer before the first one."""
        if self.since is None:
            self.since = began if is_well else None
            return
        self.asked += 1
        self.answered += is_well
        self.slowest_s = max(self.slowest_s, took_s)

    def enough(self, now: float) -> bool:
        """Whether it was asked so often that its answers say something about all of the time."""
        return self.since is not None and self.asked >= max(LEAST, (now - self.since) / RARELY_S)


class Watch:
    """Asks every endpoint every second, each in a thread of its own: one that is late keeps no other waiting."""

    def __init__(self, ask: Callable[[str], bool] | None = None) -> None:
        self.by: dict[str, Answers] = {}
        self._ask = ask or answers
        self._end = threading.Event()
        self._threads: list[threading.Thread] = []
        self._ended = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._ended = time.monotonic()
        self._end.set()
        for thread in self._threads:
            thread.join()

    def add(self, hosts: set[str]) -> None:
        for host in sorted(hosts - self.by.keys()):
            self.by[host] = Answers()
            self._threads.append(threading.Thread(target=self._run, args=(host,), name=f"watch-{host}"))
            self._threads[-1].start()

    @property
    def asked(self) -> int:
        return sum(each.asked for each in self.by.values())

    @property
    def answered(self) -> int:
        return sum(each.answered for each in self.by.values())

    @property
    def neglected(self) -> dict[str, Answers]:
        """Of whom this cannot say that they were there throughout, because they were not asked often enough."""
        return {host: each for host, each in self.by.items() if not each.enough(self._ended)}

    def told(self) -> str:
        """The figures for people."""
        watched = sum(self._ended - each.since for each in self.by.values() if each.since is not None)
        every = f"each every {watched / self.asked:.1f} s on average" if self.asked else "none ever"
        fewest = min((each.asked for each in self.by.values()), default=0)
        slowest = max((each.slowest_s for each in self.by.values()), default=0.0)
        return (
            f"{self.answered} of {self.asked} questions to {len(self.by)} API servers answered, {every}, none asked"
            f" less than {fewest} times since its first answer; the slowest answer took {slowest:.1f} s"
        )

    def _run(self, host: str) -> None:
        while not self._end.wait(EVERY_S):
            began = time.monotonic()
            is_well = self._ask(host)
            self.by[host].add(began, time.monotonic() - began, is_well=is_well)


def answers(host: str) -> bool:
    """Whether an API server says that it is ready, to anybody."""
    try:
        with urllib.request.urlopen(f"https://{host}:6443/readyz", timeout=5, context=ANYBODY) as answer:
            return int(answer.status) == 200
    except urllib.error.HTTPError as error:
        return error.code in (401, 403)  # it knows that it does not know us
    except OSError:
        return False


def anybody() -> ssl.SSLContext:
    """TLS that trusts whoever answers; made once, for that costs more than a question."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


ANYBODY = anybody()


class Sights:
    """Every Pod of the masters that was ever seen, so that one that was made anew does not look like the first."""

    def __init__(self, centre: Centre, namespace: str) -> None:
        self._centre, self._namespace = centre, namespace
        self._uids: dict[tuple[str, str], set[str]] = {}
        self._started: dict[str, int] = {}

    def look(self) -> Items:
        """See all Pods now, and return the Clusters."""
        items = self._centre.get("clusters,pods", "-n", self._namespace)["items"]
        for one in items:
            if one["kind"] == "Pod":
                self._see(one)
        return [one for one in items if one["kind"] == "Cluster"]

    def hurt(self) -> dict[str, object]:
        """What did not go on as it began: containers started again, masters made anew, or mended by healing."""
        clusters = self.look()
        found: dict[str, object] = {f"Pod {name} started again": times for name, times in self._started.items()}
        found |= {f"{key} made {len(uids)} times": uids for key, uids in self._uids.items() if len(uids) > 1}
        for one in clusters:
            healing = one.get("status", {}).get("healing", {})
            if healing.get("restarts") or healing.get("attempts"):
                found[f"Cluster {one['metadata']['name']} mended"] = healing
        return found

    def masters(self) -> set[tuple[str, str]]:
        """Clusters and components of which a Pod was seen."""
        return set(self._uids)

    def _see(self, pod: dict[str, Any]) -> None:
        meta = pod["metadata"]
        key = (meta["labels"].get(CLUSTER, ""), meta["labels"].get(COMPONENT, ""))
        self._uids.setdefault(key, set()).add(meta["uid"])
        times = sum(each["restartCount"] for each in pod["status"].get("containerStatuses", ()))
        if times:
            self._started[meta["name"]] = times
