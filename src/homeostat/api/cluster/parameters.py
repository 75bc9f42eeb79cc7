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


class ProbeThresholds(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """How patient a kubelet is with one probe; what is left out is homeostat's own choice for the component."""

    period_seconds: Annotated[int | None, doc("How often it is asked.", minimum=1, maximum=300)] = None
    timeout_seconds: Annotated[int | None, doc("How long an answer may take.", minimum=1, maximum=60)] = None
    failure_threshold: Annotated[
        int | None, doc("How many failures in a row count as one.", minimum=1, maximum=1000)
    ] = None


class ComponentProbes(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """How patient kubelets are with a component; what they ask is homeostat's."""

    startup: Annotated[ProbeThresholds | None, doc("Until it has started; then the others begin.")] = None
    readiness: Annotated[ProbeThresholds | None, doc("Whether clients are sent to it.")] = None
    liveness: Annotated[ProbeThresholds | None, doc("Whether it is restarted.")] = None


class ComponentChecks(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """What must hold around a move of a component, beside that it becomes ready."""

    before: Annotated[
        tuple[str, ...],
        doc(
            "What must hold before it moves. `OthersReady`: every other component is ready. `Endpoint`: a read through"
            " the endpoint succeeded since.",
            maxItems=2,
            items={"enum": ["OthersReady", "Endpoint"], "maxLength": 31},
            **_SET,
        ),
    ] = ("OthersReady", "Endpoint")
    after: Annotated[
        tuple[str, ...],
        doc(
            "What must hold after it moved and became ready, before anything else moves. `Endpoint`: a read through the"
            " endpoint succeeded since; of the API server also that one of the kind, tried beside the others before"
            " they move, serves clients.",
            maxItems=1,
            items={"enum": ["Endpoint"], "maxLength": 31},
            **_SET,
        ),
    ] = ("Endpoint",)


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
