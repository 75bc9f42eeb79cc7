"""Ends namespaces: deletes all that is in them, says in conditions what is left, and lets go when nothing is.

Pods go first: while one is left, what it may still need (its network policies, its secrets) stays.
What takes its time (finalizers, Pods that end) is looked at again after some seconds, as kube-controller-manager does:
only while a namespace is about to go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from homeostat.api.core import NAMESPACE
from homeostat.api.kind import Kind, Resource, unstructured
from homeostat.kube.client import Client
from homeostat.kube.discovery import Discovery
from homeostat.kube.errors import ApiError, MethodNotAllowed, NotFound
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome, Progress
from homeostat.sim.world.controllers.garbage.graph import Held
from homeostat.sim.world.controllers.loops import loop
from homeostat.sim.world.kinds.pods import POD

NAME = "namespace-controller"
HOLDER = "kubernetes"
_NEEDED = {"list", "delete"}
_AGAIN_S = 8.0  # half of kube-controller-manager's guess of fifteen seconds, and one
_NOT_IMITATED = 501
_WHOLE = unstructured(NAMESPACE.resource)
Object = dict[str, Any]


class Left(Struct, frozen=True):
    """What is still in a namespace."""

    counts: Mapping[str, int] = {}  # by `plural.group`, with the dot also where the group has no name
    finalizers: Mapping[str, int] = {}
    failures: tuple[str, ...] = ()
    pods: int = 0  # for which all else waits; no condition tells of it


def conditions(left: Left) -> list[tuple[str, str, str, str]]:
    """Type, status, reason and message of what is to be said of a namespace that is about to go."""
    some = ", ".join(f"{name} has {count} resource instances" for name, count in sorted(left.counts.items()))
    held = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(left.finalizers.items()))
    failed = "; ".join(left.failures)
    return [
        ("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            "True" if failed else "False",
            "ContentDeletionFailed" if failed else "ContentDeleted",
            f"Failed to delete all resource types, {len(left.failures)} remaining: {failed}"
            if failed
            else "All content successfully deleted, may be waiting on finalization",
        ),
        (
            "NamespaceContentRemaining",
            "True" if some else "False",
            "SomeResourcesRemain" if some else "ContentRemoved",
            f"Some resources are remaining: {some}" if some else "All content successfully removed",
        ),
        (
            "NamespaceFinalizersRemaining",
            "True" if held else "False",
            "SomeFinalizersRemain" if held else "ContentHasNoFinalizers",
            f"Some content in the namespace has finalizers remaining: {held}"
            if held
            else "All content-preserving finalizers finished",
        ),
    ]


def with_conditions(present: list[Object], left: Left, now: datetime) -> list[Object]:
    """The conditions as they are to be; the same list when they are so already."""
    known = {each["type"]: each for each in present}
    made = []
    for type_, status, reason, message in conditions(left):
        old = known.get(type_)
        said = {"type": type_, "status": status, "reason": reason, "message": message}
        if old is not None and {**old, "lastTransitionTime": None} == {**said, "lastTransitionTime": None}:
            made.append(old)
            continue
        since = old["lastTransitionTime"] if old is not None and old["status"] == status else None
        made.append({**said, "lastTransitionTime": since or now.strftime("%Y-%m-%dT%H:%M:%SZ")})
    return made


def add_namespaces(manager: Manager, client: Client) -> None:
    """Empty namespaces whose end was asked for."""
    ender = _Ender(manager, client)
    informer = manager.informer(client, NAMESPACE)
    made = loop(manager, NAME, ender.reconcile, workers=4)
    made.watch(informer, when=lambda _, new: new is not None and new.metadata.deletion_timestamp is not None)


class _Ender:
    def __init__(self, manager: Manager, client: Client) -> None:
        self._client = client
        self._clock = manager.clock
        self._discovery = Discovery(client)

    async def reconcile(self, name: str) -> Outcome:
        """Take one namespace as far as it goes now."""
        try:
            namespace = await self._client.get(_WHOLE, name)
            if "deletionTimestamp" not in namespace["metadata"] or HOLDER not in _holders(namespace):
                return DONE
            left = await self._empty(name)
            namespace = await self._tell(namespace, left)
            if left.counts or left.failures or left.pods:
                return Progress(_AGAIN_S, "something is left")
            await self._let_go(namespace)
        except NotFound:
            return DONE
        return DONE

    async def _empty(self, name: str) -> Left:
        """Delete all content, Pods before anything else; what is left of it."""
        pods = await self._delete_all(POD.resource, name)
        if pods:
            return Left(pods=len(pods))
        counts, finalizers, failures = Counter[str](), Counter[str](), list[str]()
        for each in await self._discovery.resources(fresh=True):
            resource = each.resource
            if not each.preferred or not resource.namespaced or not set(each.verbs) >= _NEEDED:
                continue
            try:
                left = await self._delete_all(resource, name)
            except (NotFound, MethodNotAllowed):
                continue
            except ApiError as error:
                if error.status != _NOT_IMITATED:
                    failures.append(str(error))
                continue
            if left:
                counts[f"{resource.plural}.{resource.group}"] = len(left)
            finalizers.update(finalizer for held in left for finalizer in held.metadata.finalizers)
        return Left(counts, finalizers, tuple(failures))

    async def _delete_all(self, resource: Resource, namespace: str) -> list[Held]:
        kind = Kind(resource, Held)
        found = (await self._client.list(kind, namespace)).items
        if any(each.metadata.deletion_timestamp is None for each in found):
            await self._client.delete_collection(kind, namespace)
            found = (await self._client.list(kind, namespace)).items
        return found

    async def _tell(self, namespace: Object, left: Left) -> Object:
        present = namespace.get("status", {}).get("conditions") or []
        said = with_conditions(present, left, self._clock.now())
        if said == present:
            return namespace
        patch = {"status": {"conditions": said}}
        return await self._client.merge_patch(_WHOLE, namespace["metadata"]["name"], patch, subresource="status")

    async def _let_go(self, namespace: Object) -> None:
        holders = [each for each in _holders(namespace) if each != HOLDER]
        body = {**namespace, "spec": {**namespace.get("spec", {}), "finalizers": holders}}
        await self._client.replace(_WHOLE, body, subresource="finalize")


def _holders(namespace: Object) -> list[str]:
    return namespace.get("spec", {}).get("finalizers") or []
