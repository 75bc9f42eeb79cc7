"""Writes that wait for webhooks meet others, and writes that wait for nobody do not."""

from __future__ import annotations

import asyncio
import random
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from tests.support.clock import ManualClock, settle
from tests.support.controllers import ACCOUNTS, PODS, QUOTAS, kind
from tests.support.simulated import ADMIN, CONFIG_MAPS, client_of, config_map

from homeostat.api.kind import Resource, unstructured
from homeostat.kube.errors import AlreadyExists, ApiError, Conflict, Forbidden, InternalError, NotFound
from homeostat.sim.apiserver.admission.calling import Call, Heard, NotReached
from homeostat.sim.apiserver.server import ApiServer, Request

RANGES = kind("", "LimitRange", "limitranges")
GROUP = "admissionregistration.k8s.io"
JUDGES = unstructured(
    Resource(GROUP, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", namespaced=False)
)
CHANGERS = unstructured(
    Resource(GROUP, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", namespaced=False)
)


class Wire:
    """A network with one webhook on it, that does something before it says yes."""

    def __init__(self) -> None:
        self.does: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]] = nothing
        self.heard: list[dict[str, Any]] = []
        self.calls: list[Call] = []

    async def call(self, call: Call) -> Heard:
        review = msgspec.json.decode(call.body)
        self.heard.append(review["request"])
        self.calls.append(call)
        said = {"uid": review["request"]["uid"], "allowed": True, **await self.does(review["request"])}
        whole = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "response": said}
        return Heard(200, msgspec.json.encode(whole))

    def meanwhile(self, happens: Callable[[], Awaitable[object]]) -> None:
        """Let something happen while the next write is judged."""

        async def interfere(_: dict[str, Any]) -> dict[str, Any]:
            self.does = nothing
            await happens()
            return {}

        self.does = interfere


async def nothing(_: dict[str, Any]) -> dict[str, Any]:
    return {}


def hook(*resources: str, **parts: Any) -> dict[str, Any]:
    rule = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": list(resources)}
    way = {"service": {"namespace": "n", "name": "s", "path": "/p"}}
    return {
        "metadata": {"name": "all"},
        "webhooks": [
            {
                "name": "all.of.them",
                "clientConfig": way,
                "rules": [rule],
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                **parts,
            }
        ],
    }


def server_on(wire: Wire, clock: ManualClock) -> ApiServer:
    return ApiServer(clock=clock, random=random.Random(0), caller=wire)


async def test_a_change_that_meets_another_one_begins_anew_and_loses_nothing() -> None:
    clock, wire = ManualClock(), Wire()
    async with client_of(server_on(wire, clock), clock) as client:
        await client.create(CONFIG_MAPS, config_map("one"), "default")
        await client.create(JUDGES, hook("configmaps"))
        wire.meanwhile(lambda: client.merge_patch(CONFIG_MAPS, "one", {"data": {"theirs": "1"}}, "default"))
        await client.merge_patch(CONFIG_MAPS, "one", {"data": {"mine": "1"}}, "default")
        assert (await client.get(CONFIG_MAPS, "one", "default"))["data"] == {"theirs": "1", "mine": "1"}
        assert [each["object"]["data"] for each in wire.heard] == [
            {"mine": "1"},
            {"theirs": "1"},
            {"theirs": "1", "mine": "1"},
        ]


async def test_a_change_of_another_version_than_is_there_by_then_is_refused() -> None:
    clock, wire = ManualClock(), Wire()
    async with client_of(server_on(wire, clock), clock) as client:
        made = await client.create(CONFIG_MAPS, config_map("one"), "default")
        await client.create(JUDGES, hook("configmaps"))
        wire.meanwhile(lambda: client.merge_patch(CONFIG_MAPS, "one", {"data": {"theirs": "1"}}, "default"))
        with pytest.raises(Conflict):
            await client.replace(CONFIG_MAPS, {**made, "data": {"mine": "1"}})


