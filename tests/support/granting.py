"""A double of business clusters' roles and bindings: keeps what was granted last, and refuses when it is told to."""

from __future__ import annotations

from homeostat.operators.cluster.hosting.rights import Right
from homeostat.operators.cluster.ports import Unreachable


class FakeRights:
    """Satisfies the operator's Rights."""

    def __init__(self) -> None:
        self.failure = ""
        self.granted: dict[str, tuple[Right, ...]] = {}  # by operator
        self.story: list[str] = []  # what changed, in order

    async def grant(self, kubeconfig: bytes, operator: str, rights: tuple[Right, ...]) -> None:
        """All is kept as it is asked for."""
        if self.failure:
            raise Unreachable(self.failure)
        assert kubeconfig
        before = self.granted.pop(operator, ())
        if rights:
            self.granted[operator] = rights
        if rights != before:
            self.story.append(f"{'granted' if rights else 'took back'} {operator}")
