"""The types whose objects a real API server is asked about, with the shapes that are read for them."""

from __future__ import annotations

from tests.support.judging import Type
from tests.support.things import API_VERSION, GROUP, PLURAL, defaulted, definition

from homeostat.sim.apiserver.schemas import builtin
from homeostat.sim.apiserver.schemas.custom import CustomType

CONFIG_MAPS = Type(
    "/api/v1/namespaces/{namespace}/configmaps",
    "v1",
    "ConfigMap",
    builtin.shape("", "v1", "ConfigMap"),
    {"metadata": {}},
)
SERVICES = Type(
    "/api/v1/namespaces/{namespace}/services",
    "v1",
    "Service",
    builtin.shape("", "v1", "Service"),
    {"metadata": {}, "spec": {}, "status": {"loadBalancer": {}}},
    tuple(f"spec.{name}" for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")),
)
DEPLOYMENTS = Type(
    "/apis/apps/v1/namespaces/{namespace}/deployments",
    "apps/v1",
    "Deployment",
    builtin.shape("apps", "v1", "Deployment"),
    {
        "metadata": {},
        "spec": {"selector": None, "template": {"metadata": {}, "spec": {"containers": None}}, "strategy": {}},
        "status": {},
    },
)
THINGS = Type(
    f"/apis/{GROUP}/v1/namespaces/{{namespace}}/{PLURAL}",
    API_VERSION,
    "Thing",
    CustomType(definition(), "v1").shape,
    defaulted=defaulted,
)
