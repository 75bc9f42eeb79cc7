"""Quotas and limits of namespaces, sound and wrong ones, and objects that they allow or refuse."""

from __future__ import annotations

from typing import Any

from tests.contract.sim.kind_cases import Body, container, of, pod, service, workload


def quota(hard: dict[str, str] | None = None, *, name: str = "one", **spec: Any) -> Body:
    return of("ResourceQuota", name=name, spec={"hard": {"pods": "1"} if hard is None else hard, **spec})


def selected(*requirements: tuple[str, str, list[str]]) -> Body:
    """A selector of scopes."""
    keys = ("scopeName", "operator", "values")
    found = [dict(zip(keys, each, strict=True)) for each in requirements]
    return {"matchExpressions": [{key: each for key, each in one.items() if each} for one in found]}


def ranges(*limits: Body, name: str = "one") -> Body:
    return of("LimitRange", name=name, spec={"limits": list(limits)})


def limit(type_: str = "Container", **parts: Any) -> Body:
    return {"type": type_, **parts}


def sized(requests: dict[str, str] | None = None, limits: dict[str, str] | None = None, **parts: Any) -> Body:
    given = {"requests": requests, "limits": limits}
    return container(resources={key: each for key, each in given.items() if each is not None}, **parts)


def claim(size: str = "1Gi", **spec: Any) -> Body:
    whole = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    return of("PersistentVolumeClaim", spec=whole | spec)


ALL = {"cpu": "1", "memory": "1024Mi", "requests.storage": "1.5Gi", "count/secrets": "3", "count/a.b.example": "0"}
GOOD: dict[str, Body] = {
    "quota of many": quota(ALL | {"requests.example.com/gpu": "2", "hugepages-2Mi": "4Mi", "limits.cpu": "0.5"}),
    "quota of nothing": of("ResourceQuota"),
    "quota of scopes": quota(scopes=["NotBestEffort", "Terminating"]),
    "quota of a selector": quota(
        scopeSelector=selected(("PriorityClass", "In", ["a", "b"]), ("BestEffort", "Exists", []))
    ),
    "range of containers": ranges(limit(max={"cpu": "2", "memory": "1Gi"}, min={"cpu": "100m", "memory": "4Mi"})),
    "range of requests": ranges(limit(max={"cpu": "2"}, defaultRequest={"cpu": "0.5"}, default={"memory": "1Gi"})),
    "range of least": ranges(limit(min={"cpu": "1"})),
    "range of all": ranges(
        limit(maxLimitRequestRatio={"cpu": "2"}),
        limit("Pod", max={"cpu": "2"}, min={"example.com/gpu": "1"}),
        limit("PersistentVolumeClaim", min={"storage": "1Gi"}),
        limit("example.com/thing", max={"pods": "1"}),
    ),
}
WRONG: dict[str, Body] = {
    "quota of an unknown name": quota({"colour": "1"}),
    "quota of storage": quota({"storage": "1"}),
    "quota of a strange name": quota({"a/b/c": "1"}),
    "quota of less than nothing": quota({"pods": "-1", "cpu": "-1"}),
    "quota of half a Pod": quota({"pods": "1500m"}),
    "quota of half a device": quota({"count/a.b": "0.5"}),
    "quota of an unknown scope": quota(scopes=["Some"]),
    "quota of a misfit": quota({"cpu": "1", "services": "1", "pods": "1"}, scopes=["BestEffort"]),
    "quota of opposites": quota(scopes=["BestEffort", "NotBestEffort", "Terminating", "NotTerminating"]),
    "selector of an unknown scope": quota(scopeSelector=selected(("Some", "Exists", []))),
    "selector of a misfit": quota({"services": "1"}, scopeSelector=selected(("Terminating", "Exists", []))),
    "selector of opposites": quota(
        scopeSelector=selected(("BestEffort", "Exists", []), ("NotBestEffort", "Exists", []))
    ),
    "selector of no operator": quota(scopeSelector=selected(("PriorityClass", "", []))),
    "selector of an operator": quota(scopeSelector=selected(("PriorityClass", "Is", ["a"]))),
    "selector of no values": quota(scopeSelector=selected(("PriorityClass", "In", []))),
    "selector of values": quota(scopeSelector=selected(("PriorityClass", "Exists", ["a"]))),
    "selector of a scope in values": quota(scopeSelector=selected(("BestEffort", "In", ["a"]))),
    "range of an unknown type": ranges(limit("Thing")),
    "range of one type twice": ranges(limit(), limit()),
    "range of an unknown name": ranges(limit(max={"colour": "1"}), limit("Pod", min={"pods": "1"})),
    "range of strange names": ranges(limit("PersistentVolumeClaim", max={"storage": "1", "colour": "1"})),
    "range of a reserved name": ranges(limit(max={"requests.example.com/gpu": "1"})),
    "range of claims without room": ranges(limit("PersistentVolumeClaim", max={"cpu": "1"})),
    "range of a Pod's defaults": ranges(limit("Pod", default={"cpu": "1"}, defaultRequest={"cpu": "1"})),
    "range upside down": ranges(limit(min={"cpu": "2"}, max={"cpu": "1"})),
    "range of a small default": ranges(limit(min={"cpu": "2"}, default={"cpu": "1"})),
    "range of a large default": ranges(limit(max={"cpu": "2"}, default={"cpu": "3"})),
    "range of a large request": ranges(limit(default={"cpu": "2"}, defaultRequest={"cpu": "3"})),
    "range of a small ratio": ranges(limit(maxLimitRequestRatio={"cpu": "500m"})),
    "range of a large ratio": ranges(limit(min={"cpu": "1"}, max={"cpu": "3"}, maxLimitRequestRatio={"cpu": "4"})),
    "range of devices": ranges(limit(default={"example.com/gpu": "2"}, defaultRequest={"example.com/gpu": "1"})),
}
CHANGES: dict[str, tuple[Body, Body]] = {
    "scopes": (quota(scopes=["BestEffort"]), {"spec": {"scopes": ["NotBestEffort"]}}),
    "scopes that go": (quota(scopes=["BestEffort"]), {"spec": {"scopes": None}}),
}
"""What somebody changes, and may not."""

