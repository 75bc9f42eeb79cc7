"""Pods on simulated hosts: from binding to the end of their object."""

from __future__ import annotations

import pytest
from tests.support.simulated_hosts import HOST, WHOLE, container, simulated_hosts

from homeostat.api.core import CONFIG_MAP, SECRET
from homeostat.api.kind import unstructured
from homeostat.kube.client import Client

SECRETS, MAPS = unstructured(SECRET.resource), unstructured(CONFIG_MAP.resource)


async def test_a_bound_pod_runs_and_becomes_ready() -> None:
    async with simulated_hosts() as world:
        await world.bind()
        status = await world.status()
        assert status["phase"] == "Running"
        assert await world.is_ready()
        told = status["containerStatuses"][0]
        assert "running" in told["state"]
        assert (told["ready"], told["started"], told["restartCount"]) == (True, True, 0)
        assert status["podIP"].startswith("100.64.")
        assert status["hostIP"] == world.centre.host(HOST).address


async def test_a_pod_at_rest_writes_nothing() -> None:
    async with simulated_hosts() as world:
        await world.bind()
        before = world.server.store.revision
        await world.after(3600)
        assert world.server.store.revision == before


async def test_a_pod_that_becomes_ready_is_told_in_two_writes() -> None:
    async with simulated_hosts() as world:
        before = world.server.store.revision
        await world.bind()
        assert world.server.store.revision - before <= 3  # the binding, what is awaited, what runs


async def test_a_deleted_pod_goes_when_its_program_has_ended() -> None:
    async with simulated_hosts() as world:
        await world.bind()
        await world.client.delete(WHOLE, "web", "default")
        await world.after(0)
        assert not await world.exists()
        assert world.started[0].was_killed


async def test_a_program_that_holds_on_is_killed_after_its_grace() -> None:
    async with simulated_hosts() as world:
        await world.bind(terminationGracePeriodSeconds=20)
        world.started[0].holds_on = True
        await world.client.delete(WHOLE, "web", "default")
        await world.after(19)
        assert await world.exists()
        await world.after(2)
        assert not await world.exists()


async def test_a_hook_before_the_end_delays_it() -> None:
    async with simulated_hosts() as world:
        await world.bind(containers=[container(lifecycle={"preStop": {"sleep": {"seconds": 5}}})])
        await world.client.delete(WHOLE, "web", "default")
        await world.after(4)
        assert not world.started[0].was_killed
        await world.after(2)
        assert world.started[0].was_killed


async def test_init_containers_run_one_after_the_other() -> None:
    async with simulated_hosts() as world:
        await world.bind(initContainers=[container("one"), container("two")])
        assert [each.container.name for each in world.started] == ["one"]
        assert (await world.status())["phase"] == "Pending"
        world.started[0].end(0)
        await world.after(0)
        world.started[1].end(0)
        await world.after(0)
        assert [each.container.name for each in world.started] == ["one", "two", "main"]
        assert await world.is_ready()


async def test_a_sidecar_runs_beside_those_that_begin_after_it() -> None:
    async with simulated_hosts() as world:
        await world.bind(initContainers=[container("side", restartPolicy="Always")])
        assert [each.container.name for each in world.started] == ["side", "main"]
        assert await world.is_ready()


async def test_a_crash_is_followed_by_longer_and_longer_pauses() -> None:
    async with simulated_hosts() as world:
        await world.bind()
        world.started[-1].end(1, "no such flag")
        await world.after(0)
        assert len(world.started) == 2  # the first restart comes at once
        told = await world.of_container()
        assert told["restartCount"] == 1
        assert told["lastState"]["terminated"]["message"] == "no such flag"
        world.started[-1].end(2)
        await world.after(0)
        waiting = (await world.of_container())["state"]["waiting"]
        assert waiting["reason"] == "CrashLoopBackOff"
        assert waiting["message"].startswith("back-off 10s restarting failed container=main pod=web_default(")
        await world.after(11)
        assert len(world.started) == 3
        world.started[-1].end(2)
        await world.after(0)
        assert (await world.of_container())["state"]["waiting"]["message"].startswith("back-off 20s ")


async def test_who_was_well_for_ten_minutes_is_forgiven() -> None:
    async with simulated_hosts() as world:
        await world.bind()
        for _ in range(2):
            world.started[-1].end(1)
            await world.after(11)
        await world.after(601)
        count = len(world.started)
        world.started[-1].end(1)
        await world.after(0)
        assert len(world.started) == count + 1


async def test_a_pod_that_is_not_restarted_succeeds_or_fails() -> None:
    async with simulated_hosts() as world:
        for name, code, phase in (("good", 0, "Succeeded"), ("bad", 3, "Failed")):
            await world.bind(name, restartPolicy="Never")
            world.started[-1].end(code)
            await world.after(0)
            status = await world.status(name)
            assert status["phase"] == phase
            assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == code


async def test_an_image_that_does_not_exist_is_pulled_again_and_again() -> None:
    async with simulated_hosts() as world:
        world.centre.registry.remove("registry.test/main:1")
        await world.bind()
        await world.after(1)
        told = (await world.of_container())["state"]["waiting"]
        assert told["reason"] == "ErrImagePull"
        assert "registry.test/main:1: not found" in told["message"]
        await world.after(25)
        told = (await world.of_container())["state"]["waiting"]
        assert told["reason"] == "ImagePullBackOff"
        assert told["message"].startswith('Back-off pulling image "registry.test/main:1": ErrImagePull: ')
        world.centre.registry.push("registry.test/main:1")
        await world.after(60)
        assert await world.is_ready()


