"""Compiling expressions of CEL: what rules of CRDs and conditions of webhooks and policies have in common.

The library is heavy, and of use to simulations with expressions alone: it is imported by whoever compiles the first.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import Any

from homeostat.sim.apiserver.refusing import not_imitated
from homeostat.sim.apiserver.schemas.functions import declared

_UNDECLARED = re.compile(r"undeclared reference to '([\w.]+)'")


class BadExpression(ValueError):
    """An expression that does not compile; the text is the compiler's."""


def environment(variables: Mapping[str, str], about: str) -> Any:
    """Where expressions about variables of these types, as CEL writes them, compile. Raises Refused without CEL."""
    try:
        from cel_expr_python import cel
        from cel_expr_python.ext import ext_bindings, ext_optional, ext_strings
    except ImportError as error:
        raise not_imitated(f"{about} without cel-expr-python; install homeostat[sim]") from error

    extensions = [ext_strings.ExtStrings(), ext_optional.ExtOptional(), ext_bindings.ExtBindings()]
    types: Mapping[str, Any] = {name: cel.Type(type_) for name, type_ in variables.items()}
    return cel.NewEnv(variables=types, functions=declared(), extensions=extensions)


def compiled(where: Any, text: str, left_out: Container[str], what: str) -> Any:
    """Raises BadExpression, or Refused for a name that Kubernetes knows and is left out here; `what` says it: '{}'."""
    try:
        return where.compile(text)
    except RuntimeError as error:
        told = str(error).removeprefix("INVALID_ARGUMENT: ").removesuffix(" [INVALID_ARGUMENT]")
        for name in _UNDECLARED.findall(told):
            if name in left_out:
                raise not_imitated(what.format(name)) from None
        raise BadExpression(told) from None
