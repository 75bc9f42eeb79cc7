"""The objects of one collection at one revision, in the order of their keys.

Made of the newest state and of what has changed since, so that a page of an old list costs what is on it and those
changes, and not what the collection holds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from heapq import merge

from homeostat.sim.apiserver.store.history import Change
from homeostat.sim.apiserver.store.record import Record


class State:
    """To be read at once: it follows the shelf that it is of."""

    def __init__(self, keys: Sequence[str], records: Mapping[str, Record], since: Sequence[Change] = ()) -> None:
        """`keys` are sorted; `since` are the changes to look behind, in their order."""
        self._keys = keys
        self._records = records
        self._past = _before(since)
        self._gone = sorted(key for key, old in self._past.items() if old is not None and key not in records)

    @property
    def is_newest(self) -> bool:
        """Whether nothing has changed since."""
        return not self._past

    def within(self, namespace: str, after: str = "") -> Iterator[Record]:
        """The objects of a namespace (empty: of all) in order, from behind a key on."""
        start, end = _span(self._keys, namespace, after)
        present = (self._keys[at] for at in range(start, end))
        if not self._past:
            return (self._records[key] for key in present)
        first, last = _span(self._gone, namespace, after)
        keys = merge(present, self._gone[first:last])
        found = (self._past[key] if key in self._past else self._records[key] for key in keys)
        return (record for record in found if record is not None)

    def count(self, namespace: str, after: str = "") -> int:
        """How many `within` would give; none of them is looked at."""
        start, end = _span(self._keys, namespace, after)
        first, last = _span(self._gone, namespace, after)
        made = sorted(key for key, old in self._past.items() if old is None and key in self._records)
        begin, close = _span(made, namespace, after)
        return end - start + last - first - (close - begin)


def _before(since: Sequence[Change]) -> dict[str, Record | None]:
    """What has changed, as it was before; None where it was not there."""
    past: dict[str, Record | None] = {}
    for change in since:
        touched = change.new or change.old
        if touched is not None:
            past.setdefault(touched.key, change.old)
    return past


def _span(keys: Sequence[str], namespace: str, after: str) -> tuple[int, int]:
    """Where the keys of a namespace begin and end, behind a key."""
    prefix = f"{namespace}/" if namespace else ""
    start = bisect_left(keys, max(prefix, f"{after}\0" if after else ""))
    end = bisect_left(keys, f"{namespace}0", start) if namespace else len(keys)  # "0" follows "/"
    return start, end
