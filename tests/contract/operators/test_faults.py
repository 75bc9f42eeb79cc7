"""An API server that refuses, fails, cuts and forgets to answer: the end is the same, and nothing is there twice."""

from __future__ import annotations

import pytest
from tests.support.cells import Cell
from tests.support.faults import Faults, When, is_write, writes_of

from homeostat.kube.transport import Request

REASONS = {403: "Forbidden", 409: "Conflict", 429: "TooManyRequests", 500: "InternalError"}


def first_of_each() -> When:
    """Accepts every write once: as often as it is tried again, the second try passes."""
    seen = set[tuple[str, str]]()

    def when(request: Request) -> bool:
        key = (request.method, request.path)
        if not is_write(request) or key in seen:
            return False
        seen.add(key)
        return True

    return when


def assert_nothing_is_doubled(cell: Cell, faults: Faults) -> None:
    """Every object was made once, and no Pod was ever replaced."""
    assert sorted(pod.rpartition("-")[0].split("-", 1)[1][:4] for _, pod in cell.kubelet.started) == [
        "apis",
        "cont",
        "etcd",
        "sche",
    ]
    assert len(cell.all("Secret")) == 6
    assert len(cell.all("Service")) == 3
    created = [sent for sent in faults.writes if sent.method == "POST" and sent.status == 201]
    assert len(created) == 1, "only the authorities are created, all else is applied"


@pytest.mark.parametrize("code", sorted(REASONS))
async def test_a_cluster_whose_every_write_is_refused_once_becomes_ready(cell: Cell, code: int) -> None:
    async with cell.operator(haste=10) as operator:
        rule = operator.faults.refuse(code, REASONS[code], when=first_of_each())
        await cell.declare()
        status = await cell.until_ready()
        assert rule.met > 10
        assert "attempts" not in status
        await cell.until_condition("Accepted", "AsDeclared")
        assert_nothing_is_doubled(cell, operator.faults)


async def test_a_write_whose_answer_was_lost_is_not_done_twice(cell: Cell) -> None:
    async with cell.operator(haste=10) as operator:
        rule = operator.faults.lose_answers(when=first_of_each(), times=1000)
        await cell.declare()
        await cell.until_ready()
        assert rule.met > 10
        assert_nothing_is_doubled(cell, operator.faults)


@pytest.mark.parametrize("how", ["refused", "lost"])
async def test_a_deletion_in_which_every_write_fails_once_ends(cell: Cell, how: str) -> None:
    cell.kubelet.collects_pods = True
    async with cell.operator(haste=10) as operator:
        await cell.declare()
        await cell.until_ready()
        if how == "refused":
            operator.faults.refuse(500, "InternalError", when=first_of_each())
        else:
            operator.faults.lose_answers(when=first_of_each(), times=1000)
        await cell.delete()
        await cell.until_gone()
    left = {kind: cell.all(kind) for kind in ("Secret", "Service", "Deployment", "StatefulSet", "Pod")}
    assert not any(left.values())


async def test_watches_that_are_cut_again_and_again_lose_nothing(cell: Cell) -> None:
    cell.kubelet.behave("hold", "etcd", "kube-apiserver", "kube-scheduler")
    async with cell.operator(haste=20) as operator:
        cut = 0
        await cell.declare()
        for component, condition in (("etcd", "EtcdReady"), ("kube-apiserver", "APIServerReady")):
            await cell.until_condition(condition, "Progressing")
            cut += operator.faults.cut_watches()
            cell.kubelet.behave("run", component)
        await cell.until_condition("ControllersReady", "Progressing")
        cut += operator.faults.cut_watches()
        cell.kubelet.behave("run", "kube-scheduler")
        await cell.until_ready()
        cut += operator.faults.cut_watches()
        cell.kubelet.behave("crash", "kube-scheduler")
        await cell.until_condition("Ready", "Crashing")
        assert cut > 20
        assert_nothing_is_doubled(cell, operator.faults)


@pytest.mark.parametrize(
    ("plural", "verb", "name"),
    [
        ("clusters", "patch", "demo"),
        ("secrets", "create", "demo-pki"),
        ("services", "apply", "demo-etcd"),
        ("statefulsets", "apply", "demo-etcd"),
        ("deployments", "apply", "demo-apiserver"),
    ],
)
async def test_a_lasting_refusal_is_told_with_verb_and_object(cell: Cell, plural: str, verb: str, name: str) -> None:
    only_object = writes_of(plural)
    async with cell.operator(haste=20) as operator:
        operator.faults.refuse(
            403,
            "Forbidden",
            f"{plural} is forbidden",
            when=lambda request: only_object(request) and not request.path.endswith("/status"),
        )
        await cell.declare()
        told = await cell.until_condition("Accepted", "Forbidden")
        group = told["message"].split()[1].partition(".")[2]
        full = f"{plural}.{group}" if group else plural
        assert told["message"].startswith(f"{verb} {full} {cell.namespace}/{name}: ")
        operator.faults.heal()
        await cell.until_ready()


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/deployments/demo-scheduler", "delete deployments.apps {}/demo-scheduler: "),
        ("/secrets/demo-pki", "delete secrets {}/demo-pki: "),
        ("/clusters/demo", "patch clusters.cluster.homeostat.dev {}/demo: "),
    ],
)
async def test_a_deletion_that_is_refused_is_told_with_verb_and_object(cell: Cell, path: str, told: str) -> None:
    cell.kubelet.collects_pods = True
    async with cell.operator(haste=20) as operator:
        await cell.declare()
        await cell.until_ready()
        operator.faults.refuse(
            403, "Forbidden", "is forbidden", when=lambda request: is_write(request) and request.path.endswith(path)
        )
        await cell.delete()
        condition = await cell.until_condition("Accepted", "Forbidden")
        assert condition["message"].startswith(told.format(cell.namespace))
        assert cell.status()["phase"] == "Deleting"
        operator.faults.heal()
        await cell.until_gone()


async def test_what_fails_for_long_is_told_and_tried_ever_more_rarely(cell: Cell) -> None:
    async with cell.operator() as operator:
        operator.faults.refuse(409, "Conflict", "not now", when=writes_of("statefulsets"))
        began = cell.clock.monotonic()
        await cell.declare()
        told = await cell.until_condition("Accepted", "APIRefused")
        assert "apply statefulsets.apps" in told["message"]
        assert "not now" in told["message"]
        await cell.kubelet.until(lambda: cell.status().get("attempts", 0) >= 5, "it is tried five times")
        # Delays of 0.05 s, doubled each time, less a tenth.
        assert cell.clock.monotonic() - began > 0.9 * 0.05 * (1 + 2 + 4 + 8)
        tries = [sent for sent in operator.faults.writes if "/statefulsets" in sent.path]
        assert len(tries) <= cell.status()["attempts"] + 4
        operator.faults.heal()
        await cell.until_ready()
        assert "attempts" not in cell.status()


async def test_a_status_that_may_not_be_written_stops_no_work(cell: Cell) -> None:
    async with cell.operator(haste=200) as operator:
        operator.faults.refuse(403, "Forbidden", when=lambda request: request.path.endswith("/clusters/demo/status"))
        await cell.declare()
        await cell.endpoint.until_asked(1)
        assert not cell.status()
        operator.faults.heal()
        await cell.until_ready()
        assert_nothing_is_doubled(cell, operator.faults)