async def test_a_pod_waits_for_a_secret_that_it_mounts() -> None:
    async with simulated_hosts() as world:
        volumes = [{"name": "pki", "secret": {"secretName": "keys"}}]
        mounts = [{"name": "pki", "mountPath": "/etc/pki"}]
        await world.bind(volumes=volumes, containers=[container(volumeMounts=mounts)])
        assert (await world.of_container())["state"] == {"waiting": {"reason": "ContainerCreating"}}
        await _secret(world.client, "keys", {"ca.crt": "QQ=="})
        await world.after(15)
        assert await world.is_ready()
        assert world.started[0].container.files("/etc/pki/ca.crt") == b"A"


async def test_files_of_a_secret_follow_it() -> None:
    async with simulated_hosts() as world:
        await _secret(world.client, "keys", {"ca.crt": "QQ=="})
        volumes = [{"name": "pki", "secret": {"secretName": "keys"}}]
        await world.bind(
            volumes=volumes, containers=[container(volumeMounts=[{"name": "pki", "mountPath": "/etc/pki"}])]
        )
        await world.client.merge_patch(SECRETS, "keys", {"data": {"ca.crt": "Qg=="}}, "default")
        await world.after(1)
        assert world.started[0].container.files("/etc/pki/ca.crt") == b"B"


async def test_a_variable_of_a_missing_object_is_told() -> None:
    async with simulated_hosts() as world:
        source = {"configMapKeyRef": {"name": "settings", "key": "mode"}}
        await world.bind(containers=[container(env=[{"name": "MODE", "valueFrom": source}])])
        waiting = (await world.of_container())["state"]["waiting"]
        assert waiting == {"reason": "CreateContainerConfigError", "message": 'configmap "settings" not found'}
        await world.client.create(MAPS, {"metadata": {"name": "settings"}, "data": {"mode": "new"}}, "default")
        await world.after(0)
        assert world.started[0].container.environment["MODE"] == "new"


async def test_a_pod_whose_image_is_changed_is_restarted_in_place() -> None:
    async with simulated_hosts() as world:
        await world.bind()
        change = [{"op": "replace", "path": "/spec/containers/0/image", "value": "registry.test/main:2"}]
        await world.client.json_patch(WHOLE, "web", change, "default")
        await world.after(1)
        told = await world.of_container()
        assert (told["image"], told["restartCount"], told["ready"]) == ("registry.test/main:2", 1, True)


async def _secret(client: Client, name: str, data: dict[str, str]) -> None:
    await client.create(SECRETS, {"metadata": {"name": name}, "data": data}, "default")


async def test_a_pod_ends_when_it_has_run_as_long_as_it_may() -> None:
    async with simulated_hosts() as world:
        await world.bind(activeDeadlineSeconds=60)
        await world.after(59)
        assert (await world.status())["phase"] == "Running"
        await world.after(2)
        status = await world.status()
        assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")
        assert status["message"] == "Pod was active on the node longer than the specified deadline"
        assert world.started[0].was_killed
        assert len(world.started) == 1  # though it is to be restarted always
        assert await world.exists()


async def test_a_pod_that_is_given_a_deadline_later_has_it_from_its_start() -> None:
    async with simulated_hosts() as world:
        await world.bind(terminationGracePeriodSeconds=20)
        await world.after(60)
        world.started[0].holds_on = True
        await world.client.merge_patch(WHOLE, "web", {"spec": {"activeDeadlineSeconds": 30}}, "default")
        await world.after(19)
        assert (await world.status())["phase"] == "Running"
        await world.after(2)
        assert (await world.status())["reason"] == "DeadlineExceeded"


async def test_a_pod_that_is_late_goes_when_it_is_deleted() -> None:
    async with simulated_hosts() as world:
        await world.bind(activeDeadlineSeconds=10)
        await world.after(11)
        await world.client.delete(WHOLE, "web", "default")
        await world.after(1)
        assert not await world.exists()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "missing value for WHERE"),
        ("/a", "error SubPath `/a` must not be an absolute path"),
        ("..", "unable to provision SubPath `..`: must not contain '..'"),
    ],
)
async def test_a_path_below_a_volume_that_leads_out_of_it_is_told(value: str, says: str) -> None:
    async with simulated_hosts() as world:
        mount = {"name": "v", "mountPath": "/v", "subPathExpr": "$(WHERE)"}
        sound = container(env=[{"name": "WHERE", "value": value}], volumeMounts=[mount])
        await world.bind(containers=[sound], volumes=[{"name": "v", "emptyDir": {}}])
        waiting = (await world.of_container())["state"]["waiting"]
        assert (waiting["reason"], waiting["message"]) == ("CreateContainerConfigError", says)


async def test_paths_below_a_volume_are_made_of_variables() -> None:
    async with simulated_hosts() as world:
        name = {"name": "WHO", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
        both = [
            {"name": "v", "mountPath": "/one", "subPathExpr": "$(WHO)/data"},
            {"name": "v", "mountPath": "/other", "subPath": "web/data"},
        ]
        await world.bind(containers=[container(env=[name], volumeMounts=both)], volumes=[{"name": "v", "emptyDir": {}}])
        disks = world.started[0].container.disks
        assert disks["/one"] is disks["/other"]
