"""What stands in a status that its writer did not write: somebody put it there by hand, by another way than ours.

A server-side apply takes back what others changed, and leaves what others added: a field that we leave out stays for as
long as anybody has it. A status with such a field is never what its writer decided, so the writer would write it again
at every look, many times a second. Pure: the operations that take it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import to_builtins


def removals(whole: Any, part: Any, wanted: Any) -> list[dict[str, str]]:
    """JSON patch operations that take out of `whole` what is in a writer's part of it and not in what it wants.

    All three are statuses of one type. What is wanted and not there is no matter of theirs.
    """
    found = _strange(to_builtins(whole), to_builtins(part), to_builtins(wanted), "/status")
    return [{"op": "remove", "path": path} for path in found]


def _strange(whole: Any, part: Any, wanted: Any, path: str) -> Iterator[str]:
    if isinstance(part, Mapping) and isinstance(wanted, Mapping):
        for name in part:
            where = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
            if name not in wanted:
                yield where
            elif name in whole and part[name] != wanted[name]:
                yield from _strange(whole[name], part[name], wanted[name], where)
    elif isinstance(part, list | tuple) and isinstance(wanted, list | tuple):
        yield from _strange_items(list(whole), part, wanted, path)


def _strange_items(whole: list[Any], part: Sequence[Any], wanted: Sequence[Any], path: str) -> Iterator[str]:
    """The last first, so that no removal moves what another one means."""
    matches = list(_matched(part, wanted))
    for item, meant in reversed(matches):
        where = f"{path}/{whole.index(item)}"
        if meant is None:
            yield where
        elif item != meant:
            yield from _strange(whole[whole.index(item)], item, meant, where)


def _matched(part: Sequence[Any], wanted: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Each item with the one that is meant; items of objects are told apart by their first field, as all keys are."""
    left = list(wanted)
    for item in part:
        meant = next((each for each in left if _key(each) == _key(item)), None)
        if meant is not None:
            left.remove(meant)
        yield item, meant


def _key(item: Any) -> Any:
    return next(iter(item.items()), None) if isinstance(item, Mapping) else item
