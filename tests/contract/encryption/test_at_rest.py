"""Secrets at rest: what a real etcd holds while a real API server is taken through the states of a rotation."""

from __future__ import annotations

import json
import urllib.request
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.apiserver import ApiServer, launch

from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.operators.cluster.pki import states
from homeostat.operators.cluster.pki.authority import new_authorities
from homeostat.operators.cluster.pki.kubeconfig import write_kubeconfig
from homeostat.operators.cluster.pki.material import (
    ENCRYPTION_CONFIG,
    ENCRYPTION_KEY,
    NEXT,
    material,
    name_of,
    next_keys,
    promoted,
)
from homeostat.providers.endpoint.probing import EndpointProbe

pytestmark = pytest.mark.real

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROBE = EndpointProbe(clock=SystemClock(), random=system_random())
WORD = "plain-to-see"
MORE_THAN_A_PAGE = 60


class Store:
    """An API server with an encryption config, and its etcd as a thief of the disk reads it."""

    def __init__(self, place: Path) -> None:
        self.entries = new_authorities(NOW)
        self._file = place / ENCRYPTION_CONFIG
        self._place = place
        self.server: ApiServer

    def start(self) -> None:
        self._write("")
        self.server = launch(directory=self._place, flags=(f"--encryption-provider-config={self._file}",))

    def come_to(self, stage: str) -> None:
        """Start the API server as it is in a state of a rotation; none is rest."""
        self._write(stage)
        self.server.restart()

    def put(self, *names: str) -> None:
        items = [
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": each}, "stringData": {"word": WORD}}
            for each in names
        ]
        self.server.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))

    def stored(self, name: str) -> bytes:
        key = b64encode(f"/registry/secrets/default/{name}".encode()).decode()
        (found,) = self._ask("kv/range", {"key": key})["kvs"]
        return b64decode(found["value"])

    def is_sealed(self, name: str, key: bytes) -> bool:
        """Whether a Secret is encrypted with a key; else it is there to be read."""
        content = self.stored(name)
        sealed = content.startswith(f"k8s:enc:secretbox:v1:{name_of(key)}:".encode())
        assert sealed is not (WORD.encode() in content) or not sealed
        return sealed

    def read(self, name: str) -> str:
        return b64decode(self.server.kubectl("get", "secret", name, "-o", "jsonpath={.data.word}")).decode()

    async def rewrite(self) -> int:
        """Have all Secrets written anew; in how many pages."""
        pages, after = 1, await self.rewrite_page("")
        while after:
            pages, after = pages + 1, await self.rewrite_page(after)
        return pages

    async def rewrite_page(self, after: str) -> str:
        """Have the Secrets behind some place written anew, and say where to go on."""
        certificate, key = self.server.authority.user("admin", "system:masters")
        trusted = self.server.authority.certificate
        config = write_kubeconfig(self.server.url, "admin", ca=trusted, certificate=certificate, key=key)
        return await PROBE.rewrite_secrets(config, after)

    def forget_history(self) -> None:
        """Compact etcd, as an API server has it done every five minutes, and let the server come back to that."""
        revision = self._ask("kv/range", {"key": b64encode(b"/").decode()})["header"]["revision"]
        self._ask("kv/compaction", {"revision": revision})
        self.server.restart()

    def _ask(self, method: str, body: dict[str, str]) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.server.etcd_url}/v3/{method}", json.dumps(body).encode())
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def _write(self, stage: str) -> None:
        self._file.write_bytes(material(self.entries, states.ENCRYPTION_KEY, stage)[ENCRYPTION_CONFIG])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.server.stop()


async def test_secrets_of_a_cluster_that_did_not_encrypt_come_to_be_encrypted(store: Store) -> None:
    del store.entries[ENCRYPTION_KEY]
    store.start()
    many = [f"old-{number}" for number in range(MORE_THAN_A_PAGE)]
    store.put(*many)
    assert WORD.encode() in store.stored("old-0")
    store.entries |= next_keys(states.ENCRYPTION_KEY, store.entries, NOW)
    key = store.entries[f"{NEXT}{ENCRYPTION_KEY}"]
    store.come_to(states.TRUSTING)
    store.put("meanwhile")
    assert not store.is_sealed("meanwhile", key)
    store.come_to(states.USING)
    store.put("new")
    assert store.is_sealed("new", key)
    assert not store.is_sealed("old-0", key)
    assert await store.rewrite() > 1
    assert all(store.is_sealed(each, key) for each in (*many, "meanwhile", "new"))
    assert {store.read(each) for each in ("old-0", "meanwhile", "new")} == {WORD}


async def test_writing_secrets_anew_goes_on_where_it_was_when_the_history_is_forgotten(store: Store) -> None:
    store.start()
    many = [f"old-{number:02}" for number in range(MORE_THAN_A_PAGE)]
    store.put(*many)
    store.entries |= next_keys(states.ENCRYPTION_KEY, store.entries, NOW)
    key = store.entries[f"{NEXT}{ENCRYPTION_KEY}"]
    store.come_to(states.USING)
    after = await store.rewrite_page("")
    store.put("new")
    store.forget_history()
    assert await store.rewrite_page(after) == ""
    assert all(store.is_sealed(each, key) for each in (*many, "new"))


async def test_a_key_goes_when_nothing_is_encrypted_with_it_any_more(store: Store) -> None:
    old = store.entries[ENCRYPTION_KEY]
    store.start()
    store.put("one")
    assert store.is_sealed("one", old)
    store.entries |= next_keys(states.ENCRYPTION_KEY, store.entries, NOW)
    store.come_to(states.USING)
    assert store.read("one") == WORD
    assert await store.rewrite() == 1
    change = promoted(states.ENCRYPTION_KEY, store.entries)
    store.entries = {name: value for name, value in {**store.entries, **change}.items() if value is not None}
    assert store.is_sealed("one", store.entries[ENCRYPTION_KEY])
    store.come_to("")
    assert store.read("one") == WORD
