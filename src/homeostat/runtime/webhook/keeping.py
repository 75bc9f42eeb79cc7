"""Keeps the Secret of certificates and the configuration as they should be, and hands out what to serve with.

Two caches of one object each wake it; so does a tick, because certificates age without an event. Every replica minds
the Secret: it is created, or changed under the version that was read, so of several that come at once one succeeds and
the others read what it wrote. Only who leads writes the configuration: during an update, replicas of two versions would
otherwise undo each other's rules.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from homeostat.api.admission import VALIDATING_WEBHOOK_CONFIGURATION, ValidatingWebhookConfiguration
from homeostat.api.core import SECRET, Secret
from homeostat.kit.backoff import Backoff
from homeostat.kit.clock import Clock
from homeostat.kit.pki.authority import Damaged
from homeostat.kit.pki.soundness import decoded
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.errors import AlreadyExists, Conflict, KubeError
from homeostat.runtime.informer import Informer
from homeostat.runtime.webhook.certificates import (
    Held,
    Lifetimes,
    Pair,
    bundle_of,
    first,
    next_step,
    served_by,
)
from homeostat.runtime.webhook.configuration import Address, difference, trusted_by
from homeostat.telemetry.logs import logger
from homeostat.telemetry.metrics import Metrics, declare

MANAGED_BY = {"app.kubernetes.io/name": "homeostat", "app.kubernetes.io/managed-by": "homeostat-webhooks"}
FIELD_MANAGER = "homeostat-webhooks"
# After a write of the configuration the next one waits: whoever else insists on changing it must not make a hot loop.
PAUSE_S = 1.0
AGAIN = Backoff(base_s=1.0, factor=2.0, cap_s=30.0, jitter=0.5)

EXPIRES = declare(
    "homeostat_webhook_certificate_expiry_timestamp_seconds",
    "gauge",
    "seconds",
    "When the certificate that the webhooks are served with runs out, as Unix time; 0 before there is one",
)
IN_FORCE = declare(
    "homeostat_webhook_configuration_in_force",
    "gauge",
    "configurations",
    "1 while the ValidatingWebhookConfiguration is as this process declares it",
)
APPLIES = declare(
    "homeostat_webhook_configuration_applies", "counter", "writes", "Writes of the ValidatingWebhookConfiguration"
)


class Kept(Struct, frozen=True):
    """What is kept, where, and how often it is looked at when nothing happens."""

    namespace: str
    secret: str
    configuration: str
    lifetimes: Lifetimes = Lifetimes()
    every_s: float = 30.0


class Keeper:
    """`run` it in a task group. `present` is called with every pair to serve with, `declare` with every bundle."""

    def __init__(
        self,
        client: Client,
        kept: Kept,
        address: Address,
        *,
        declare: Callable[[bytes], dict[str, Any]],
        present: Callable[[Pair], None],
        may_configure: Callable[[], bool],
        clock: Clock,
        random: Random,
        metrics: Metrics,
    ) -> None:
        self._client = client
        self._kept = kept
        self._address = address
        self._declare = declare
        self._present = present
        self._may_configure = may_configure
        self._clock = clock
        self._random = random
        self._wake = asyncio.Event()
        self._presented: Pair | None = None
        self._trouble = ""
        self._failures = 0
        self._log = logger(webhooks=kept.configuration)
        self._expires, self._in_force = metrics.gauge(EXPIRES), metrics.gauge(IN_FORCE)
        self._applies = metrics.counter(APPLIES)
        self._secrets: Informer[Secret] = Informer(
            client,
            SECRET,
            clock=clock,
            random=random,
            namespace=kept.namespace,
            fields=f"metadata.name={kept.secret}",
            metrics=metrics,
        )
        self._configurations: Informer[ValidatingWebhookConfiguration] = Informer(
            client,
            VALIDATING_WEBHOOK_CONFIGURATION,
            clock=clock,
            random=random,
            fields=f"metadata.name={kept.configuration}",
            metrics=metrics,
        )
        self._secrets.add_handler(lambda *_: self.wake())
        self._configurations.add_handler(lambda *_: self.wake())

    def wake(self) -> None:
        """Look at everything again soon."""
        self._wake.set()

    def trouble(self) -> list[str]:
        """Why nothing can be served, or not for long."""
        if self._presented is None:
            why = self._trouble or self._secrets.trouble(self._clock.monotonic())
            return [f"webhook: no certificate to serve with yet{': ' if why else ''}{why}"]
        if self._clock.now() >= self._presented.not_after:
            return [f"webhook: the certificate has run out{': ' if self._trouble else ''}{self._trouble}"]
        return []

    async def run(self) -> None:
        """Keep until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._secrets.run(), name="webhook secret")
            tasks.create_task(self._configurations.run(), name="webhook configuration")
            tasks.create_task(self._tick(), name="webhook tick")
            for informer in (self._secrets, self._configurations):
                tasks.create_task(self._wake_when_filled(informer), name=f"webhook cache of {informer.name}")
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._tend()

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(self._kept.every_s * self._random.uniform(0.8, 1.2))
            self.wake()

    async def _wake_when_filled(self, informer: Informer[Any]) -> None:
        await informer.synced.wait()
        self.wake()

    async def _tend(self) -> None:
        try:
            if self._secrets.synced.is_set():
                await self._tend_secret()
            if self._configurations.synced.is_set():
                await self._tend_configuration()
            self._failures = 0
        except KubeError as error:
            self._trouble = str(error)
            self._log.warning("trying again to keep webhooks in order", error=self._trouble)
            await self._clock.sleep(AGAIN.delay_s(self._failures, self._random))
            self._failures += 1
            self.wake()
        except Damaged as error:
            # Only what somebody just now wrote can be so; the next look mends it.
            self._trouble = str(error)

    async def _tend_secret(self) -> None:
        secret = self._secrets.store.get(self._kept.secret, self._kept.namespace)
        if secret is None:
            await self._create_secret()
            return
        where = f"Secret {secret.metadata.key}"
        if not MANAGED_BY.items() <= secret.metadata.labels.items():
            self._trouble = f"{where} exists and is not homeostat's; rename it, or give the webhook another Service"
            self._log.error("leaving a foreign Secret alone", why=self._trouble)
            return
        self._trouble = ""
        entries = decoded(secret.data)
        trusted = trusted_by(self._configuration())
        step = next_step(Held(entries, self._address.certificate(), self._clock.now(), self._kept.lifetimes, trusted))
        if step is not None:
            await self._change_secret(secret, entries, step.entries, step.why)
            return
        self._serve_with(served_by(entries), trusted)

    async def _create_secret(self) -> None:
        former = self._presented.signer if self._presented is not None else b""
        entries = first(self._address.certificate(), self._clock.now(), self._kept.lifetimes, former)
        body = {
            "metadata": {"name": self._kept.secret, "namespace": self._kept.namespace, "labels": MANAGED_BY},
            "type": "Opaque",
            "data": _encoded(entries),
        }
        self._log.info("making certificates", secret=f"{self._kept.namespace}/{self._kept.secret}")
        try:
            await self._client.create(SECRET, body, field_manager=FIELD_MANAGER)
        except AlreadyExists:
            self._log.info("another replica was quicker: taking its certificates")

    async def _change_secret(
        self, secret: Secret, entries: Mapping[str, bytes], wanted: Mapping[str, bytes], why: str
    ) -> None:
        gone: dict[str, str | None] = dict.fromkeys(set(entries) - set(wanted))
        patch = {
            "metadata": {"resourceVersion": secret.metadata.resource_version},  # only what was read is changed
            "data": {**gone, **_encoded(wanted)},
        }
        self._log.info("changing certificates", secret=secret.metadata.key, why=why)
        try:
            await self._client.merge_patch(
                SECRET, self._kept.secret, patch, self._kept.namespace, field_manager=FIELD_MANAGER
            )
        except Conflict:
            self._log.info("another replica was quicker: taking its certificates")

    def _serve_with(self, pair: Pair, trusted: frozenset[bytes]) -> None:
        """Take a new pair into service, as soon as API servers trust it."""
        before = self._presented
        if pair == before:
            return
        is_usable = before is not None and self._clock.now() < before.not_after
        if is_usable and pair.signer not in trusted:
            self._log.info("keeping the old certificate until the configuration trusts the new one")
            return
        self._present(pair)
        self._presented = pair
        self._expires.set(pair.not_after.timestamp())
        self._log.info("serving webhooks with a certificate", until=f"{pair.not_after:%FT%TZ}")

    async def _tend_configuration(self) -> None:
        secret = self._secrets.store.get(self._kept.secret, self._kept.namespace)
        bundle = bundle_of(decoded(secret.data)) if secret is not None else b""
        if not bundle or self._presented is None:
            return
        wanted = self._declare(bundle)
        why = difference(self._configuration(), wanted)
        self._in_force.set(0 if why else 1)
        if not why or not self._may_configure():
            return
        self._log.info("applying the webhook configuration", why=why)
        self._applies.inc()
        kind = VALIDATING_WEBHOOK_CONFIGURATION
        answer = await self._client.apply(kind, wanted, force=True, field_manager=FIELD_MANAGER)
        if why := difference(answer, wanted):
            # What somebody added is not ours to give up by an apply: the list is put in place as a whole.
            self._log.warning("replacing what an apply does not remove", why=why)
            version = {"resourceVersion": answer.metadata.resource_version}
            patch = {"metadata": version, "webhooks": wanted["webhooks"]}
            await self._client.merge_patch(kind, self._kept.configuration, patch, field_manager=FIELD_MANAGER)
        await self._clock.sleep(PAUSE_S)

    def _configuration(self) -> ValidatingWebhookConfiguration | None:
        return self._configurations.store.get(self._kept.configuration)


def _encoded(entries: Mapping[str, bytes]) -> dict[str, str]:
    return {name: b64encode(value).decode() for name, value in entries.items()}
