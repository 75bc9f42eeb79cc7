"""`--wait`: a command line beside an operator at work returns when the operator has followed, and tells the way."""

from __future__ import annotations

import asyncio
import os
import sys

from msgspec import Struct
from tests.support.apiserver import ApiServer
from tests.support.cells import Cell

from homeostat.api.cluster.v1alpha1 import CLUSTER
from homeostat.cli.exits import Exit
from homeostat.operators.cluster.words import ACCEPTED
from homeostat.runtime.conditions import find_condition

OLD, NEW = "v1.34.4", "v1.35.4"


class Done(Struct, frozen=True):
    """What a command did, with its lines."""

    code: int | None
    out: list[str]
    err: list[str]


async def begun(server: ApiServer, *arguments: str) -> asyncio.subprocess.Process:
    """A command line in a process of its own, as a person has it beside an operator."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from homeostat.cli.main import main; main()", *arguments),
        env={**os.environ, "KUBECONFIG": str(server.kubeconfig)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process, told: list[str]) -> Done:
    """How it ended, with what of its standard error was read before."""
    out, err = await process.communicate()
    return Done(process.returncode, out.decode().splitlines(), [*told, *err.decode().splitlines()])


async def homeostat(server: ApiServer, *arguments: str) -> Done:
    """A command line, from its beginning to its end."""
    return await ended(await begun(server, *arguments), [])


async def accepted(cell: Cell) -> str:
    """What the API server has, not what somebody's watch has heard of it: the command's own may be ahead."""
    cluster = await cell.client.get(CLUSTER, "demo", cell.namespace)
    found = find_condition(cluster.status.conditions, ACCEPTED)
    return found.reason if found is not None else ""


async def test_who_waits_for_an_upgrade_is_told_how_far_each_master_is(cell: Cell, server: ApiServer) -> None:
    image = f"homeostat.local/kube-apiserver:{NEW}"
    cell.kubelet.behave("start", image)  # until the person has seen that it is awaited
    words = ("upgrade", "cluster", "demo", "-n", cell.namespace, "--to", NEW, "--wait", "--timeout", "90s")
    async with cell.operator(haste=3):
        await cell.declare(packageVersion=OLD)
        await cell.until_ready()
        process, told = await begun(server, *words), [""]
        assert process.stderr is not None
        async with asyncio.timeout(60):
            while "kube-apiserver" not in told[-1]:
                told.append((await process.stderr.readline()).decode().rstrip())
        cell.kubelet.behave("run", image)
        done = await ended(process, told)
    assert (done.code, done.out[-1]) == (Exit.OK, f"cluster demo: all masters are of {NEW}"), done
    for master in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        assert [line for line in done.err if line.startswith("cluster demo: ") and master in line], (master, done.err)
    assert all(a != b for a, b in zip(done.err, done.err[1:], strict=False)), "each state is told once"


async def test_who_waits_for_a_pause_has_a_cluster_that_holds_and_a_resumed_one_goes_on(
    cell: Cell, server: ApiServer
) -> None:
    words = ("cluster", "demo", "-n", cell.namespace, "--wait", "--timeout", "60s")
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
        done = await homeostat(server, "pause", *words)
        assert (done.code, done.out) == (
            Exit.OK,
            ["cluster demo: paused", "cluster demo: the operator touches nothing of it"],
        )
        assert await accepted(cell) == "Paused"
        done = await homeostat(server, "resume", *words)
        assert (done.code, done.out) == (Exit.OK, ["cluster demo: resumed", "cluster demo: the operator goes on"])
        assert await accepted(cell) == "AsDeclared"


async def test_who_waits_for_a_resume_is_told_what_else_holds_the_cluster(cell: Cell, server: ApiServer) -> None:
    words = ("cluster", "demo", "-n", cell.namespace, "--wait", "--timeout", "60s")
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
        assert (await homeostat(server, "pause", *words)).code == Exit.OK
        await cell.set_spec(packageVersion="v9")
        done = await homeostat(server, "resume", *words)
    assert done.code == Exit.FAILURE
    assert "error: cluster demo: PackageVersionNotFound: " in done.err[-1]


async def test_a_pause_that_no_operator_follows_ends_with_the_time(cell: Cell, server: ApiServer) -> None:
    await cell.declare()
    done = await homeostat(server, "pause", "cluster", "demo", "-n", cell.namespace, "--wait", "--timeout", "500ms")
    assert (done.code, done.err[-2]) == (Exit.TIMEOUT, "error: cluster demo: not paused after 0.5 s")
