"""An operator with more to do than workers: it mends first, then moves what is on its way, then makes what is new.

There is one worker, and it has all three to do at once, what matters least having come first. What it writes to whose
objects tells in which order it went.
"""

from __future__ import annotations

from tests.support.cells import Cell
from tests.support.faults import Sent, writes_of
from tests.support.kubelet import COMPONENT, KINDS, Whole
from tests.support.operating import Operator

from homeostat.operators.cluster.names import TRIAL

OLD, NEW = "v1.34.4", "v1.35.4"
ILL, MOVER, BUSY = "ill", "mover", "busy"
FRESH = tuple(f"fresh-{number}" for number in range(6))
IN_ORDER = [ILL, MOVER, "fresh"]


async def bring_about(cell: Cell) -> None:
    """One cluster without a working API server, one in the middle of a move, and one that is well."""
    for name in (ILL, MOVER, BUSY):
        await cell.declare(name, packageVersion=OLD)
    for name in (ILL, MOVER, BUSY):
        await cell.until_ready(name)
    cell.kubelet.behave("start", f"homeostat.local/kube-apiserver:{NEW}")  # the one that is tried
    await cell.set_spec(MOVER, packageVersion=NEW)
    await cell.kubelet.until(lambda: trials(cell) and "is tried" in told(cell), "one is tried, and awaited")
    (server,) = (pod for pod in cell.all("Pod") if pod["metadata"]["name"].startswith(f"{ILL}-apiserver"))
    cell.kubelet.behave("start", server["metadata"]["name"])
    await cell.kubelet.until(lambda: cell.condition("APIServerReady", ILL)["status"] == "False", "it is told")


async def ask_for_all(cell: Cell) -> None:
    """Let there be something to make, to move and to mend, in this order."""
    for name in FRESH:
        await cell.declare(name)
    cell.kubelet.behaviour.pop(f"homeostat.local/kube-apiserver:{NEW}")
    cell.kubelet.look_again()
    await cell.kubelet.until(lambda: is_tried(cell), "the one that is tried is ready")
    await cell.client.delete(KINDS["Deployment"], f"{ILL}-apiserver", cell.namespace)
    await cell.kubelet.until(lambda: cell.find("Deployment", f"{ILL}-apiserver") is None, "it is gone")


def trials(cell: Cell) -> list[Whole]:
    """The API servers that are tried beside the others."""
    return [pod for pod in cell.all("Pod") if pod["metadata"]["labels"][COMPONENT] == TRIAL]


def told(cell: Cell) -> str:
    """What the one that moves waits for."""
    return str(cell.condition("UpToDate", MOVER).get("message", ""))


def is_tried(cell: Cell) -> bool:
    conditions = [each for pod in trials(cell) for each in pod["status"].get("conditions", ())]
    return any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)


async def until_all_are_begun(cell: Cell) -> None:
    await cell.kubelet.until(lambda: all("startedAt" in cell.status(name) for name in FRESH), "all are begun")


def order(writes: list[Sent]) -> list[str]:
    """Whose objects were written first, then whose, and so on; all that are new together."""
    named = (next((part for part in sent.path.split("/") if part.startswith((*IN_ORDER, BUSY))), "") for sent in writes)
    met = dict.fromkeys(part.partition("-")[0] for part in named)
    return [name for name in met if name in IN_ORDER]


async def test_of_all_that_waits_for_the_worker_it_mends_first_then_moves_then_makes(cell: Cell) -> None:
    async with cell.operator(workers=1) as operator:
        await bring_about(cell)
        held = operator.faults.hold(when=lambda sent: writes_of("deployments")(sent) and BUSY in sent.path)
        await cell.client.delete(KINDS["Deployment"], f"{BUSY}-scheduler", cell.namespace)
        await cell.kubelet.until(lambda: held.met, "the worker is busy")
        begun = len(operator.faults.writes)
        await ask_for_all(cell)
        await cell.kubelet.until(lambda: waiting(operator) == len(FRESH) + 2, "all wait for the worker")
        assert operator.faults.writes[begun:] == []
        assert held.until is not None
        held.until.set()
        await until_all_are_begun(cell)
        assert order(operator.faults.writes[begun:]) == IN_ORDER


def waiting(operator: Operator) -> float:
    return operator.value("queue_depth", name="cluster")


async def test_an_operator_that_starts_anew_mends_before_it_moves_and_moves_before_it_makes(cell: Cell) -> None:
    async with cell.operator(workers=1):
        await bring_about(cell)
    await ask_for_all(cell)
    async with cell.operator(workers=1) as operator:
        await until_all_are_begun(cell)
        assert order(operator.faults.writes) == IN_ORDER
