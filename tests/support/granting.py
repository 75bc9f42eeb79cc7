"""A double of business clusters' roles and bindings: keeps what was granted last, and refuses when it is told to."""

from __future__ import annotations

from collections.abc import Mapping

from homeostat.operators.cluster.hosting.rights import Right, Wanted
from homeostat.operators.cluster.ports import Unreachable


class FakeRights:
    """Satisfies the operator's Rights."""

    def __init__(self) -> None:
        self.failure = ""  # nobody can be asked
        self.refused: dict[str, str] = {}  # why, by operator
        self.granted: dict[str, tuple[Right, ...]] = {}  # by operator
        self.story: list[str] = []  # what changed, in order

    async def grant(self, kubeconfig: bytes, wanted: Wanted) -> Mapping[str, str]:
        """All is kept as it is asked for."""
        if self.failure:
            raise Unreachable(self.failure)
        assert kubeconfig
        before, refused = self.granted, {name: why for name, why in self.refused.items() if name in wanted}
        self.granted = {name: rights for name, rights in wanted.items() if name not in refused}
        for name in sorted({*before, *self.granted}):
            if before.get(name) != self.granted.get(name):
                self.story.append(f"{'granted' if name in self.granted else 'took back'} {name}")
        return refused
