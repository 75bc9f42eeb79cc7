"""Objects of built-in kinds beside homeostat's own: sound ones and wrong ones."""

from __future__ import annotations

from typing import Any

from tests.contract.sim import driver_cases, job_cases, route_cases, security_cases
from tests.contract.sim.bodies import Body as Body
from tests.contract.sim.bodies import of as of


def container(**parts: Any) -> Body:
    return {"name": "c", "image": "i"} | parts


def pod(*containers: Body, **spec: Any) -> Body:
    return of("Pod", spec={"containers": list(containers or (container(),)), **spec})


def workload(kind: str, **spec: Any) -> Body:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container()]}}
    return of(kind, "apps/v1", spec={"selector": {"matchLabels": {"a": "b"}}, "template": template, **spec})


def controller(**spec: Any) -> Body:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container()]}}
    return of("ReplicationController", spec={"template": template, **spec})


def flow(**spec: Any) -> Body:
    whole: Body = {"priorityLevelConfiguration": {"name": "global-default"}}
    return of("FlowSchema", FLOWS, spec=whole | spec)


def level(**spec: Any) -> Body:
    return of("PriorityLevelConfiguration", FLOWS, spec={"type": "Limited", **spec})


def ingress_class(**spec: Any) -> Body:
    return of("IngressClass", "networking.k8s.io/v1", spec={"controller": "example.com/one", **spec})


def capacity(**parts: Any) -> Body:
    return of("CSIStorageCapacity", "storage.k8s.io/v1", **{"storageClassName": "fast", **parts})


def attachment(**spec: Any) -> Body:
    whole = {"attacher": "example.com", "nodeName": "n1", "source": {"persistentVolumeName": "v"}}
    return of("VolumeAttachment", "storage.k8s.io/v1", spec=whole | spec)


def service(**spec: Any) -> Body:
    return of("Service", spec={"ports": [{"port": 80}], **spec})


def cron_job(job: Body | None = None, template: Body | None = None, **spec: Any) -> Body:
    inner = {"template": template or ONCE, **(job or {})}
    return of("CronJob", "batch/v1", spec={"schedule": "*/5 * * * *", "jobTemplate": {"spec": inner}, **spec})


def budget(**spec: Any) -> Body:
    return of("PodDisruptionBudget", "policy/v1", spec=spec)