FREE = {"pods": "0", "requests.cpu": "0", "cpu": "0"}
# By what is shown: what a quota's status says is limited and used, its scopes, and an object.
CHARGED: dict[str, tuple[Body, Body, dict[str, str], dict[str, str]]] = {
    "a Pod": (quota(), pod(), {"pods": "1"}, {"pods": "0"}),
    "one Pod more": (quota(), pod(), {"pods": "1"}, {"pods": "1"}),
    "a Pod that is counted": (quota(), pod(), {"count/pods": "1"}, {"count/pods": "1"}),
    "a Pod that says nothing": (quota(), pod(), {"cpu": "1", "limits.memory": "1"}, {"cpu": "0", "limits.memory": "0"}),
    "a Pod of which one says nothing": (
        quota(),
        pod(sized({"cpu": "1"}), container(name="d"), initContainers=[container(name="e")]),
        {"requests.cpu": "1"},
        {"requests.cpu": "0"},
    ),
    "a Pod that asks for much": (
        quota(),
        pod(sized({"cpu": "600m", "memory": "1Gi"}), sized({"cpu": "1.2", "memory": "512Mi"}, name="d")),
        {"requests.cpu": "2", "requests.memory": "1Gi", "pods": "4"},
        {"requests.cpu": "500m", "requests.memory": "0", "pods": "2"},
    ),
    "a Pod that takes some": (
        quota(),
        pod(
            sized({"cpu": "600m", "memory": "1Gi"}, {"cpu": "1", "memory": "1536Mi", "ephemeral-storage": "1G"}),
            initContainers=[sized({"cpu": "2"}, name="i"), sized({"cpu": "1"}, name="s", restartPolicy="Always")],
        ),
        {
            "cpu": "9",
            "requests.cpu": "9",
            "limits.cpu": "9",
            "memory": "9Gi",
            "limits.memory": "9Gi",
            "limits.ephemeral-storage": "9Gi",
        },
        {
            "cpu": "1",
            "requests.cpu": "1500m",
            "limits.cpu": "0",
            "memory": "1Gi",
            "limits.memory": "1",
            "limits.ephemeral-storage": "1Ki",
        },
    ),
    "a Pod with devices": (
        quota(),
        pod(sized(limits={"example.com/gpu": "2", "hugepages-2Mi": "4Mi", "cpu": "1"})),
        {"requests.example.com/gpu": "1", "hugepages-2Mi": "2Mi"},
        {"requests.example.com/gpu": "0", "hugepages-2Mi": "0"},
    ),
    "a Pod of which too little is known": (quota(), pod(), {"pods": "1", "count/pods": "1"}, {"pods": "0"}),
    "a Pod of no quota": (quota(), pod(), {"services": "0"}, {"services": "0"}),
    "a Pod that has a deadline": (
        quota(scopes=["Terminating"]),
        pod(activeDeadlineSeconds=9),
        {"pods": "1"},
        {"pods": "1"},
    ),
    "a Pod without a deadline": (quota(scopes=["Terminating"]), pod(), {"pods": "1"}, {"pods": "1"}),
    "a Pod that asks for nothing": (quota(scopes=["BestEffort"]), pod(), {"pods": "1"}, {"pods": "1"}),
    "a Pod that asks for something": (
        quota(scopes=["BestEffort"]),
        pod(sized({"cpu": "1"})),
        {"pods": "1"},
        {"pods": "1"},
    ),
    "a Pod of a class": (
        quota(scopeSelector=selected(("PriorityClass", "In", ["system-node-critical"]))),
        pod(priorityClassName="system-node-critical"),
        {"pods": "1"},
        {"pods": "1"},
    ),
    "a Pod of no class": (
        quota(scopeSelector=selected(("PriorityClass", "NotIn", ["system-node-critical"]))),
        pod(),
        {"pods": "1"},
        {"pods": "1"},
    ),
    "a Pod of any class": (quota(scopes=["PriorityClass"]), pod(), {"pods": "1"}, {"pods": "1"}),
    "a Pod that looks elsewhere": (
        quota(scopes=["CrossNamespacePodAffinity"]),
        pod(
            affinity={
                "podAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "a", "namespaces": ["b"]}]
                }
            }
        ),
        {"pods": "1"},
        {"pods": "1"},
    ),
    "a Service with ports of hosts": (
        quota(),
        service(type="NodePort"),
        {"services": "2", "services.nodeports": "3", "services.loadbalancers": "0"},
        {"services": "1", "services.nodeports": "1", "services.loadbalancers": "0"},
    ),
    "a Service with a balancer": (
        quota(),
        service(type="LoadBalancer"),
        {"services.nodeports": "0", "services.loadbalancers": "0"},
        {"services.nodeports": "0", "services.loadbalancers": "0"},
    ),
    "a balancer without ports of hosts": (
        quota(),
        service(type="LoadBalancer", allocateLoadBalancerNodePorts=False),
        {"services.nodeports": "0", "services.loadbalancers": "1"},
        {"services.nodeports": "0", "services.loadbalancers": "0"},
    ),
    "a claim": (
        quota(),
        claim("1.5Gi", storageClassName="gold"),
        {
            "persistentvolumeclaims": "2",
            "requests.storage": "2Gi",
            "gold.storageclass.storage.k8s.io/requests.storage": "2Gi",
        },
        {
            "persistentvolumeclaims": "0",
            "requests.storage": "0",
            "gold.storageclass.storage.k8s.io/requests.storage": "0",
        },
    ),
    "a claim of a class": (
        quota(),
        claim(storageClassName="gold"),
        {"gold.storageclass.storage.k8s.io/persistentvolumeclaims": "0"},
        {"gold.storageclass.storage.k8s.io/persistentvolumeclaims": "0"},
    ),
    "a large claim": (quota(), claim("1.5Gi"), {"requests.storage": "1Gi"}, {"requests.storage": "512Mi"}),
    "a Secret": (quota(), of("Secret"), {"secrets": "1", "count/secrets": "0"}, {"secrets": "0", "count/secrets": "0"}),
    "a ConfigMap": (quota(), of("ConfigMap", name="a"), {"configmaps": "5"}, {"configmaps": "2"}),
    "another quota": (quota(), quota(name="two"), {"resourcequotas": "1"}, {"resourcequotas": "1"}),
    "a Deployment": (
        quota(),
        workload("Deployment"),
        {"count/deployments.apps": "0", "count/pods": "0"},
        {"count/deployments.apps": "0", "count/pods": "0"},
    ),
}
UPDATED: dict[str, tuple[Body, Body, dict[str, str], dict[str, str]]] = {
    "a Service that takes ports of hosts": (
        service(),
        {"spec": {"type": "NodePort"}},
        {"services.nodeports": "1", "services": "1"},
        {"services.nodeports": "1", "services": "1"},
    ),
    "a Service that takes a balancer": (
        service(),
        {"spec": {"type": "LoadBalancer"}},
        {"services.nodeports": "2", "services.loadbalancers": "2", "services": "1"},
        {"services.nodeports": "1", "services.loadbalancers": "1", "services": "1"},
    ),
    "a Service that takes nothing": (
        service(),
        {"metadata": {"labels": {"a": "b"}}},
        {"services": "0"},
        {"services": "1"},
    ),
    "a Pod that changes": (pod(), {"metadata": {"labels": {"a": "b"}}}, {"pods": "0"}, {"pods": "1"}),
}
"""An object, its change, and what a quota's status says between the two."""

