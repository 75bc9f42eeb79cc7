"""Webhooks asked by API servers of both engines: what they stop, what they never stop, certificates that change."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.support.apiserver import ApiServer, free_port
from tests.support.engines import SIM
from tests.support.swallowing import Way
from tests.support.thermostats import DEFINITION, DEFINITIONS, THERMOSTAT, Thermostat, body, install
from tests.support.webhooks import CLOCK, HASTY, SECRET_NAME, Process, until

from homeostat.api.admission import VALIDATING_WEBHOOK_CONFIGURATION as CONFIGURATION
from homeostat.api.core import CONFIG_MAP, SECRET
from homeostat.kube.client import Client
from homeostat.kube.errors import Forbidden, InternalError, Invalid, NotFound
from homeostat.runtime.webhook.asking import ALLOWED, Request, Verdict, denied
from homeostat.runtime.webhook.certificates import Lifetimes

pytestmark = pytest.mark.real


def keep_it_bearable(request: Request[Thermostat]) -> Verdict:
    """What the tests' webhook judges by."""
    if request.operation == "DELETE":
        return denied("somebody is at home", "wait until nobody is") if request.name == "lived-in" else ALLOWED
    assert request.object is not None
    target = request.object.spec.target
    if target > 30:
        return denied(f"expected at most 30, found {target}", "choose less", field="spec.target")
    return Verdict(warnings=("it will be cold",)) if target < 10 else ALLOWED


def watched(process: Process, validate: Callable[[Request[Thermostat]], Verdict] = keep_it_bearable) -> Process:
    """A process that judges thermostats."""
    process.webhooks.add(THERMOSTAT, ("CREATE", "UPDATE", "DELETE"), validate)
    return process


@pytest.fixture(scope="session")
def server(api_server: ApiServer) -> ApiServer:
    """The API server with a kind to judge."""
    install(api_server)
    return api_server


@pytest.fixture
async def home(engine: str, request: pytest.FixtureRequest, client: Client, namespace: str) -> AsyncIterator[str]:
    """A namespace whose thermostats are judged by no webhook that outlives the test."""
    if engine == SIM:
        await client.create(DEFINITIONS, DEFINITION)
    else:
        request.getfixturevalue("server")
    yield namespace
    try:
        await client.delete(CONFIGURATION, f"homeostat-{namespace}")
    except NotFound:
        return


@asynccontextmanager
async def judging(client: Client, home: str, **settings: Any) -> AsyncIterator[Process]:
    """A process that the API server asks."""
    async with watched(Process(client, home, **settings)).running() as process:
        await process.until_in_force()
        await until_asked(client, home)
        yield process


async def until_asked(client: Client, home: str) -> None:
    """API servers read their configurations from a cache: wait until a write that must fail does."""
    async with CLOCK.timeout(20):
        while True:
            try:
                await client.create(THERMOSTAT, body("probe", home, 99), dry_run=True)
            except Invalid:
                return
            await CLOCK.sleep(0.02)


async def test_a_refusal_names_the_field_and_what_to_do(client: Client, home: str) -> None:
    async with judging(client, home):
        with pytest.raises(Invalid) as caught:
            await client.create(THERMOSTAT, body("hall", home, 99))
        (cause,) = caught.value.causes
        assert (cause.field, cause.message) == ("spec.target", "expected at most 30, found 99; choose less")
        await client.create(THERMOSTAT, body("lived-in", home))
        with pytest.raises(Forbidden, match="somebody is at home; wait until nobody is"):
            await client.delete(THERMOSTAT, "lived-in", home)
        with pytest.raises(Forbidden, match="somebody is at home"):
            await client.delete_collection(THERMOSTAT, home)


@pytest.mark.not_imitated("kubectl before a server in the test's own process")
async def test_kubectl_shows_a_refusal_as_it_shows_its_own(server: ApiServer, client: Client, home: str) -> None:
    def create(target: int) -> subprocess.CalledProcessError | str:
        manifest = {"apiVersion": "test.homeostat.dev/v1", "kind": "Thermostat", **body("hall", home, target)}
        try:
            return server.kubectl("create", "-f", "-", stdin=json.dumps(manifest))
        except subprocess.CalledProcessError as error:
            return error

    async with judging(client, home):
        refused = await asyncio.to_thread(create, 99)
        assert isinstance(refused, subprocess.CalledProcessError)
        assert str(refused.stderr).strip() == (
            'The Thermostat "hall" is invalid: spec.target: expected at most 30, found 99; choose less'
        )
        assert await asyncio.to_thread(create, 5) == "thermostat.test.homeostat.dev/hall created\n"


