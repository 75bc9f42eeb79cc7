"""Pods that were asked to end, until the cache shows it: until then they count as gone, or others would go for them."""

from __future__ import annotations

from collections.abc import Iterable

from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.sim.world.controllers.workloads.pods import is_active
from homeostat.sim.world.kinds.pods import POD, Pod


class Ending:
    """By the keys of their owners."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._asked: dict[str, dict[str, None]] = {}

    def left(self, key: str, pods: Iterable[Pod]) -> list[Pod]:
        """The Pods of an owner that nobody has asked to end."""
        asked = self._asked.get(key)
        if asked is None:
            return list(pods)
        pods = list(pods)
        seen = {pod.metadata.uid for pod in pods if is_active(pod)}
        still = self._asked[key] = {uid: None for uid in asked if uid in seen}
        if not still:
            del self._asked[key]
        return [pod for pod in pods if pod.metadata.uid not in still]

    async def end(self, key: str, pod: Pod) -> None:
        """Ask a Pod to end. Raises KubeError."""
        meta = pod.metadata
        self._asked.setdefault(key, {})[meta.uid] = None
        try:
            await self._client.delete(POD, meta.name, meta.namespace, uid=meta.uid)
        except NotFound:
            return  # the cache will show it
        except BaseException:
            self._asked[key].pop(meta.uid, None)
            raise

    def forget(self, key: str) -> None:
        """The owner is gone."""
        self._asked.pop(key, None)
