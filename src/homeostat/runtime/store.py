"""A cache of the objects of one kind, with indexes, kept by one informer and read by everybody.

Objects handed out are shared: they are frozen structs, and plain dicts must be treated as such. A reader sees the
state after a whole batch. `version` is the resourceVersion up to which the store is complete.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count, islice
from typing import Any, Generic, TypeVar

T = TypeVar("T")
IndexFunction = Callable[[T], Iterable[str]]


class Store(Generic[T]):
    """Objects by key (`namespace/name`, or the name of a cluster-scoped object) and by index values."""

    def __init__(self, indexes: Mapping[str, IndexFunction[T]] | None = None) -> None:
        self._objects: dict[str, T] = {}
        self._functions = dict(indexes or {})
        self._indexes: dict[str, dict[str, dict[str, None]]] = {name: {} for name in self._functions}
        self._version = ""
        self._awaited: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()

    def __len__(self) -> int:
        return len(self._objects)

    def __contains__(self, key: str) -> bool:
        return key in self._objects

    @property
    def version(self) -> str:
        """The resourceVersion up to which all changes are in; empty before the first list."""
        return self._version

    def get(self, key: str, namespace: str = "") -> T | None:
        """The object of a key; with a namespace, `key` is the bare name."""
        return self._objects.get(f"{namespace}/{key}" if namespace else key)

    def keys(self) -> Iterator[str]:
        """All keys, as of now."""
        return iter(list(self._objects))

    def values(self) -> list[T]:
        """All objects, as of now."""
        return list(self._objects.values())

    def by_index(self, name: str, value: str) -> list[T]:
        """The objects for which index `name` yields `value`. Raises KeyError naming the indexes there are."""
        return [self._objects[key] for key in self._members(name, value)]

    def keys_by_index(self, name: str, value: str, at_most: int | None = None) -> tuple[int, list[str]]:
        """How many objects there are for an index value, and some of their keys, at a cost of those alone.

        Raises KeyError as `by_index` does.
        """
        members = self._members(name, value)
        return len(members), list(islice(members, at_most))

    def index_values(self, name: str) -> list[str]:
        """The values under which index `name` has objects."""
        return list(self._indexes[name])

    def put(self, key: str, obj: T) -> T | None:
        """Keep an object; returns the one it replaces."""
        old = self._objects.get(key)
        self._objects[key] = obj
        if self._functions:
            self._index(key, old, obj)
        return old

    def remove(self, key: str) -> T | None:
        """Forget an object; returns it."""
        old = self._objects.pop(key, None)
        if old is not None and self._functions:
            self._index(key, old, None)
        return old

    def add_index(self, name: str, function: IndexFunction[T]) -> None:
        """Add an index over what is and what comes. Raises ValueError when the name means another function."""
        if self._functions.setdefault(name, function) is not function:
            raise ValueError(f"index {name!r}: expected one function for a name, found a second; choose another name")
        index: dict[str, dict[str, None]] = {}
        for key, obj in self._objects.items():
            for value in function(obj):
                index.setdefault(value, {})[key] = None
        self._indexes[name] = index

    def mark(self) -> int:
        """A point in time: who waits from before it is served by a full read that begins now (see `advance`)."""
        return next(self._order)

    def advance(self, version: str, read_after: int | None = None) -> None:
        """All changes up to this version are in; wakes those who wait for it.

        `read_after` is the mark of a full read's beginning: it holds everything that was written before, even when
        versions went back because the server was restored from a backup.
        """
        if version:
            self._version = version
        if self._awaited:
            self._wake(read_after)

    def when(self, version: str, call: Callable[[], None]) -> None:
        """Call once the store has caught up with a version; at once when it has."""
        if self.has_seen(version):
            call()
        else:
            heapq.heappush(self._awaited, (int(version), next(self._order), call))

    def has_seen(self, version: str) -> bool:
        """Whether a write that returned this resourceVersion is in.

        Versions of one kind are comparable integers (documented since Kubernetes 1.35, true of etcd always). Of a
        server with other versions one cannot tell, and nobody waits.
        """
        if not version.isdecimal():
            return True
        if not self._version:
            return False
        return not self._version.isdecimal() or int(self._version) >= int(version)

    def _members(self, name: str, value: str) -> Mapping[str, None]:
        try:
            return self._indexes[name].get(value, {})
        except KeyError:
            raise KeyError(f"index {name!r}: expected one of {sorted(self._indexes)}") from None

    def _wake(self, read_after: int | None) -> None:
        seen = int(self._version) if self._version.isdecimal() else None
        while self._awaited and (seen is None or self._awaited[0][0] <= seen):
            heapq.heappop(self._awaited)[2]()
        if read_after is None:
            return
        served = [entry for entry in self._awaited if entry[1] < read_after]
        self._awaited = [entry for entry in self._awaited if entry[1] > read_after]
        heapq.heapify(self._awaited)
        for entry in served:
            entry[2]()

    def _index(self, key: str, old: T | None, new: T | None) -> None:
        for name, function in self._functions.items():
            # Dicts keep the order of what the function yields; that of sets differs from process to process.
            before = dict.fromkeys(function(old)) if old is not None else {}
            after = dict.fromkeys(function(new)) if new is not None else {}
            if before.keys() == after.keys():
                continue
            index = self._indexes[name]
            for value in (each for each in before if each not in after):
                members = index[value]
                del members[key]
                if not members:
                    del index[value]
            for value in (each for each in after if each not in before):
                index.setdefault(value, {})[key] = None


def key_function(of: type[Any]) -> Callable[[Any], str]:
    """How to read the key from objects of a type."""
    return _key_of_mapping if of is dict or getattr(of, "__origin__", None) is dict else _key_of_struct


def _key_of_struct(obj: Any) -> str:
    meta = obj.metadata
    namespace = meta.namespace
    return f"{namespace}/{meta.name}" if namespace else str(meta.name)


def _key_of_mapping(obj: Mapping[str, Any]) -> str:
    meta = obj["metadata"]
    namespace = meta.get("namespace", "")
    return f"{namespace}/{meta['name']}" if namespace else str(meta["name"])


def split_key(key: str) -> tuple[str, str]:
    """Namespace and name of a key; the namespace of a cluster-scoped object is empty."""
    namespace, _, name = key.rpartition("/")
    return namespace, name
