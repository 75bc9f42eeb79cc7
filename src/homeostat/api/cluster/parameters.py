"""How a master component is started: what package versions declare, and what a Cluster declares differently."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Struct

from homeostat.api.cluster.rules import (
    OVERRIDDEN_ARGUMENT_NAMES,
    OVERRIDE_IS_ONE_THING,
    QUANTITY,
    RESOURCE_NAMES,
    VARIABLE_NAMES,
)
from homeostat.api.schema import Rule, doc

_FLAG = {"maxLength": 128, "pattern": "^[a-z][a-z0-9-]*$"}
_VARIABLE = {"maxLength": 128, "pattern": "^[-._a-zA-Z][-._a-zA-Z0-9]*$"}
_SET = {"x-kubernetes-list-type": "set"}


class ComponentResources(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """What a component's container asks for and may take at most."""

    requests: Annotated[
        dict[str, str | int],
        doc("What is reserved, by resource name (cpu, memory).", RESOURCE_NAMES, maxProperties=8, values=QUANTITY),
    ] = {}
    limits: Annotated[
        dict[str, str | int],
        doc(
            "What may be taken at most, by resource name (cpu, memory).",
            RESOURCE_NAMES,
            maxProperties=8,
            values=QUANTITY,
        ),
    ] = {}


class ComponentOverride(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """What differs from the package version in one component; all that is not named stays the package version's."""

    name: Annotated[
        str,
        doc("The component of the package version, such as kube-apiserver.", maxLength=63, pattern="^[a-z0-9-]+$"),
    ]
    args: Annotated[
        dict[str, str],
        doc(
            "Command line flags by name, without the leading dashes: added, or put in place of the package version's of"
            " the same name. Flags that homeostat owns are refused.",
            OVERRIDDEN_ARGUMENT_NAMES,
            maxProperties=32,
            values={"maxLength": 1024},
        ),
    ] = {}
    remove_args: Annotated[
        tuple[str, ...],
        doc(
            "Flags of the package version that are left out, so that the component's own default counts.",
            maxItems=32,
            items=_FLAG,
            **_SET,
        ),
    ] = ()
    env: Annotated[
        dict[str, str],
        doc(
            "Environment variables by name: added, or put in place of the package version's of the same name.",
            VARIABLE_NAMES,
            maxProperties=32,
            values={"maxLength": 1024},
        ),
    ] = {}
    remove_env: Annotated[
        tuple[str, ...],
        doc("Environment variables of the package version that are left out.", maxItems=32, items=_VARIABLE, **_SET),
    ] = ()
    resources: Annotated[
        ComponentResources, doc("Requests and limits by resource name, in place of the package version's.")
    ] = ComponentResources()

    rules: ClassVar[tuple[Rule, ...]] = OVERRIDE_IS_ONE_THING