def volume(**spec: Any) -> Body:
    return of("PersistentVolume", spec={"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], **spec})


def event(**parts: Any) -> Body:
    whole = {
        "regarding": ABOUT,
        "reason": "R",
        "note": "m",
        "type": "Normal",
        "action": "A",
        "reportingController": "a.b/c",
        "reportingInstance": "i",
        "eventTime": "2026-01-01T00:00:00.000000Z",
    }
    return of("Event", "events.k8s.io/v1", **(whole | parts))


FLOWS = "flowcontrol.apiserver.k8s.io/v1"
RBAC = "rbac.authorization.k8s.io/v1"
ABOUT = {"kind": "Node", "name": "x", "namespace": "kinds-agree"}
ONCE = {"spec": {"containers": [container()], "restartPolicy": "Never"}}
TERM = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["h"]}]}
AFFINITY = {"required": {"nodeSelectorTerms": [TERM]}}
TEMPLATE: Body = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container()]}}
CLAIM = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}},
}
PROBED = container(
    env=[
        {"name": "EMPTY", "value": ""},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
    ],
    ports=[{"containerPort": 80}, {"name": "b", "containerPort": 81, "protocol": "UDP"}],
    livenessProbe={"httpGet": {"port": 80}},
    readinessProbe={"tcpSocket": {"port": 80}, "initialDelaySeconds": 0},
    startupProbe={"grpc": {"port": 80}},
    lifecycle={"preStop": {"httpGet": {"port": 1}}},
    resources={"limits": {"cpu": "1000m", "memory": "1024Mi", "ephemeral-storage": "1.5Gi"}},
    securityContext={},
    stdin=False,
)
VOLUMES = [
    {"name": "a"},
    {"name": "b", "secret": {"secretName": "x"}},
    {"name": "c", "hostPath": {"path": "/x"}},
    {"name": "d", "downwardAPI": {"items": [{"path": "x", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    {"name": "e", "configMap": {"name": "x", "optional": False}},
    {"name": "f", "ephemeral": {"volumeClaimTemplate": {"spec": CLAIM["spec"]}}},
    {"name": "g", "projected": {"sources": [{"configMap": {"name": "y"}}]}},
]

BAD_SCHEDULES: tuple[str, ...] = (
    "* * * * * *",
    "60 * * * *",
    "* * 0 * *",
    "* * * * 7",
    "9-3 * * * *",
    "*/0 * * * *",
    "1-2-3 * * * *",
)
BAD_SCHEDULES += ("1/2/3 * * * *", "x * * * *", "-1 * * * *", "@often", "@every x", "@every")

GOOD: dict[str, Body] = {
    "smallest Pod": pod(),
    "Pod with everything": pod(PROBED, volumes=VOLUMES, nodeSelector={}, tolerations=[{"operator": "Exists"}]),
    "Pod of the host": pod(container(ports=[{"containerPort": 80}]), hostNetwork=True),
    "critical Pod": pod(priorityClassName="system-node-critical"),
    "guaranteed Pod": pod(container(resources={"limits": {"cpu": 1, "memory": "1Gi"}})),
    "burstable Pod": pod(container(image="r/i:2@sha256:" + 64 * "a", resources={"requests": {"cpu": "0.5"}})),
    "smallest Deployment": workload("Deployment"),
    "Deployment made anew": workload("Deployment", strategy={"type": "Recreate"}, replicas=0, minReadySeconds=0),
    "smallest ReplicaSet": workload("ReplicaSet"),
    "smallest ReplicationController": controller(),
    "ReplicationController with a selector of its own": controller(selector={"a": "b"}, replicas=0, minReadySeconds=3),
    "level that rejects": level(limited={"limitResponse": {"type": "Reject"}}),
    "level that queues": level(limited={"limitResponse": {"type": "Queue", "queuing": {"queues": 16}}}),
    "smallest IngressClass": ingress_class(),
    "IngressClass with parameters": ingress_class(parameters={"kind": "K", "name": "n", "apiGroup": "example.com"}),
    **route_cases.GOOD,
    **job_cases.GOOD,
    "smallest RuntimeClass": of("RuntimeClass", "node.k8s.io/v1", handler="one"),
    "RuntimeClass for some hosts": of(
        "RuntimeClass",
        "node.k8s.io/v1",
        handler="one",
        overhead={"podFixed": {"cpu": "250m", "memory": "128Mi"}},
        scheduling={"nodeSelector": {"a": "b"}, "tolerations": [{"key": "a", "operator": "Exists"}]},
    ),
    "smallest CSIStorageCapacity": capacity(),
    "CSIStorageCapacity of some hosts": capacity(
        nodeTopology={"matchLabels": {"a": "b"}}, capacity="1Gi", maximumVolumeSize="1Mi"
    ),
    "smallest VolumeAttachment": attachment(),
    **driver_cases.GOOD,
    "smallest StatefulSet": workload("StatefulSet"),
    "StatefulSet with volumes": workload("StatefulSet", serviceName="x", volumeClaimTemplates=[CLAIM]),
    "StatefulSet by hand": workload("StatefulSet", updateStrategy={"type": "OnDelete"}),
    "smallest DaemonSet": workload("DaemonSet"),
    "smallest budget": budget(),
    "budget in percent": budget(minAvailable="50%", selector={}),
    "smallest Service": service(),
    "headless Service": service(clusterIP="None", selector={"a": "b"}, publishNotReadyAddresses=False),
    "Service of hosts": service(type="NodePort"),
    "balanced Service": service(type="LoadBalancer", loadBalancerIP="1.2.3.4"),
    "balanced Service without ports of hosts": service(type="LoadBalancer", allocateLoadBalancerNodePorts=False),
    "Service elsewhere": of("Service", spec={"type": "ExternalName", "externalName": "a.b"}),
    "sticky Service": service(sessionAffinity="ClientIP"),
    "Lease": of("Lease", "coordination.k8s.io/v1", spec={"leaseDurationSeconds": 1, "leaseTransitions": 0}),
    "Lease of nobody": of("Lease", "coordination.k8s.io/v1"),
    "Lease of a strategy": of("Lease", "coordination.k8s.io/v1", spec={"strategy": "X", "preferredHolder": "a"}),
    "PriorityClass": of("PriorityClass", "scheduling.k8s.io/v1", value=5),
    "worthless PriorityClass": of("PriorityClass", "scheduling.k8s.io/v1", value=0, preemptionPolicy="Never"),
}
GOOD |= {
    "smallest Secret": of("Secret"),
    "Secret of text": of("Secret", stringData={"a": "b"}, data={"c": "ZA=="}),
    "Secret of a kind": of("Secret", type="example.com/k", data={"c": "ZA=="}),
    "revision": of("ControllerRevision", "apps/v1", revision=1, data={"spec": {"template": {"$patch": "replace"}}}),
    "smallest Job": of("Job", "batch/v1", spec={"template": ONCE}),
    "Job with labels": of(
        "Job", "batch/v1", spec={"parallelism": 3, "template": {"metadata": TEMPLATE["metadata"], **ONCE}}
    ),
    "smallest CronJob": cron_job(),
    "CronJob that never comes": cron_job(schedule=", * * * *"),
    "CronJob with everything": cron_job(
        {"parallelism": 2, "backoffLimit": 0},
        schedule="@daily",
        timeZone="Europe/Berlin",
        startingDeadlineSeconds=10,
        concurrencyPolicy="Replace",
        suspend=True,
        successfulJobsHistoryLimit=0,
        failedJobsHistoryLimit=0,
    ),
    "smallest Node": of("Node"),
    "Node with a status": of(
        "Node",
        spec={"providerID": "a", "podCIDR": "10.1.0.0/24", "taints": [{"key": "a", "effect": "NoExecute"}]},
        status={"capacity": {"cpu": "4000m"}, "conditions": [{"type": "Ready", "status": "True"}]},
    ),
    "volume of the host": volume(hostPath={"path": "/x"}),
    "local volume": volume(local={"path": "/x"}, nodeAffinity=AFFINITY, storageClassName="l"),
    "smallest class": of("StorageClass", "storage.k8s.io/v1", provisioner="x.y/z"),
    "old Event": of("Event", involvedObject=ABOUT, reason="R", message="m", type="Normal", count=3),
    "new Event": event(),
    "Endpoints": of("Endpoints", subsets=[{"addresses": [{"ip": "1.2.3.4"}], "ports": [{"port": 80}]}]),
    "EndpointSlice": of(
        "EndpointSlice",
        "discovery.k8s.io/v1",
        addressType="IPv4",
        endpoints=[{"addresses": ["1.2.3.4"], "conditions": {"ready": True}}],
        ports=[{"port": 80}],
    ),
    "EndpointSlice without endpoints": of("EndpointSlice", "discovery.k8s.io/v1", addressType="IPv4"),
    "role without rules": of("ClusterRole", RBAC, name="kinds-one", aggregationRule={"clusterRoleSelectors": [{}]}),
    "role of URLs": of("ClusterRole", RBAC, name="kinds-one", rules=[{"verbs": ["get"], "nonResourceURLs": ["/x"]}]),
    "binding of all": of(
        "ClusterRoleBinding",
        RBAC,
        name="kinds-one",
        roleRef={"kind": "ClusterRole", "name": "x"},
        subjects=[{"kind": "ServiceAccount", "name": "a", "namespace": "b"}, {"kind": "User", "name": "u"}],
    ),
    "NetworkPolicy": of(
        "NetworkPolicy",
        "networking.k8s.io/v1",
        spec={"podSelector": {}, "ingress": [{"ports": [{"port": 80}], "from": [{"podSelector": {}}]}]},
    ),
    "NetworkPolicy of both ways": of("NetworkPolicy", "networking.k8s.io/v1", spec={"egress": [{}]}),
}

# A real server writes the status of these by itself, a moment after they were made.
FLOW_SCHEMAS: dict[str, Body] = {
    "smallest FlowSchema": flow(),
    "FlowSchema of rules": flow(
        matchingPrecedence=7,
        distinguisherMethod={"type": "ByUser"},
        rules=[
            {
                "subjects": [
                    {"kind": "User", "user": {"name": "ann"}},
                    {"kind": "ServiceAccount", "serviceAccount": {"name": "*", "namespace": "x"}},
                ],
                "resourceRules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["*"], "clusterScope": True}],
                "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["/healthz"]}],
            }
        ],
    ),
}
WRONG: dict[str, Body] = {
    "Pod without containers": of("Pod", spec={}),
    **security_cases.WRONG,
    "Pod of a runtime that is not there": pod(runtimeClassName="nope"),
    "Pod with a runtime's own needs": pod(overhead={"cpu": "1"}),
    "Pod without class": pod(priorityClassName="nope"),
    "Pod with a priority of its own": pod(priority=7),
    "Pod wrong all over": pod(
        {
            "name": "C_",
            "env": [{"name": "="}, {}],
            "ports": [{"containerPort": 0}, {"containerPort": 70000, "name": "UP"}],
            "volumeMounts": [{"name": "zz", "mountPath": ""}],
            "imagePullPolicy": "X",
            "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}},
        },
        container(),
        container(),
        restartPolicy="Maybe",
        volumes=[{"name": "v"}, {"name": "v"}],
        nodeName="A_b",
        tolerations=[{"operator": "Foo"}],
        dnsPolicy="X",
    ),
    "Pod with bad probes": pod(
        container(
            livenessProbe={"httpGet": {"port": 0}, "successThreshold": 2},
            readinessProbe={},
            startupProbe={"exec": {"command": ["a"]}, "tcpSocket": {"port": 1}, "periodSeconds": -1},
        )
    ),
    "Pod with two sources": pod(volumes=[{"name": "v", "emptyDir": {}, "secret": {"secretName": "a"}}]),
    "empty Deployment": of("Deployment", "apps/v1", spec={}),
    "empty StatefulSet": of("StatefulSet", "apps/v1", spec={}),
    "empty ReplicaSet": of("ReplicaSet", "apps/v1", spec={}),
    "empty DaemonSet": of("DaemonSet", "apps/v1", spec={}),
    "empty ReplicationController": of("ReplicationController", spec={}),
    "ReplicationController wrong all over": controller(replicas=-1, minReadySeconds=-1, selector={"x": "y"}),
    "ReplicationController that never restarts": controller(
        template={**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}
    ),
    "empty FlowSchema": of("FlowSchema", FLOWS, spec={}),
    "FlowSchema wrong all over": flow(
        matchingPrecedence=1,
        distinguisherMethod={"type": "X"},
        priorityLevelConfiguration={"name": "A B"},
        rules=[
            {},
            {
                "subjects": [
                    {"kind": "X"},
                    {"kind": "User", "group": {"name": "x"}},
                    {"kind": "ServiceAccount", "serviceAccount": {"name": ""}, "user": {"name": "x"}},
                ],
                "resourceRules": [{}, {"verbs": ["*", "get"], "apiGroups": ["*", ""], "resources": ["*", "pods"]}],
                "nonResourceRules": [{}, {"verbs": ["look"], "nonResourceURLs": ["*", "/x"]}],
            },
        ],
    ),
    "FlowSchema of no precedence": flow(matchingPrecedence=-1),
    "empty level": of("PriorityLevelConfiguration", FLOWS, spec={}),
    "level of no type": of("PriorityLevelConfiguration", FLOWS, spec={"type": "X"}),
    "level that is exempt": of("PriorityLevelConfiguration", FLOWS, spec={"type": "Exempt", "limited": {}}),
    "level of nothing": level(exempt={}),
    "level wrong all over": level(
        limited={
            "nominalConcurrencyShares": -1,
            "lendablePercent": 101,
            "borrowingLimitPercent": -1,
            "limitResponse": {"type": "Queue", "queuing": {"queues": 4, "handSize": 5, "queueLengthLimit": -1}},
        }
    ),
    "level that rejects and queues": level(limited={"limitResponse": {"type": "Reject", "queuing": {}}}),
    "level of no response": level(limited={"limitResponse": {"type": "X"}}),
    "level of no queues": level(limited={"limitResponse": {"type": "Queue"}}),
    **route_cases.WRONG,
    **job_cases.WRONG,
    "empty IngressClass": of("IngressClass", "networking.k8s.io/v1", spec={}),
    "IngressClass of no path": ingress_class(controller="one", parameters={}),
    "IngressClass of no domain": ingress_class(controller="A B/x", parameters={"scope": "Namespace"}),
    "IngressClass in a namespace too much": ingress_class(
        parameters={"kind": "K", "name": "n", "apiGroup": "A B", "namespace": "x"}
    ),
    "IngressClass of no scope": ingress_class(parameters={"kind": "K", "name": "n", "scope": "X"}),
    "IngressClass in a wrong namespace": ingress_class(
        parameters={"kind": "K", "name": "n", "scope": "Namespace", "namespace": "A B"}
    ),
    "empty RuntimeClass": of("RuntimeClass", "node.k8s.io/v1"),
    "RuntimeClass of a wrong handler": of("RuntimeClass", "node.k8s.io/v1", handler="A B"),
    "CSIStorageCapacity wrong all over": capacity(
        storageClassName="A B", nodeTopology={"matchExpressions": [{"key": "a", "operator": "X"}]}
    ),
    "empty VolumeAttachment": of("VolumeAttachment", "storage.k8s.io/v1", spec={}),
    "VolumeAttachment of two": attachment(source={"persistentVolumeName": "v", "inlineVolumeSpec": {}}),
    "VolumeAttachment wrong all over": attachment(attacher="A B", nodeName="A B", source={"persistentVolumeName": ""}),
    **driver_cases.WRONG,
    "Deployment wrong all over": workload(
        "Deployment",
        replicas=-1,
        selector={"matchLabels": {"x": "y"}},
        strategy={"type": "Foo"},
        revisionHistoryLimit=-1,
        minReadySeconds=-1,
        progressDeadlineSeconds=0,
    ),
    "Deployment of two strategies": workload(
        "Deployment", strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}
    ),
    "Deployment that cannot move": workload(
        "Deployment", strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}, selector={}
    ),
    "Deployment of no share": workload(
        "Deployment", strategy={"rollingUpdate": {"maxSurge": "x", "maxUnavailable": "150%"}}
    ),
    "Deployment that never restarts": workload(
        "Deployment", template={**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}
    ),
    "Deployment without patience": workload("Deployment", minReadySeconds=700),
    "StatefulSet wrong all over": workload(
        "StatefulSet", replicas=-1, podManagementPolicy="X", updateStrategy={"type": "Y"}, minReadySeconds=-1
    ),
    "DaemonSet wrong all over": workload("DaemonSet", minReadySeconds=-1, revisionHistoryLimit=-1),
    "selector of no labels": workload(
        "Deployment", selector={"matchLabels": {"a!": "b"}, "matchExpressions": [{"key": "a", "operator": "In"}]}
    ),
    "budget of both": budget(
        maxUnavailable=-1, minAvailable="x%", unhealthyPodEvictionPolicy="x", selector={"matchLabels": {"a!": "b"}}
    ),
    "Service without ports": of("Service", spec={}),
    "Service of bad address": service(clusterIP="abc"),
    "Service of a foreign address": service(clusterIP="192.168.0.1"),
    "Service with a bad name": of("Service", name="9.s", spec={"ports": [{"port": 80}]}),
    "Service of two nameless ports": of("Service", spec={"ports": [{"port": 80}, {"port": 81}]}),
    "Service of the same ports": of("Service", spec={"ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]}),
    "Service wrong all over": service(
        type="Foo", ports=[{"port": 0, "targetPort": "UPPER!", "protocol": "X"}], sessionAffinity="Y"
    ),
    "Service of port 70000": service(ports=[{"port": 70000, "name": "a"}, {"port": 80, "name": "a"}]),
    "class of the system": of(
        "PriorityClass", "scheduling.k8s.io/v1", name="system-x", value=2000000000, preemptionPolicy="Z"
    ),
    "class above all": of("PriorityClass", "scheduling.k8s.io/v1", value=2000000000),
}
WRONG |= {
    "Lease wrong all over": of(
        "Lease",
        "coordination.k8s.io/v1",
        spec={"leaseDurationSeconds": 0, "leaseTransitions": -1, "holderIdentity": ""},
    ),
    "revision without data": of("ControllerRevision", "apps/v1", revision=1),
    "revision of a wrong number": of("ControllerRevision", "apps/v1", revision=-1, data={}),
    "Job wrong all over": of(
        "Job",
        "batch/v1",
        spec={
            "parallelism": -1,
            "completions": -1,
            "backoffLimit": -1,
            "ttlSecondsAfterFinished": -1,
            "activeDeadlineSeconds": -1,
            "completionMode": "Z",
            "podReplacementPolicy": "Q",
            "template": TEMPLATE,
        },
    ),
    "empty CronJob": of("CronJob", "batch/v1", spec={}),
    "CronJob wrong all over": cron_job(
        {"manualSelector": True, "selector": {"matchLabels": {"a": "b"}}, "completionMode": "Z", "parallelism": -1},
        template=TEMPLATE,
        schedule="* * *",
        timeZone="Mars/One",
        startingDeadlineSeconds=-1,
        concurrencyPolicy="Maybe",
        successfulJobsHistoryLimit=-1,
        failedJobsHistoryLimit=-2,
    ),
    "CronJob of no zone": cron_job(timeZone=""),
    "CronJob of the local zone": cron_job(timeZone="local"),
    "CronJob of a bad zone": cron_job(timeZone="../x"),
    "CronJob with a zone in its schedule": cron_job(schedule="TZ=UTC * * * * *"),
    "CronJob with two zones": cron_job(schedule="CRON_TZ=UTC * * * * *", timeZone="UTC"),
    "CronJob of a long name": cron_job() | {"metadata": {"name": "x" * 53}},
    **{f"CronJob at {text}": cron_job(schedule=text) for text in BAD_SCHEDULES},
    "empty Job": of("Job", "batch/v1", spec={}),
    "Node of bad taints": of(
        "Node",
        spec={
            "taints": [
                {"key": "a", "effect": "X"},
                {"key": "", "effect": "NoSchedule"},
                {"key": "b", "effect": "NoExecute"},
                {"key": "b", "effect": "NoExecute"},
            ]
        },
    ),
    "local volume of no host": volume(local={"path": "/x"}),
    "volume wrong all over": of("PersistentVolume", spec={"persistentVolumeReclaimPolicy": "X"}),
    "volume of two sources": volume(local={"path": "/x"}, hostPath={"path": "/x"}, nodeAffinity=AFFINITY),
    "class wrong all over": of("StorageClass", "storage.k8s.io/v1", reclaimPolicy="Z", volumeBindingMode="Q"),
    "old Event about elsewhere": of("Event", involvedObject={"kind": "Pod", "namespace": "other", "name": "x"}),
    "new Event about no namespace": event(regarding={"kind": "Node", "name": "x"}),
    "new Event without time": event(eventTime=None),
    "new Event of nobody": event(reportingController=""),
    "new Event of no type": event(type=""),
    "new Event without reason": event(reason="", action="", reportingInstance=""),
    "long Event": event(note="x" * 2000, reason="y" * 200, action="z" * 200),
    "short series": event(series={"count": 1}),
    "Event of two times": event(deprecatedCount=3),
    "EndpointSlice wrong all over": of(
        "EndpointSlice", "discovery.k8s.io/v1", addressType="X", endpoints=[{"addresses": ["1.2.3"]}, {"addresses": []}]
    ),
    "EndpointSlice of bad addresses": of(
        "EndpointSlice", "discovery.k8s.io/v1", addressType="IPv4", endpoints=[{"addresses": ["1.2.3"]}]
    ),
    "Endpoints of bad addresses": of("Endpoints", subsets=[{}, {"addresses": [{"ip": "x"}]}]),
    "rules wrong all over": of("ClusterRole", RBAC, rules=[{"resources": ["pods"]}, {"verbs": ["get"]}]),
    "binding wrong all over": of(
        "RoleBinding",
        RBAC,
        roleRef={"kind": "X", "name": ""},
        subjects=[{"kind": "ServiceAccount", "name": ""}, {"kind": "Foo", "name": "u"}],
    ),
    "namespace with a dot": of("Namespace", name="a.b"),
    "role with a slash": of("ClusterRole", RBAC, name="a%b"),
    "NetworkPolicy wrong all over": of(
        "NetworkPolicy",
        "networking.k8s.io/v1",
        spec={
            "podSelector": {},
            "policyTypes": ["Foo"],
            "ingress": [{"from": [{}]}, {"from": [{"ipBlock": {"cidr": "x"}}]}],
        },
    ),
}