async def test_what_ends_while_a_webhook_judges_its_end_is_not_found() -> None:
    clock, wire = ManualClock(), Wire()
    async with client_of(server_on(wire, clock), clock) as client:
        await client.create(CONFIG_MAPS, config_map("one"), "default")
        await client.create(JUDGES, hook("configmaps"))
        wire.meanwhile(lambda: client.delete(CONFIG_MAPS, "one", "default"))
        with pytest.raises(NotFound):
            await client.delete(CONFIG_MAPS, "one", "default")


async def test_conditions_see_the_options_of_a_deletion_that_is_only_tried() -> None:
    clock, wire = ManualClock(), Wire()
    server = server_on(wire, clock)
    async with client_of(server, clock) as client:
        await client.create(CONFIG_MAPS, config_map("one"), "default")
        tried = "request.operation == 'DELETE' && 'All' in request.options.dryRun"
        await client.create(JUDGES, hook("configmaps", matchConditions=[{"name": "tried", "expression": tried}]))
        path = "/api/v1/namespaces/default/configmaps/one"
        for options in (b'{"dryRun": ["All"]}', b'{"dryRun": ["All"], "propagationPolicy": "Background"}'):
            answer = await server.answer(Request(method="DELETE", path=path, body=options), ADMIN)
            assert answer.code == 200, answer.body
        assert [each["dryRun"] for each in wire.heard] == [True, True]


async def test_what_a_server_gives_a_new_object_no_webhook_takes_from_it() -> None:
    clock, wire = ManualClock(), Wire()
    async with client_of(server_on(wire, clock), clock) as client:
        await client.create(CHANGERS, hook("configmaps"))

        async def change(request: dict[str, Any]) -> dict[str, Any]:
            assert "uid" not in request["object"]["metadata"]
            operations = [{"op": "add", "path": "/metadata/uid", "value": "mine"}]
            return {"patchType": "JSONPatch", "patch": b64encode(msgspec.json.encode(operations)).decode()}

        wire.does = change
        made = await client.create(CONFIG_MAPS, config_map("one"), "default")
        assert made["metadata"]["uid"] != "mine"


async def test_a_service_is_called_by_its_name_and_silence_ends_with_the_time_there_is() -> None:
    clock, wire = ManualClock(), Wire()
    async with client_of(server_on(wire, clock), clock) as client:
        await client.create(JUDGES, hook("configmaps", timeoutSeconds=3))

        async def sleep(_: dict[str, Any]) -> dict[str, Any]:
            await clock.sleep(3600)
            return {}

        wire.does = sleep
        creation = asyncio.ensure_future(client.create(CONFIG_MAPS, config_map("one"), "default"))
        await settle()
        await clock.advance(3.0)
        with pytest.raises(InternalError, match=r"failed calling webhook .*context deadline exceeded"):
            await creation
        assert wire.calls[0].url == "https://s.n.svc:443/p?timeout=3s"


async def test_a_subresource_that_no_webhook_hears_of_is_refused_while_one_wants_to() -> None:
    clock, wire = ManualClock(), Wire()
    async with client_of(server_on(wire, clock), clock) as client:
        await client.create(JUDGES, hook("pods/*"))
        with pytest.raises(ApiError, match="does not imitate webhooks and policies about pods/eviction") as caught:
            await client.request("POST", "/api/v1/namespaces/default/pods/one/eviction", body=b"{}")
        assert caught.value.status == 501


async def test_whoever_cannot_be_reached_is_told_of() -> None:
    clock, wire = ManualClock(), Wire()
    async with client_of(server_on(wire, clock), clock) as client:
        await client.create(JUDGES, hook("configmaps"))

        async def fail(_: dict[str, Any]) -> dict[str, Any]:
            raise NotReached("no route")

        wire.does = fail
        with pytest.raises(InternalError, match=r'failed calling webhook "all.of.them": failed to call webhook: no ro'):
            await client.create(CONFIG_MAPS, config_map("one"), "default")


def test_without_webhooks_a_write_waits_for_nothing() -> None:
    server = server_on(Wire(), ManualClock())
    body = msgspec.json.encode(config_map("one"))
    asked = Request(method="POST", path="/api/v1/namespaces/default/configmaps", body=body)
    assert server.answer_at_once(asked, ADMIN).code == 201


