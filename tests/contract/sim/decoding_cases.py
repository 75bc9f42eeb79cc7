"""Bodies of requests, of which some are no JSON, or no objects of the type they are sent as."""

from __future__ import annotations

from tests.contract.sim.schema_cases import GROUP

_KINDS = {
    "ConfigMap": ("v1", "/api/v1/namespaces/default/configmaps"),
    "Pod": ("v1", "/api/v1/namespaces/default/pods"),
    "Service": ("v1", "/api/v1/namespaces/default/services"),
    "Deployment": ("apps/v1", "/apis/apps/v1/namespaces/default/deployments"),
    "Lease": ("coordination.k8s.io/v1", "/apis/coordination.k8s.io/v1/namespaces/default/leases"),
    "Decoded": (f"{GROUP}/v1", f"/apis/{GROUP}/v1/decodeds"),
}


def path_of(kind: str) -> str:
    """Where objects of a kind are made."""
    return _KINDS[kind][1]


def body(kind: str, rest: str, metadata: str = '{"name":"a"}') -> tuple[str, bytes]:
    """The body of an object of a kind; the rest is JSON of further fields."""
    return kind, f'{{"apiVersion":"{_KINDS[kind][0]}","kind":"{kind}","metadata":{metadata},{rest}}}'.encode()


def limited(limits: str) -> tuple[str, bytes]:
    """A Pod with these limits."""
    return body("Pod", f'"spec":{{"containers":[{{"name":"a","image":"b","resources":{{"limits":{limits}}}}}]}}')


QUANTITIES = (
    *("0.5", "0.1", "1000m", "1500", "1000", "1024Mi", "1.5Gi", "512Ki", "0.5Ki", "1e3", "1E3", "15e2", "0", "0.1n"),
    *("+3", "1500u", "2048", "2048Ki", "1e-3", "1E", "12345678901", "1.25M", "3k", "100000k", "1Ei", "1e9", "5e-1"),
    *("10e18", "1E18", "100e2", "1.5E3", "007", "1.500", "16Mi", "17Mi", "1000000", "0.000", "1.5", "12m", "1.0"),
)