async def test_while_nobody_answers_own_kinds_are_refused_and_everything_else_passes(client: Client, home: str) -> None:
    finalizer = "test.homeostat.dev/keep"
    async with judging(client, home):
        await client.create(THERMOSTAT, body("hall", home))
        await client.create(THERMOSTAT, body("lost", home, finalizers=[finalizer]))
        await client.delete(THERMOSTAT, "lost", home)
    # Judged, and nobody there to judge: the error names the webhook and says what is the matter.
    with pytest.raises(InternalError, match=r'webhook "thermostats.test.homeostat.dev".*connection refused'):
        await client.create(THERMOSTAT, body("other", home))
    with pytest.raises(InternalError, match="connection refused"):
        await client.merge_patch(THERMOSTAT, "hall", {"spec": {"target": 21}}, home)
    # Not judged: other kinds, status, marks and finalizers, and whatever is on its way out.
    await client.create(CONFIG_MAP, {"metadata": {"name": "other", "namespace": home}})
    await client.merge_patch(THERMOSTAT, "hall", {"status": {"warm": True}}, home, subresource="status")
    await client.merge_patch(THERMOSTAT, "hall", {"metadata": {"finalizers": [finalizer]}}, home)
    await client.merge_patch(THERMOSTAT, "hall", {"metadata": {"labels": {"floor": "0"}, "finalizers": None}}, home)
    await client.merge_patch(THERMOSTAT, "lost", {"spec": {"target": 1}}, home)
    await client.delete(THERMOSTAT, "lost", home)
    await client.merge_patch(THERMOSTAT, "lost", {"metadata": {"finalizers": None}}, home)
    with pytest.raises(NotFound):
        await client.get(THERMOSTAT, "lost", home)


async def test_a_configuration_that_is_deleted_or_edited_comes_back(client: Client, home: str) -> None:
    async with judging(client, home) as process:
        before = await client.get(CONFIGURATION, process.configuration)
        await client.delete(CONFIGURATION, process.configuration)
        await until_equal(client, process.configuration, before.webhooks)
        stranger = {**before.webhooks[0], "name": "stranger.test.homeostat.dev"}
        edits: list[dict[str, Any]] = [
            {"webhooks": [{**before.webhooks[0], "failurePolicy": "Ignore"}]},
            {"webhooks": [{**before.webhooks[0], "objectSelector": {"matchLabels": {"no": "body"}}}]},
            {"webhooks": [{**before.webhooks[0], "matchConditions": [{"name": "never", "expression": "false"}]}]},
            {"webhooks": [*before.webhooks, stranger]},
            {"webhooks": None},
        ]
        for edit in edits:
            await client.merge_patch(CONFIGURATION, process.configuration, edit, field_manager="somebody")
            await until_equal(client, process.configuration, before.webhooks)
        await process.until_in_force()
        # One write for each, one more where an apply does not remove what somebody added: no loop.
        assert process.value("homeostat_webhook_configuration_applies_total") <= 2 + len(edits)


async def until_equal(client: Client, name: str, webhooks: tuple[dict[str, Any], ...]) -> None:
    """Wait until a configuration is as it was."""
    async with CLOCK.timeout(20):
        while True:
            found = (await client.list(CONFIGURATION, fields=f"metadata.name={name}")).items
            if found and found[0].webhooks == webhooks:
                return
            await CLOCK.sleep(0.02)


async def test_of_two_processes_that_race_both_serve_with_the_same_certificates(client: Client, home: str) -> None:
    first, second = (watched(Process(client, home, port=free_port())) for _ in range(2))
    async with first.running(), second.running():
        await until(lambda: not first.manager.not_ready() and not second.manager.not_ready())
        expiry = "homeostat_webhook_certificate_expiry_timestamp_seconds"
        assert first.value(expiry) == second.value(expiry) > 0
        assert len(await first.certificates()) == 4


async def write_many(client: Client, home: str) -> int:
    """Allowed writes at once, each with a handshake of its own."""
    rooms = range(40)
    await asyncio.gather(*(client.create(THERMOSTAT, body(f"room-{room}", home), dry_run=True) for room in rooms))
    return len(rooms)


