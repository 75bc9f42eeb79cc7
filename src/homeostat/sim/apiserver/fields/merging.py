"""How an applied configuration goes into a live object: what it says wins, what it does not say stays.

Nothing is removed by merging, also not by null: a null in place of an object or a list with parts leaves the parts.
Items of a list stand in the order of the configuration as far as it names them, and in that of the live object else.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from homeostat.sim.apiserver.fields.forms import ABSENT, element_of, fields_in, forms_of, is_whole, items_in
from homeostat.sim.apiserver.fields.paths import Element
from homeostat.sim.apiserver.schemas.shape import UNTYPED, Shape


def merge(live: Any, applied: Any, shape: Shape) -> Any:
    """The live value with an applied one merged into it; ABSENT where both have nothing."""
    form = forms_of(live, applied, shape)[-1]
    parts = items_in if form == "list" else fields_in
    if is_whole(form, shape) or not (parts(live) or parts(applied)):
        return live if applied is ABSENT else applied
    if form == "list":
        return _Weaving(items_in(live), items_in(applied), shape).run() or ABSENT
    return _merged_fields(fields_in(live), fields_in(applied), shape) or ABSENT


def _merged_fields(live: dict[str, Any], applied: dict[str, Any], shape: Shape) -> dict[str, Any]:
    made = {name: merge(live.get(name, ABSENT), applied.get(name, ABSENT), shape.at(name)) for name in live | applied}
    return {name: value for name, value in made.items() if value is not ABSENT}


class _Weaving:
    """Two lists become one. Items of the live list that the applied one does not name keep their place among those
    that it does name, until an item comes that the applied list wants elsewhere."""

    def __init__(self, live: list[Any], applied: list[Any], shape: Shape) -> None:
        self.shape = shape
        self.live = deque((element_of(item, shape), item) for item in live)
        self.applied = deque((element_of(item, shape), item) for item in applied)
        self.known: dict[Element, Any] = {}
        for element, item in self.live:
            # What stands twice cannot be merged: the applied item takes the place of all of them.
            self.known[element] = None if element in self.known else item
        self.named = {element for element, _ in self.applied}
        self.shared = deque(element for element, _ in self.applied if element in self.known)
        self.done: set[Element] = set()
        self.woven: list[Any] = []

    def run(self) -> list[Any]:
        while self.live or self.applied:
            if self.live and self.applied:
                if self.live[0][0] == self.applied[0][0]:
                    self.live.popleft()
                    self._take_applied()
                    continue
                if self._is_out_of_turn(self.live[0][0]):
                    self.live.popleft()
                    continue
            if self.live and self._take_live():
                continue
            if self.applied:
                self._take_applied()
        return self.woven

    def _is_out_of_turn(self, element: Element) -> bool:
        """Whether an item is named by the applied list, and another one that both have comes before it there."""
        return element in self.named and bool(self.shared) and self.shared[0] != element

    def _take_live(self) -> bool:
        """Takes the next live item if the applied list does not name it; passes over one that was taken already."""
        element, item = self.live[0]
        if element not in self.named:
            self.live.popleft()
            self._add(merge(item, ABSENT, self.shape.each or UNTYPED))
            return True
        if element in self.done:
            self.live.popleft()
        return False

    def _take_applied(self) -> None:
        element, item = self.applied.popleft()
        self.done.add(element)
        self._add(merge(self.known.get(element, ABSENT), item, self.shape.each or UNTYPED))
        if self.shared and self.shared[0] == element:
            self.shared.popleft()

    def _add(self, item: Any) -> None:
        if item is not ABSENT:
            self.woven.append(item)
