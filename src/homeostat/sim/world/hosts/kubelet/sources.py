"""Secrets and ConfigMaps as those who mount them see them: contents, shared by all who have the same version.

Of all that there are, only names and versions are watched. Contents are read when a Pod needs them.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from weakref import WeakValueDictionary

from msgspec import Struct

from homeostat.api.core import CONFIG_MAP, SECRET
from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.runtime.informer import Informer
from homeostat.runtime.queue import Priority
from homeostat.sim.world.hosts.kubelet import variables
from homeostat.sim.world.hosts.kubelet.spec import Trace

Key = tuple[str, str, str]  # kind (secret, configmap), namespace, name


class Content(Struct, frozen=True, eq=False, weakref=True):
    """The entries of one version of an object."""

    version: str
    entries: dict[str, bytes]


class Sources:
    """All Secrets and ConfigMaps of one cell."""

    def __init__(self, client: Client, secrets: Informer[Trace], maps: Informer[Trace]) -> None:
        self._client = client
        self._traces = {variables.SECRET: secrets, variables.CONFIG_MAP: maps}
        self._shared: WeakValueDictionary[Key, Content] = WeakValueDictionary()
        self._followers: dict[Key, dict[Callable[[], None], None]] = {}
        for kind, informer in self._traces.items():
            informer.add_handler(self._teller(kind))

    async def read(self, key: Key) -> Content | None:
        """What it holds now; None where it is not there. Raises KubeError."""
        kind, namespace, name = key
        trace = self._traces[kind].store.get(name, namespace)
        shared = self._shared.get(key)
        if shared is not None and trace is not None and trace.metadata.resource_version == shared.version:
            return shared
        try:
            content = await self._fetch(kind, namespace, name)
        except NotFound:
            return None
        self._shared[key] = content
        return content

    def follow(self, key: Key, call: Callable[[], None]) -> None:
        """Call when it comes, changes or goes."""
        self._followers.setdefault(key, {})[call] = None

    def leave(self, key: Key, call: Callable[[], None]) -> None:
        """Call no more."""
        calls = self._followers.get(key, {})
        calls.pop(call, None)
        if not calls:
            self._followers.pop(key, None)

    async def _fetch(self, kind: str, namespace: str, name: str) -> Content:
        if kind == variables.SECRET:
            secret = await self._client.get(SECRET, name, namespace)
            return Content(secret.metadata.resource_version, {key: b64decode(v) for key, v in secret.data.items()})
        found = await self._client.get(CONFIG_MAP, name, namespace)
        entries = {key: value.encode() for key, value in found.data.items()}
        return Content(
            found.metadata.resource_version, entries | {key: b64decode(v) for key, v in found.binary_data.items()}
        )

    def _teller(self, kind: str) -> Callable[[Trace | None, Trace | None, Priority], None]:
        def tell(old: Trace | None, new: Trace | None, priority: Priority) -> None:  # noqa: ARG001
            known = new or old
            if known is None or (new is not None and old is new):
                return
            key = (kind, known.metadata.namespace, known.metadata.name)
            for call in tuple(self._followers.get(key, ())):
                call()

        return tell