async def test_certificates_and_their_authority_change_under_load_and_no_write_fails(client: Client, home: str) -> None:
    async with judging(client, home, lifetimes=HASTY) as process:
        seen: set[str] = set()
        authorities: set[str] = set()
        written = 0
        async with CLOCK.timeout(60):
            while len(authorities) < 3 or len(seen) < 6:
                written += await write_many(client, home)
                held = await process.certificates()
                seen.add(held["tls.crt"])
                authorities.add(held["ca.crt"])
        assert written > 200
        assert (
            process.value(
                "homeostat_admissions_total",
                resource=THERMOSTAT.resource.qualified,
                operation="CREATE",
                verdict="allowed",
            )
            >= written
        )


async def test_a_secret_deleted_by_hand_is_made_anew_and_no_write_fails(client: Client, home: str) -> None:
    async with judging(client, home) as process:
        before = await process.certificates()
        expiry = process.value("homeostat_webhook_certificate_expiry_timestamp_seconds")
        await CLOCK.sleep(1.0)  # certificates have whole seconds
        await client.delete(SECRET, SECRET_NAME, home)
        async with CLOCK.timeout(20):
            while process.value("homeostat_webhook_certificate_expiry_timestamp_seconds") == expiry:
                await write_many(client, home)
        for _ in range(3):
            await write_many(client, home)
        after = await process.certificates()
        assert after["ca.crt"] != before["ca.crt"]
        assert after["old-ca.crt"] == before["ca.crt"]


async def test_who_does_not_lead_serves_what_is_trusted_until_the_leader_has_told_of_the_new(
    client: Client, home: str
) -> None:
    expiry = "homeostat_webhook_certificate_expiry_timestamp_seconds"
    async with judging(client, home) as process:
        before = process.value(expiry)
        process.webhooks._introduced = False  # as one that does not lead
        await CLOCK.sleep(1.0)  # certificates have whole seconds
        await client.delete(SECRET, SECRET_NAME, home)
        async with CLOCK.timeout(20):
            while "old-ca.crt" not in await process.certificates():
                await CLOCK.sleep(0.02)
        for _ in range(5):
            await CLOCK.sleep(0.2)  # the keeper's tick
            await write_many(client, home)
        assert process.value(expiry) == before
        process.webhooks._introduced = True
        await until(lambda: process.value(expiry) > before)
        await write_many(client, home)


async def test_a_foreign_secret_of_that_name_is_named_and_not_touched(client: Client, home: str) -> None:
    body = {"metadata": {"name": SECRET_NAME, "namespace": home}, "data": {"password": "c2VjcmV0"}}
    made = await client.create(SECRET, body)
    process = watched(Process(client, home))
    async with process.running():
        await until(lambda: any("is not homeostat's" in line for line in process.manager.not_ready()))
        assert await client.get(SECRET, SECRET_NAME, home) == made


async def test_a_write_after_a_host_died_is_not_said_to_the_dead(client: Client, home: str) -> None:
    """As after the host of one replica lost its power, when the Service leads to the other one."""
    port = free_port()
    async with Way(port).there() as way, judging(client, home, port=port, known_at=way.port):
        await write_many(client, home)
        way.lose()
        await write_many(client, home)


async def test_an_ending_process_answers_to_the_last(client: Client, home: str) -> None:
    """The configuration leads to one port, so a second process cannot take over: what is counted is cut answers."""
    process = watched(Process(client, home, linger_s=0.5))
    failures: list[str] = []
    heard = 0

    async def write() -> None:
        nonlocal heard
        while not failures:
            try:
                await client.create(THERMOSTAT, body("hall", home), dry_run=True)
                heard += 1
            except InternalError as error:
                failures.append(str(error))

    async with process.running():
        await process.until_in_force()
        await until_asked(client, home)
        writers = [asyncio.ensure_future(write()) for _ in range(4)]
        process.stop()
        await asyncio.gather(*writers)
    # Whoever was still shaking hands is cut off, whom the kernel had queued is reset, later ones are refused; no review
    # that was read is left without an answer.
    counted = {"resource": THERMOSTAT.resource.qualified, "operation": "CREATE", "verdict": "allowed"}
    assert heard == process.value("homeostat_admissions_total", **counted) > 0
    others = [said for said in failures if not re.search("connection (refused|reset)|EOF", said)]
    assert others == []


async def test_a_certificate_lasts_a_year_and_is_renewed_a_month_before() -> None:
    assert (Lifetimes().leaf.days, Lifetimes().renewed_before.days) == (365, 30)
