"""Tokens of service accounts that Pods mount."""

from __future__ import annotations

from tests.support.controllers import ACCOUNTS
from tests.support.simulated_hosts import HOST, SimulatedHosts, container, simulated_hosts

PLACE = "/var/run/secrets/x"


async def _bind(world: SimulatedHosts, seconds: int = 3600, audience: str = "") -> None:
    token = {"path": "token", "expirationSeconds": seconds, **({"audience": audience} if audience else {})}
    volume = {"name": "v", "projected": {"sources": [{"serviceAccountToken": token}]}}
    mounts = [{"name": "v", "mountPath": PLACE}]
    await world.bind(serviceAccountName="web", volumes=[volume], containers=[container(volumeMounts=mounts)])


async def _account(world: SimulatedHosts) -> None:
    await world.client.create(ACCOUNTS, {"metadata": {"name": "web", "namespace": "default"}})


def _token(world: SimulatedHosts) -> str:
    return world.started[0].container.files(f"{PLACE}/token").decode()


async def test_a_mounted_token_is_of_the_pods_account_and_bound_to_the_pod() -> None:
    async with simulated_hosts() as world:
        await _account(world)
        await _bind(world)
        user, _ = world.server.tokens.user_of(_token(world))
        assert user.name == "system:serviceaccount:default:web"
        assert user.extra["authentication.kubernetes.io/pod-name"] == ("web",)
        assert user.extra["authentication.kubernetes.io/node-name"] == (HOST,)


async def test_a_token_may_be_for_somebody_else() -> None:
    async with simulated_hosts() as world:
        await _account(world)
        await _bind(world, audience="vault")
        assert world.server.tokens.user_of(_token(world), ["vault"])[1] == ("vault",)


async def test_a_token_is_renewed_before_it_runs_out_and_not_before_that() -> None:
    async with simulated_hosts() as world:
        await _account(world)
        await _bind(world, seconds=1000)
        first = _token(world)
        await world.after(700)
        assert _token(world) == first
        await world.after(200)
        assert _token(world) != first
        await world.after(5000)
        world.server.tokens.user_of(_token(world))


async def test_a_pod_waits_for_the_account_whose_token_it_mounts() -> None:
    async with simulated_hosts() as world:
        await _bind(world)
        assert (await world.status()).get("phase", "Pending") == "Pending"
        await _account(world)
        await world.after(120)
        assert (await world.status())["phase"] == "Running"


async def test_a_token_that_could_not_be_renewed_is_renewed_when_its_account_is_there_again() -> None:
    async with simulated_hosts() as world:
        await _account(world)
        await _bind(world, seconds=1000)
        await world.client.delete(ACCOUNTS, "web", "default")
        await world.after(2000)
        await _account(world)
        await world.after(120)
        world.server.tokens.user_of(_token(world))
