"""An operator that dies right before or after any of its writes leaves nothing that its successor cannot finish."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from typing import Literal

import msgspec
import pytest
from tests.contract.operators.conftest import Cell, clear, open_zone
from tests.contract.operators.test_topology import ZONES
from tests.support.kubelet import KINDS, Kubelet, Whole
from tests.support.membership import Etcds, FakeEtcd
from tests.support.operating import FakeEndpoint, Operator

from homeostat.api.core import NAMESPACE, NODE
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.transport import Transport

pytestmark = pytest.mark.real

Moment = Literal["before", "after"]
Begin = Callable[[Cell], Awaitable[None]]
AT_ONCE = 12  # how many operators run side by side
WITHIN_S = 120.0  # dozens at once, perhaps on a busy machine
LEAST_DEATHS = 15  # fewer would mean that nothing was tested
PREFIX = "kill-"
OLD, NEW, HOSTED = "v1.34.4", "v1.35.4", "v1.35.4-hosted"
_numbers = count()


class Yard:
    """Makes cells that share one double, and starts operators that serve them all."""

    def __init__(self, transport: Transport, client: Client, kubelet: Kubelet) -> None:
        self._transport, self._client, self.kubelet = transport, client, kubelet
        self._etcds: dict[str, FakeEtcd] = {}
        self.haste = 1.0

    async def cell(self) -> Cell:
        """A cell in a namespace of its own, with something in it that is nobody's business."""
        name = f"{PREFIX}{next(_numbers):03}"
        await self._client.create(NAMESPACE, {"metadata": {"name": name}})
        await self._client.create(KINDS["Secret"], {"metadata": {"name": "stranger", "namespace": name}})
        cell = Cell(self._transport, self._client, self.kubelet, name)
        cell.etcd.runs = lambda member: cell.find("Pod", member) is not None
        self._etcds[name] = cell.etcd
        cell.haste = self.haste
        return cell

    def operator(self) -> Operator:
        """An operator for all cells."""
        return Operator(self._transport, endpoint=FakeEndpoint(), etcd=Etcds(self._etcds), haste=self.haste)


@pytest.fixture
async def yard(transport: Transport, client: Client) -> AsyncIterator[Yard]:
    kubelet = Kubelet(client, clock=SystemClock(), random=system_random(), prefix=PREFIX)
    kubelet.collects_pods = True
    async with kubelet.running():
        yard = Yard(transport, client, kubelet)
        yield yard
        await clear(client, [one for one in kubelet.all("Cluster") if one["metadata"]["namespace"].startswith(PREFIX)])


@pytest.fixture
async def zones(yard: Yard, client: Client) -> AsyncIterator[Yard]:
    """The same, in a cell with three zones."""
    for zone in ZONES:
        await open_zone(client, zone)
    yield yard
    for zone in ZONES:
        await client.delete(NODE, f"topology-{zone}")


async def killed(cell: Cell, moment: Moment, write: int, begin: Begin, done: Begin) -> bool:
    """Run an operator until it dies at a write, or is done before that; whether it died."""
    async with cell.operator() as operator:
        operator.faults.kill_at(moment, write)
        await begin(cell)
        died, finished = asyncio.ensure_future(operator.faults.stopped.wait()), asyncio.ensure_future(done(cell))
        await asyncio.wait((died, finished), return_when=asyncio.FIRST_COMPLETED)
        found = died.done()
        for task in (died, finished):
            task.cancel()
        await asyncio.gather(died, finished, return_exceptions=True)
        return found


async def kill_at_every_write(cells: list[Cell], begin: Begin, done: Begin, step: int) -> list[str]:
    """Kill one operator in each cell, each at another point; says where."""
    room = asyncio.Semaphore(AT_ONCE)

    async def kill(cell: Cell, moment: Moment, write: int) -> str:
        async with room:
            died = await killed(cell, moment, write, begin, done)
        return f"{moment} write {write}" if died else "not"

    chosen = moments(len(cells) * step)[::step]
    return list(await asyncio.gather(*(kill(cell, *when) for cell, when in zip(cells, chosen, strict=True))))


def moments(writes: int) -> list[tuple[Moment, int]]:
    """Right before write 1, right after it, before 3, after 3, ...: before 3 leaves what after 2 leaves.

    So every state that a death can leave is met, once.
    """
    return [("after" if number % 2 else "before", number // 2 * 2 + 1) for number in range(writes)]


# A third of all moments, over the whole length, is enough for every change; `make soak` takes all of them.
THIRD_OR_ALL = pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.soak)])


async def count_writes(cell: Cell, begin: Begin, done: Begin) -> int:
    """How many writes it takes when nobody is killed."""
    async with cell.operator() as operator:
        await begin(cell)
        await done(cell)
        # What is still under way when all is done does not count.
        return len(operator.faults.writes)


async def declare(cell: Cell) -> None:
    await cell.declare()