LEAST_AND_MOST = ranges(limit(min={"cpu": "100m", "memory": "4Mi"}, max={"cpu": "2", "memory": "1Gi"}))
RATIO = ranges(limit(maxLimitRequestRatio={"cpu": "2"}))
OF_PODS = ranges(limit("Pod", max={"cpu": "1"}))
OF_CLAIMS = ranges(limit("PersistentVolumeClaim", min={"storage": "1Gi"}, max={"storage": "2Gi"}))
DEFAULTS = ranges(limit(default={"cpu": "1", "memory": "1Gi"}, defaultRequest={"cpu": "500m"}))
LIMITED: dict[str, tuple[Body, Body]] = {
    "a Pod that is given all": (LEAST_AND_MOST, pod(initContainers=[container(name="i")])),
    "a Pod that is given some": (DEFAULTS, pod(sized({"cpu": "100m"}), sized(limits={"memory": "1Mi"}, name="d"))),
    "a small Pod": (ranges(limit(min={"cpu": "1"})), pod(sized({"cpu": "100m"}))),
    "a Pod of small limits": (ranges(limit(min={"cpu": "1"})), pod(sized({"cpu": "1m"}, {"cpu": "10m"}))),
    "a Pod that names no memory": (ranges(limit("Pod", min={"memory": "1Mi"})), pod()),
    "a large Pod": (ranges(limit(max={"cpu": "1"})), pod(sized({"cpu": "1500m"}, {"cpu": "2"}))),
    "a Pod that is too large": (ranges(limit(max={"cpu": "1"})), pod(sized({"cpu": "1500m"}))),
    "a Pod of a ratio": (RATIO, pod(sized({"cpu": "100m"}, {"cpu": "300m"}))),
    "a Pod of no ratio": (RATIO, pod()),
    "a Pod of half a ratio": (RATIO, pod(sized({"cpu": "100m"}))),
    "a Pod of a good ratio": (RATIO, pod(sized({"cpu": "150m"}, {"cpu": "300m"}))),
    "a Pod of two halves": (
        OF_PODS,
        pod(sized({"cpu": "600m"}, {"cpu": "600m"}), sized({"cpu": "600m"}, {"cpu": "600m"}, name="d")),
    ),
    "a Pod that begins large": (
        OF_PODS,
        pod(sized(limits={"cpu": "1"}), initContainers=[sized(limits={"cpu": "1100m"}, name="i")]),
    ),
    "a Pod without limits": (OF_PODS, pod()),
    "a small claim": (OF_CLAIMS, claim("100Mi")),
    "a large claim": (OF_CLAIMS, claim("3Gi")),
    "a claim that fits": (OF_CLAIMS, claim("1.5Gi")),
    "a ConfigMap": (OF_CLAIMS, of("ConfigMap")),
}
