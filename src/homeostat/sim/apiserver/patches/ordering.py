"""In which order the items of a merged list stand: those of the patch as the patch has them, the others among them.

An item that the patch does not name stands before the next one that it does name if it stood before that in the live
list; so it comes after all that is new.
"""

from __future__ import annotations

from typing import Any

from homeostat.sim.apiserver.fields.checking import go_text
from homeostat.sim.apiserver.fields.forms import ABSENT, same
from homeostat.sim.apiserver.refusing import Refused, bad_request


def failure(message: str) -> Refused:
    """A patch that the API server cannot make sense of, which it answers as an error of its own."""
    return Refused(500, "", message)


def key_of(item: Any, key: str) -> Any:
    """What tells an item of a list apart. Raises Refused if it has none."""
    if key not in item:
        raise failure(f"map: {go_text(item)} does not contain declared merge key: {key}")
    return item[key]


def are_objects(*lists: list[Any]) -> bool:
    """Whether the items of lists, of which there is one at least, are objects; all are of one kind. Raises Refused."""
    kinds = [type(item) for items in lists for item in items]
    if kinds[0] is list:
        raise Refused(422, "Invalid", "the server rejected our request due to an error in our request")
    if any(kind is not kinds[0] for kind in kinds):
        raise failure(f"list element types are not identical: [{' '.join(map(go_text, lists))}]")
    return kinds[0] is dict


def check_order(patch: list[Any], order: list[Any], key: str) -> None:
    """Raises Refused if an order does not name all items of a patch in the order that they have there."""
    if not patch or not order:
        return
    rest = iter(order)
    for item in patch:
        if isinstance(item, dict) and "$patch" in item:
            continue
        if not any(same(_known_by(item, key), _known_by(each, key)) for each in rest):
            shown = (
                f"The order in patch list:\n{go_text(patch)}\n doesn't match $setElementOrder list:\n{go_text(order)}\n"
            )
            raise failure(shown)


def woven(merged: list[Any], order: list[Any], before: list[Any], key: str) -> list[Any]:
    """The items of a merged list in their order. `before` is the live list."""
    named = [_known_by(each, key) for each in order]
    lived = [_known_by(each, key) for each in before]
    known = [(item, _known_by(item, key)) for item in merged]
    ours = sorted((pair for pair in known if _place(named, pair[1]) >= 0), key=lambda pair: _place(named, pair[1]))
    others = sorted((pair for pair in known if _place(named, pair[1]) < 0), key=lambda pair: _place(lived, pair[1]))
    made: list[Any] = []
    while ours and others:
        first, second = _place(lived, others[0][1]), _place(lived, ours[0][1])
        made.append((others if 0 <= first < second else ours).pop(0)[0])
    return made + [item for item, _ in (ours or others)]


def _known_by(item: Any, key: str) -> Any:
    if not key:
        return item
    if not isinstance(item, dict):
        raise bad_request("invalid patch format of setElementOrder list")
    return key_of(item, key)


def _place(keys: list[Any], key: Any) -> int:
    return next((at for at, each in enumerate(keys) if each is not ABSENT and same(each, key)), -1)
