"""Shapes written by hand, as far as tests of merging need them; those of real types are read from their schemas."""

from __future__ import annotations

from typing import Any

from homeostat.sim.apiserver.schemas.shape import SCALAR, UNTYPED, Shape


def struct(**fields: Shape) -> Shape:
    """An object of named fields; an underscore at the end of a name is left out."""
    return Shape("object", fields={name.rstrip("_"): shape for name, shape in fields.items()})


def scalars(names: str) -> dict[str, Shape]:
    """Fields that are scalars."""
    return dict.fromkeys(names.split(), SCALAR)


def mapping(each: Shape = SCALAR) -> Shape:
    """An object of free keys."""
    return Shape("object", each=each)


def set_of(patch_strategy: str = "") -> Shape:
    """A list of scalars that are each there or not."""
    return Shape("list", "set", each=SCALAR, patch_strategy=patch_strategy)


def listing(each: Shape = SCALAR) -> Shape:
    """A list that is one thing."""
    return Shape("list", "atomic", each=each)


def by_keys(each: Shape, *keys: str, patch_key: str = "", **defaults: Any) -> Shape:
    """A list of objects that are told apart by keys."""
    strategy = "merge" if patch_key else ""
    return Shape(
        "list", "map", each=each, keys=keys, key_defaults=defaults, patch_key=patch_key, patch_strategy=strategy
    )


def typed(metadata: Shape | None = None, **fields: Shape) -> Shape:
    """The type of an object of the API."""
    return struct(apiVersion=SCALAR, kind=SCALAR, metadata=metadata or METADATA, **fields)


OWNER = Shape("object", "atomic", fields=scalars("apiVersion kind name uid controller"))
METADATA = Shape(
    "object",
    fields={
        **scalars("name generateName namespace uid resourceVersion generation creationTimestamp"),
        **scalars("deletionTimestamp deletionGracePeriodSeconds selfLink"),
        "labels": mapping(),
        "annotations": mapping(),
        "finalizers": set_of(patch_strategy="merge"),
        "ownerReferences": by_keys(OWNER, "uid", patch_key="uid"),
        "managedFields": listing(UNTYPED),
    },
)

CONFIG_MAP = typed(data=mapping(), binaryData=mapping(), immutable=SCALAR)

SERVICE = typed(
    spec=struct(
        **scalars("clusterIP type sessionAffinity internalTrafficPolicy ipFamilyPolicy"),
        clusterIPs=listing(),
        ipFamilies=listing(),
        externalIPs=listing(),
        selector=Shape("object", "atomic", each=SCALAR),
        ports=by_keys(
            struct(**scalars("name port protocol targetPort nodePort appProtocol")),
            *("port", "protocol"),
            patch_key="port",
            protocol="TCP",
        ),
    ),
    status=struct(loadBalancer=struct(), conditions=by_keys(struct(type=SCALAR, status=SCALAR), "type")),
)

CONTAINER = struct(
    **scalars("name image imagePullPolicy terminationMessagePath terminationMessagePolicy"),
    args=listing(),
    command=listing(),
    env=by_keys(struct(name=SCALAR, value=SCALAR), "name", patch_key="name"),
    ports=by_keys(
        struct(containerPort=SCALAR, protocol=SCALAR, name=SCALAR),
        *("containerPort", "protocol"),
        patch_key="containerPort",
        protocol="TCP",
    ),
    resources=struct(limits=mapping(), requests=mapping()),
)
POD_SPEC = struct(
    **scalars("restartPolicy dnsPolicy schedulerName terminationGracePeriodSeconds nodeName"),
    containers=by_keys(CONTAINER, "name", patch_key="name"),
    securityContext=struct(runAsUser=SCALAR),
    nodeSelector=Shape("object", "atomic", each=SCALAR),
    tolerations=listing(UNTYPED),
)
SELECTOR = Shape("object", "atomic", fields={"matchLabels": mapping(), "matchExpressions": listing(UNTYPED)})
STRATEGY = Shape(
    "object",
    fields={"type": SCALAR, "rollingUpdate": struct(maxSurge=SCALAR, maxUnavailable=SCALAR)},
    patch_strategy="retainKeys",
)
DEPLOYMENT = typed(
    spec=struct(
        **scalars("replicas minReadySeconds paused progressDeadlineSeconds revisionHistoryLimit"),
        selector=SELECTOR,
        strategy=STRATEGY,
        template=struct(metadata=METADATA, spec=POD_SPEC),
    ),
    status=struct(
        **scalars("observedGeneration replicas updatedReplicas readyReplicas"),
        conditions=by_keys(struct(type=SCALAR, status=SCALAR), "type", patch_key="type"),
    ),
)

THING_SPEC = struct(
    size=SCALAR,
    tags=set_of(),
    numbers=listing(),
    parts=by_keys(struct(name=SCALAR, zone=SCALAR, weight=SCALAR, notes=mapping()), "name", "zone", zone="a"),
    labels=mapping(),
    whole=Shape("object", "atomic", fields={"one": SCALAR, "two": SCALAR}),
    inner=struct(one=SCALAR, two=SCALAR, deep=mapping()),
    free=UNTYPED,
)
THING = typed(spec=THING_SPEC, status=struct(phase=SCALAR, seen=mapping()))
"""A custom type with every way of merging; its schema is in `tests/support/things.py`."""
