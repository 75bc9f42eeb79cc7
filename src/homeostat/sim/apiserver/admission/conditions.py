"""Conditions of webhooks and policies: expressions of CEL about a write.

The language is that of the rules of CRDs (`schemas.expressions`), and so are its limits. Here everything is of a type
that is only known when it is evaluated, as objects are for webhooks of a real server, too.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from homeostat.sim.apiserver.schemas.compiling import compiled, environment
from homeostat.sim.apiserver.schemas.expressions import FailedEvaluation, told_error
from homeostat.sim.apiserver.schemas.functions import NOT_IMITATED

OF_WRITES = ("object", "oldObject", "request")
_MORE_NOT_IMITATED = NOT_IMITATED | {"authorizer"}


class Condition:
    """A compiled expression about some variables."""

    def __init__(self, text: str, names: tuple[str, ...] = OF_WRITES) -> None:
        """Raises BadExpression, or Refused for what is not imitated."""
        self.text = text
        self._names = names
        self._compiled = _compiled(text.strip(), names)

    @property
    def kind(self) -> str:
        """The type of its value, as CEL writes it: BOOL, STRING, DYN."""
        return str(self._compiled.return_type().name())

    def value(self, variables: Mapping[str, Any]) -> Any:
        """Its value. Raises FailedEvaluation, in the words of an API server."""
        from cel_expr_python import cel

        found = self._compiled.eval(data={name: variables.get(name) for name in self._names})
        if found.type() == cel.Type.ERROR:
            raise FailedEvaluation(f"expression '{self.text}' resulted in error: {told_error(str(found.value()))}")
        return found.plain_value()


def all_hold(conditions: Iterable[Condition], variables: Mapping[str, Any]) -> bool:
    """Whether all hold. One that does not hold outweighs those that fail. Raises FailedEvaluation."""
    failures: list[str] = []
    for each in conditions:
        try:
            if each.value(variables) is False:
                return False
        except FailedEvaluation as error:
            failures.append(str(error))
    if failures:
        told = list(dict.fromkeys(failures))
        raise FailedEvaluation(told[0] if len(told) == 1 else f"[{', '.join(told)}]")
    return True


@functools.lru_cache(maxsize=4096)
def _compiled(text: str, names: tuple[str, ...]) -> Any:
    return compiled(_environment(names), text, _MORE_NOT_IMITATED, "{} in expressions about writes")


@functools.cache
def _environment(names: tuple[str, ...]) -> Any:
    return environment(dict.fromkeys(names, "dyn"), "expressions about writes")