async def test_creations_that_wait_together_do_not_exceed_a_quota_together() -> None:
    clock, wire = ManualClock(), Wire()
    async with client_of(server_on(wire, clock), clock) as client:
        await client.create(QUOTAS, {"metadata": {"name": "q"}}, "default")
        counted = {"status": {"hard": {"configmaps": "1"}, "used": {"configmaps": "0"}}}
        await client.merge_patch(QUOTAS, "q", counted, "default", subresource="status")
        await client.create(JUDGES, hook("configmaps"))
        opened = asyncio.Event()

        async def wait(_: dict[str, Any]) -> dict[str, Any]:
            await opened.wait()
            return {}

        wire.does = wait
        creations = [asyncio.ensure_future(client.create(CONFIG_MAPS, config_map(name), "default")) for name in "ab"]
        await settle()
        assert len(wire.heard) == 2
        opened.set()
        _, refused = await asyncio.gather(*creations, return_exceptions=True)
        assert "exceeded quota: q, requested: configmaps=1, used: configmaps=1, limited: configmaps=1" in str(refused)


async def test_a_container_that_a_webhook_adds_is_given_limits_and_counted_with_them() -> None:
    clock, wire = ManualClock(), Wire()
    async with client_of(server_on(wire, clock), clock) as client:
        limit = {"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "500m"}}
        await client.create(RANGES, {"metadata": {"name": "r"}, "spec": {"limits": [limit]}}, "default")
        await client.create(QUOTAS, {"metadata": {"name": "q"}}, "default")
        counted = {"status": {"hard": {"limits.cpu": "2"}, "used": {"limits.cpu": "0"}}}
        await client.merge_patch(QUOTAS, "q", counted, "default", subresource="status")
        await client.create(CHANGERS, hook("pods"))

        async def add(request: dict[str, Any]) -> dict[str, Any]:
            assert "resources" in request["object"]["spec"]["containers"][0]
            operations = [{"op": "add", "path": "/spec/containers/-", "value": {"name": "more", "image": "i"}}]
            return {"patchType": "JSONPatch", "patch": b64encode(msgspec.json.encode(operations)).decode()}

        wire.does = add
        body = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        made = await client.create(PODS, body, "default")
        given = {"limits": {"cpu": "1"}, "requests": {"cpu": "500m"}}
        assert [each["resources"] for each in made["spec"]["containers"]] == [given, given]
        assert (await client.get(QUOTAS, "q", "default"))["status"]["used"] == {"limits.cpu": "2"}


async def test_a_creation_that_fails_and_one_that_changes_nothing_are_charged_to_nobody() -> None:
    clock = ManualClock()
    async with client_of(server_on(Wire(), clock), clock) as client:
        await client.create(QUOTAS, {"metadata": {"name": "q"}}, "default")
        counted = {"status": {"hard": {"configmaps": "9"}, "used": {"configmaps": "0"}}}
        await client.merge_patch(QUOTAS, "q", counted, "default", subresource="status")
        await client.create(CONFIG_MAPS, config_map("one"), "default")
        with pytest.raises(AlreadyExists):
            await client.create(CONFIG_MAPS, config_map("one"), "default")
        for name in ("one", "two"):
            meta = {"name": name, "namespace": "default"}
            await client.apply(CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
        assert (await client.get(QUOTAS, "q", "default"))["status"]["used"] == {"configmaps": "2"}


async def test_an_account_that_is_not_there_leaves_no_pod() -> None:
    clock = ManualClock()
    server = ApiServer(clock=clock, random=random.Random(0), accounts=True)
    body = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    async with client_of(server, clock) as client:
        with pytest.raises(Forbidden, match='looking up service account default/default: serviceaccount "default" not'):
            await client.create(PODS, body, "default")
        await client.create(ACCOUNTS, {"metadata": {"name": "default"}}, "default")
        assert (await client.create(PODS, body, "default"))["spec"]["serviceAccountName"] == "default"
