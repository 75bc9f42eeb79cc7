"""The cell on real ground: its network, names, volumes and load balancers, also while hosts die."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest
from tests.support.datacentre import Centre, eventually

from homeostat.local.machine import version

pytestmark = pytest.mark.real

IMAGE = f"homeostat.local/homeostat:{version()}"
SERVERS = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 3
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: DoNotSchedule
          labelSelector: {{matchLabels: {{app: web}}}}
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: {IMAGE}
          imagePullPolicy: Never
          command: [sh, -c, "mkdir /www && hostname > /www/index.html && exec python3 -m http.server -d /www 8080"]
          readinessProbe: {{tcpSocket: {{port: 8080}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{type: LoadBalancer, selector: {{app: web}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: peers}}
spec: {{clusterIP: None, selector: {{app: web}}, ports: [{{name: http, port: 8080}}]}}
"""
KEEPER = f"""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: kept}}
spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 10Mi}}}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: keeper}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: keeper
      image: {IMAGE}
      imagePullPolicy: Never
      command: [sh, -c, "echo started >> /kept/log; sync; exec sleep 100000"]
      volumeMounts: [{{name: kept, mountPath: /kept}}]
  volumes: [{{name: kept, persistentVolumeClaim: {{claimName: kept}}}}]
"""


@pytest.fixture
def namespace(centre: Centre) -> Iterator[str]:
    """A namespace of the test's own."""
    name = "real-cell"
    centre.kubectl("create", "namespace", name)
    centre.kubectl("config", "view")
    yield name
    centre.kubectl("delete", "namespace", name, "--timeout=120s")


def inside(centre: Centre, namespace: str, pod: str, *command: str) -> str:
    return centre.kubectl("exec", "-n", namespace, pod, "--", *command)


def fetch(url: str) -> tuple[str, ...]:
    return ("python3", "-c", f"import urllib.request as r; print(r.urlopen('{url}', timeout=3).read().decode())")


def web_pods(centre: Centre, namespace: str) -> list[tuple[str, str, str]]:
    items = centre.get("pods", "-n", namespace, "-l", "app=web")["items"]
    return [(one["metadata"]["name"], one["status"]["podIP"], one["spec"]["nodeName"]) for one in items]


def test_pods_reach_each_other_across_hosts_by_address_service_and_name(centre: Centre, namespace: str) -> None:
    centre.kubectl("apply", "-n", namespace, "-f", "-", stdin=SERVERS)
    centre.kubectl("rollout", "status", "-n", namespace, "deployment/web", "--timeout=90s")
    pods = web_pods(centre, namespace)
    assert len({node for _, _, node in pods}) == 3
    (first, _, _), *others = pods
    for name, address, _ in others:
        assert inside(centre, namespace, first, *fetch(f"http://{address}:8080")).strip() == name
    assert inside(centre, namespace, first, *fetch("http://web")).strip() in {name for name, _, _ in pods}
    forward = f"import socket; print(*sorted(set(socket.gethostbyname_ex('peers.{namespace}')[2])))"
    addresses = sorted(address for _, address, _ in pods)
    eventually(
        lambda: inside(centre, namespace, first, "python3", "-c", forward).split() == addresses,
        within_s=20,
    )
    reverse = f"import socket; print(socket.gethostbyaddr('{others[0][1]}')[0])"
    looked_up = eventually(lambda: inside(centre, namespace, first, "python3", "-c", reverse).strip(), within_s=20)
    # A Pod behind two Services has a name in each; which one is told first is not promised.
    assert looked_up.startswith(f"{others[0][0]}.")
    assert looked_up.endswith(f".{namespace}.svc.cluster.local")


def test_an_endpoint_answers_on_while_a_host_dies_and_comes_back(centre: Centre, namespace: str) -> None:
    centre.kubectl("apply", "-n", namespace, "-f", "-", stdin=SERVERS)
    centre.kubectl("rollout", "status", "-n", namespace, "deployment/web", "--timeout=90s")

    def address() -> str:
        ingress = centre.get("service", "-n", namespace, "web")["status"]["loadBalancer"].get("ingress", [{}])
        return str(ingress[0].get("ip", ""))

    vip = eventually(address, within_s=20)
    eventually(lambda: answers(vip), within_s=20)
    victim = next(place.name for place in centre.inner.plan.meta if place.zone == "c")

    async def power(on: bool) -> None:
        hosts = await centre.ground.hosts()
        await (hosts.power_on(victim) if on else hosts.power_off(victim))

    asyncio.run(power(on=False))
    try:
        eventually(lambda: all(answers(vip) for _ in range(20)), within_s=5, every_s=0.1)
        assert sum(not answers(vip) for _ in range(100)) == 0
        eventually(lambda: node_is(centre, victim, ready=False), within_s=40)
        found = next(host for host in centre.status()["hosts"] if host["name"] == victim)
        assert found["power"] == "off"
    finally:
        asyncio.run(power(on=True))
    eventually(lambda: node_is(centre, victim, ready=True), within_s=60)


def test_a_volume_survives_its_pod_and_its_hosts_power(centre: Centre, namespace: str) -> None:
    centre.kubectl("apply", "-n", namespace, "-f", "-", stdin=KEEPER)
    centre.kubectl("wait", "-n", namespace, "pod/keeper", "--for=condition=Ready", "--timeout=90s")
    centre.kubectl("delete", "-n", namespace, "pod/keeper", "--timeout=60s")
    centre.kubectl("apply", "-n", namespace, "-f", "-", stdin=KEEPER)
    centre.kubectl("wait", "-n", namespace, "pod/keeper", "--for=condition=Ready", "--timeout=90s")
    node = centre.get("pod", "-n", namespace, "keeper")["spec"]["nodeName"]

    async def reset() -> None:
        await (await centre.ground.hosts()).reset(node)

    asyncio.run(reset())
    eventually(lambda: read(centre, namespace).count("started") >= 3, within_s=90)


def read(centre: Centre, namespace: str) -> str:
    return inside(centre, namespace, "keeper", "cat", "/kept/log")


def answers(address: str) -> bool:
    try:
        with socket.create_connection((address, 80), timeout=2) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return connection.recv(100).startswith(b"HTTP/1.0 200")
    except OSError:
        return False


def node_is(centre: Centre, name: str, *, ready: bool) -> bool:
    conditions = centre.get("node", name)["status"]["conditions"]
    return any(one["type"] == "Ready" and (one["status"] == "True") is ready for one in conditions)
