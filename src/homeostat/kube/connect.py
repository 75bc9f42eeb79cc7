"""From a configuration to a client that talks over the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.observing import Observer, ignore
from homeostat.kube.retrying import Retries
from homeostat.kube.target import Config

if TYPE_CHECKING:
    from homeostat.kube.limiting import RateLimit


def connect(
    config: Config,
    *,
    clock: Clock,
    random: Random,
    field_manager: str = "homeostat",
    default_timeout_s: float = 30.0,
    retries: Retries = Retries(),  # noqa: B008  (a frozen value)
    observer: Observer = ignore,
    limit: RateLimit | None = None,
    cluster: str = "",
) -> Client:
    """A client over aiohttp. Nothing is connected before the first request; close the client in the end."""
    from homeostat.kube.http import HttpTransport  # here, so that command lines do not pay for an unused HTTP stack

    return Client(
        HttpTransport(config, clock=clock),
        clock=clock,
        random=random,
        field_manager=field_manager,
        default_timeout_s=default_timeout_s,
        retries=retries,
        observer=observer,
        limit=limit,
        cluster=cluster,
    )
