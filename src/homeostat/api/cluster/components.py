"""The master components: as a package version declares them, and as they run."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Struct

from homeostat.api.cluster.hosted import HostedOperator
from homeostat.api.cluster.parameters import ComponentChecks, ComponentOverride, ComponentProbes, ComponentResources
from homeostat.api.cluster.rules import ARGUMENT_NAMES, COMPONENT_IS_KNOWN, DEPENDS_ON_OTHERS
from homeostat.api.schema import Rule, doc

_IMAGE = r"^[a-zA-Z0-9][a-zA-Z0-9._:/@-]*$"


class PackageComponent(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """One master component: which image, and how it is started."""

    name: Annotated[
        str,
        doc(
            "The component: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, or a hosted operator.",
            maxLength=63,
            pattern="^[a-z]([-a-z0-9]*[a-z0-9])?$",
        ),
    ]
    version: Annotated[
        str,
        doc(
            "The version of the component, such as v1.35.4 or 3.6.16.",
            maxLength=63,
            pattern=r"^v?[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$",
        ),
    ]
    image: Annotated[
        str, doc("The image reference; its entry point is the component.", minLength=1, maxLength=512, pattern=_IMAGE)
    ]
    args: Annotated[
        dict[str, str],
        doc(
            "Command line flags by name, without the leading dashes. Flags that homeostat owns are homeostat's,"
            " whatever is said of them here.",
            *ARGUMENT_NAMES,
            maxProperties=64,
            values={"maxLength": 4096},
        ),
    ] = {}
    env: Annotated[
        dict[str, str],
        doc("Environment variables by name.", maxProperties=64, values={"maxLength": 4096}),
    ] = {}
    resources: Annotated[ComponentResources, doc("What the component's container asks for and may take at most.")] = (
        ComponentResources()
    )
    probes: Annotated[ComponentProbes, doc("How patient kubelets are with it.")] = ComponentProbes()
    depends_on: Annotated[
        tuple[str, ...],
        doc(
            "Components that are made before this one, and move up before it and down after it, beside what Kubernetes"
            " asks for: etcd, then the API server, then the others.",
            maxItems=16,
            items={"maxLength": 63},
            **{"x-kubernetes-list-type": "set"},
        ),
    ] = ()
    checks: Annotated[ComponentChecks | None, doc("What must hold around its moves; left out: all that there is.")] = (
        None
    )

    hosted: Annotated[
        HostedOperator | None,
        doc("That it is a hosted operator, and how it runs; of etcd and the masters of Kubernetes, nothing."),
    ] = None

    rules: ClassVar[tuple[Rule, ...]] = (*DEPENDS_ON_OTHERS, *COMPONENT_IS_KNOWN)


class ComponentStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """One master component as it runs."""

    name: Annotated[str, doc("The component, as in the package version.", maxLength=63)]
    version: Annotated[str, doc("The version that runs, or is being started.", maxLength=63)]
    image: Annotated[str, doc("The image that runs, or is being started.", maxLength=512)]
    desired: Annotated[int, doc("How many replicas there should be.", minimum=0)]
    ready: Annotated[int, doc("How many replicas are ready.", minimum=0)]
    state: Annotated[str, doc("The state in one word, such as Ready or Progressing.", maxLength=63)]
    message: Annotated[str, doc("What is awaited or wrong; empty when all is well.", maxLength=1024)] = ""
    package_version: Annotated[
        str, doc("The ClusterPackageVersion that this component is made of, or is being moved to.", maxLength=63)
    ] = ""
    override: Annotated[
        ComponentOverride | None, doc("What differs from that package version, or is being made to differ.")
    ] = None
    emulated_version: Annotated[
        str, doc("The older minor version that it behaves as, or is being made to; empty: its own.", maxLength=31)
    ] = ""