async def ready(cell: Cell) -> None:
    """Ready, and what follows from that is done too."""
    await cell.until_ready(within_s=WITHIN_S)

    def is_settled() -> bool:
        membership = cell.find("ConfigMap", "demo-etcd") or {"data": {}}
        return membership["data"].get("initial-cluster-state") == "existing" and "rollback" in cell.status()

    await cell.kubelet.until(is_settled, "it is settled", within_s=WITHIN_S)


async def delete(cell: Cell) -> None:
    await cell.delete()


async def gone(cell: Cell) -> None:
    await cell.until_gone(within_s=WITHIN_S)


async def upgrade(cell: Cell) -> None:
    await cell.set_spec(packageVersion=NEW)


async def upgraded(cell: Cell) -> None:
    def there() -> bool:
        return cell.status().get("packageVersion") == NEW and "upgrade" not in cell.status()

    await cell.kubelet.until(there, f"the masters are of {NEW}", within_s=WITHIN_S)
    await cell.until_ready(within_s=WITHIN_S)


@THIRD_OR_ALL
async def test_a_creation_that_is_cut_at_any_write_ends_as_if_it_had_not_been(yard: Yard, step: int) -> None:
    undisturbed = await yard.cell()
    writes = await count_writes(undisturbed, declare, ready)
    cells = [await yard.cell() for _ in range(writes // step + 1)]
    deaths = await kill_at_every_write(cells, declare, ready, step)
    assert len(deaths) - deaths.count("not") > LEAST_DEATHS // step
    async with yard.operator():
        for cell in cells:
            await ready(cell)
    wanted = normal(undisturbed)
    for cell, death in zip(cells, deaths, strict=True):
        assert normal(cell) == wanted, f"killed {death}"
    assert started(yard, undisturbed, *cells) == 4 * (len(cells) + 1), "no Pod was ever replaced"


@THIRD_OR_ALL
async def test_a_deletion_that_is_cut_at_any_write_leaves_nothing(yard: Yard, step: int) -> None:
    undisturbed = await yard.cell()
    async with yard.operator():
        await undisturbed.declare()
        await undisturbed.until_ready()
    writes = await count_writes(undisturbed, delete, gone)
    cells = [await yard.cell() for _ in range(writes // step + 1)]
    async with yard.operator():
        for cell in cells:
            await cell.declare()
        for cell in cells:
            await cell.until_ready(within_s=WITHIN_S)
    deaths = await kill_at_every_write(cells, delete, gone, step)
    assert len(deaths) - deaths.count("not") > LEAST_DEATHS // step
    async with yard.operator():
        for cell in cells:
            await cell.until_gone(within_s=WITHIN_S)
    for cell, death in zip(cells, deaths, strict=True):
        assert [obj["metadata"]["name"] for obj in normal(cell)] == ["stranger"], f"killed {death}"


@THIRD_OR_ALL
async def test_an_upgrade_that_is_cut_at_any_write_ends_as_if_it_had_not_been(yard: Yard, step: int) -> None:
    async def made(cells: list[Cell]) -> list[Cell]:
        async with yard.operator():
            for cell in cells:
                await cell.declare(packageVersion=OLD)
            for cell in cells:
                await cell.until_ready(within_s=WITHIN_S)
        return cells

    (undisturbed,) = await made([await yard.cell()])
    writes = await count_writes(undisturbed, upgrade, upgraded)
    cells = await made([await yard.cell() for _ in range(writes // step + 1)])
    deaths = await kill_at_every_write(cells, upgrade, upgraded, step)
    assert len(deaths) - deaths.count("not") > LEAST_DEATHS // step
    async with yard.operator():
        for cell in cells:
            await upgraded(cell)
    wanted = normal(undisturbed)
    for cell, death in zip(cells, deaths, strict=True):
        assert normal(cell) == wanted, f"killed {death}"
    assert started(yard, undisturbed, *cells) == (4 + 3 + 3) * (len(cells) + 1), (
        "each Pod with another image was replaced once, and once more when it left the older minor behind"
    )


@THIRD_OR_ALL
@pytest.mark.parametrize(("there", "wish"), [(NEW, HOSTED), (HOSTED, NEW)])
async def test_a_hosted_operator_that_comes_or_goes_does_so_whenever_its_maker_dies(
    yard: Yard, there: str, wish: str, step: int
) -> None:
    async def begin(cell: Cell) -> None:
        await cell.set_spec(packageVersion=wish)

    async def done(cell: Cell) -> None:
        def is_so() -> bool:
            parts = [each["name"] for each in cell.status().get("components", ())]
            left = cell.find("Secret", "demo-op-homeostat") is not None
            is_right = left == (wish == HOSTED) == ("homeostat" in parts)
            return cell.status().get("packageVersion") == wish and "upgrade" not in cell.status() and is_right

        await cell.kubelet.until(is_so, f"all are of {wish}", within_s=WITHIN_S)
        await cell.until_ready(within_s=WITHIN_S)

    async def made(cells: list[Cell]) -> list[Cell]:
        async with yard.operator():
            for cell in cells:
                await cell.declare(packageVersion=there)
            for cell in cells:
                await cell.until_ready(within_s=WITHIN_S)
        return cells

    (undisturbed,) = await made([await yard.cell()])
    writes = await count_writes(undisturbed, begin, done)
    cells = await made([await yard.cell() for _ in range(writes // step + 1)])
    deaths = await kill_at_every_write(cells, begin, done, step)
    assert len(deaths) - deaths.count("not") > 1
    async with yard.operator():
        for cell in cells:
            await done(cell)
    wanted = normal(undisturbed)
    for cell, death in zip(cells, deaths, strict=True):
        assert normal(cell) == wanted, f"killed {death}"


# More writes than any other change has, so fewer of the moments are enough for every change of the code.
@pytest.mark.parametrize("step", [12, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.parametrize(("topology", "wish"), [("single", "ha"), ("ha", "single")])
async def test_a_change_of_the_topology_that_is_cut_at_any_write_ends_as_if_it_had_not_been(
    zones: Yard, topology: str, wish: str, step: int
) -> None:
    yard, yard.haste = zones, 10.0

    async def change(cell: Cell) -> None:
        await cell.set_spec(topology=wish)

    async def changed(cell: Cell) -> None:
        def there() -> bool:
            told = cell.status().get("topology", {})
            return told.get("complete") == wish and "startedAt" not in told

        await cell.kubelet.until(there, f"the topology is {wish}", within_s=WITHIN_S)
        await cell.until_ready(within_s=WITHIN_S)

    async def made(cells: list[Cell]) -> list[Cell]:
        async with yard.operator():
            for cell in cells:
                await cell.declare(topology=topology)
            for cell in cells:
                await ready(cell)
        return cells

    (undisturbed,) = await made([await yard.cell()])
    writes = await count_writes(undisturbed, change, changed)
    cells = await made([await yard.cell() for _ in range(writes // step + 1)])
    deaths = await kill_at_every_write(cells, change, changed, step)
    assert len(deaths) - deaths.count("not") > LEAST_DEATHS // step
    async with yard.operator():
        for cell in cells:
            await changed(cell)
    wanted = normal(undisturbed)
    for cell, death in zip(cells, deaths, strict=True):
        assert normal(cell) == wanted, f"killed {death}"
        assert kept(cell.etcd.story) == kept(undisturbed.etcd.story), f"killed {death}"


def kept(story: list[str]) -> list[str]:
    """Who came and went; who leads between may be told again."""
    return [line for line in story if not line.startswith("moved")]


def started(yard: Yard, *cells: Cell) -> int:
    """How many Pods were ever made in these cells; what other tests left behind is started too, and does not count."""
    namespaces = {cell.namespace for cell in cells}
    return sum(namespace in namespaces for namespace, _ in yard.kubelet.started)


def normal(cell: Cell) -> list[Whole]:
    """Everything in a cell, without what differs from run to run: uids, times, keys, addresses, revisions of keys."""
    found = [obj for kind in KINDS if kind != "Event" for obj in cell.all(kind)]
    uids = {obj["metadata"]["uid"]: f"uid-of-{obj['kind']}-{obj['metadata']['name']}" for obj in found}
    text = msgspec.json.encode(found).decode()
    for uid, name in uids.items():
        text = text.replace(uid, name)
    text = text.replace(cell.namespace, "NAMESPACE")
    for pattern, word in PATTERNS:
        text = re.sub(pattern, word, text)
    return [stripped(obj) for obj in msgspec.json.decode(text)]


PATTERNS = (
    (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
    (r"10\.250\.0\.\d+", "ADDRESS"),
    (r'("encryptionKey":)"[0-9a-f]{12}"', r'\1"KEY"'),
    (r'("(?:podIP|ip)":)"[0-9.]+"', r'\1"ADDRESS"'),
    (r'("cluster.homeostat.dev/(?:secret-)?digest":)"[0-9a-f]+"', r'\1"DIGEST"'),
    (r"(demo-(?:apiserver|scheduler|controller-manager|op-homeostat))-[0-9a-f]{8}-(\d)", r"\1-POD-\2"),
    (
        r'("(?:controller-revision-hash|deployment.kubernetes.io/revision|currentRevision|updateRevision)":)"[0-9a-f]+"',
        r'\1"REVISION"',
    ),
)


LOOKED_AT = ("etcd",)  # how the stores of etcd are: told since somebody looked, which is now and then


def stripped(obj: Whole) -> Whole:
    """One object without versions and keys; of managedFields, who holds something."""
    metadata = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
    managers = {(each["manager"], each["operation"]) for each in metadata.pop("managedFields", ())}
    spec = {key: value for key, value in obj.get("spec", {}).items() if not key.startswith("clusterIP")}
    for port in spec.get("ports", ()):
        port.pop("nodePort", None)
    return {
        "metadata": {**metadata, "managers": sorted(managers)},
        "spec": spec,
        "status": {key: value for key, value in (obj.get("status") or {}).items() if key not in LOOKED_AT},
        "entries": sorted(obj.get("data", ())),
    }