BODIES: dict[str, tuple[str, bytes]] = {
    "sound": body("ConfigMap", '"data":{"a":"b"}'),
    "unknown and repeated fields": body(
        "ConfigMap", '"data":{"a":"b","a":"c"},"zoo":3,"bar":{"x":1}', '{"name":"a","foo":1}'
    ),
    "a number in a map of texts": body("ConfigMap", '"data":{"a":1}'),
    "a list for a map": body("ConfigMap", '"data":["a"]'),
    "metadata that is a text": body("ConfigMap", '"data":{}', '"x"'),
    "a label that is a truth": body("ConfigMap", '"data":{}', '{"name":"a","labels":{"a":true}}'),
    "a time of words": body("ConfigMap", '"data":{}', '{"name":"a","creationTimestamp":"yesterday"}'),
    "half a time": body("ConfigMap", '"data":{}', '{"name":"a","creationTimestamp":"2026-1"}'),
    "a thirteenth month": body("ConfigMap", '"data":{}', '{"name":"a","creationTimestamp":"2026-13-01T00:00:00Z"}'),
    "a time and more": body("ConfigMap", '"data":{}', '{"name":"a","creationTimestamp":"2026-11-01T00:00:00Zx"}'),
    "a time that is a number": body("ConfigMap", '"data":{}', '{"name":"a","creationTimestamp":3}'),
    "no base64": body("ConfigMap", '"binaryData":{"a":"***"}'),
    "half of base64": body("ConfigMap", '"binaryData":{"a":"YWJjZ"}'),
    "bytes that are a number": body("ConfigMap", '"binaryData":{"a":3}'),
    "nulls": body("ConfigMap", '"data":{"a":null},"binaryData":null,"immutable":null'),
    "a port of text": body("Service", '"spec":{"ports":[{"port":"80"}]}'),
    "a broken port": body("Service", '"spec":{"ports":[{"port":80.5}]}'),
    "a huge port": body("Service", '"spec":{"ports":[{"port":99999999999999}]}'),
    "a port that is true": body("Service", '"spec":{"ports":[{"port":80,"targetPort":true}]}'),
    "half a target port": body("Service", '"spec":{"ports":[{"port":80,"targetPort":1.5}]}'),
    "ports that are an object": body("Service", '"spec":{"ports":{"port":3}}'),
    "a spec that is a list": body("Service", '"spec":[]'),
    "a truth that is a text": body("Service", '"spec":{"allocateLoadBalancerNodePorts":"yes","Type":"NodePort"}'),
    "the first of two mistakes": body("Service", '"spec":{"clusterIP":3,"type":4}'),
    "a mistake before a final one": body("Service", '"spec":{"clusterIP":3,"ports":[{"targetPort":[]}]}'),
    "unknown fields of items": body(
        "Service", '"spec":{"ports":[{"port":80,"foo":1},{"port":81,"name":"b","Name":"c"}],"ports":[{"port":82}]}'
    ),
    "a bad quantity": limited('{"cpu":"xx"}'),
    "a true quantity": limited('{"cpu":true}'),
    "limits that are a list": limited("[]"),
    "a policy that is a number": body("Pod", '"spec":{"restartPolicy":3}'),
    "a volume's path that is a number": body("Pod", '"spec":{"volumes":[{"name":"a","hostPath":{"path":3}}]}'),
    "an owner's truth that is a text": body("Pod", '"spec":{}', '{"name":"a","ownerReferences":[{"controller":"x"}]}'),
    "a container that is a number": body("Pod", '"spec":{"containers":[3],"nodeSelector":{"a":null,"b":2}}'),
    "a whole float": body("Pod", '"spec":{"terminationGracePeriodSeconds":1.0}'),
    "one fault twice": body("Pod", '"spec":{"foo":1,"foo":2,"hostname":"a","hostname":"b"}'),
    "deep within": body(
        "Deployment",
        '"spec":{"template":{"spec":{"containers":[{"livenessProbe":{"exec":{"command":"a"}},"x":1}]}}}',
    ),
    "a lease": body("Lease", '"spec":{"leaseDurationSeconds":15,"renewTime":"2026-11-27T01:02:03.000004Z"}'),
    "nothing": ("Pod", b""),
    "words": ("Pod", b"nonsense"),
    "a list": ("Pod", b"[]"),
    "half an object": ("Pod", b'{"apiVersion":"v1","kind":"Pod"'),
    "no comma": ("Pod", b'{"apiVersion":"v1" "kind":"Pod"}'),
    "no comma in a list": ("Pod", b'{"apiVersion":"v1","a":["]" 2]}'),
    "no colon": ("Pod", b'{"apiVersion" "v1"}'),
    "no quotes": ("Pod", b"{apiVersion:1}"),
    "a comma too many": ("Pod", b'{"apiVersion":"v1",}'),
    "half a literal": ("Pod", b'{"a":tru'),
    "no literal": ("Pod", b'{"a":trux}'),
    "more than one": ("Pod", b'{"apiVersion":"v1","kind":"Pod"} x'),
    "a custom object": body("Decoded", '"spec":{"a":"b"}'),
    "unknown fields of a custom object": body(
        "Decoded",
        '"zoo":1,"spec":{"a":"b","a":"c","foo":1,"inner":[{"x":1,"y":2,"y":3}]},"bar":1',
        '{"name":"a","foo":1,"ownerReferences":[{"x":1}]}',
    ),
    "a custom object's label of a number": body("Decoded", '"spec":{}', '{"name":"a","labels":{"a":1}}'),
    "a custom object's metadata of text": body("Decoded", '"spec":{}', '"x"'),
    "a custom object's time of a number": body("Decoded", '"spec":{}', '{"name":"a","creationTimestamp":3}'),
}
