"""Keys and certificates of a highly available cluster on real hosts change under a client that reads and writes."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from msgspec import convert
from tests.support.business import homeostat, wait_ready
from tests.support.client import Life
from tests.support.datacentre import Centre, eventually, on_host
from tests.support.dying import OPERATORS
from tests.support.masters import Masters, raised
from tests.support.overhearing import Overheard

from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.kit.pki.authority import LEAF_LIFE
from homeostat.operators.cluster.names import names_of
from homeostat.operators.cluster.pki.leaves import leaves, make
from homeostat.operators.cluster.pki.material import material

pytestmark = pytest.mark.real

NAMESPACE, NAME = "real-keys", "keys"
WORD = "plain-to-see"
CONTROLLERS = ("kube-controller-manager", "kube-scheduler")
SERVERS = ("etcd", "kube-apiserver")
GARBAGE = base64.b64encode(b"garbage").decode()
STAY_S = 5


@pytest.fixture(scope="module")
def tall(centre: Centre) -> Iterator[Centre]:
    """A data centre with a highly available cluster in it."""
    with raised(centre, NAMESPACE, NAME):
        yield centre


@pytest.fixture(scope="module")
def overheard(tall: Centre) -> Overheard:
    """What is told of the cluster while all tests of this file run."""
    return Overheard(tall, NAMESPACE, NAME)


@pytest.fixture(autouse=True)
def all_keys_are_noted_and_all_that_is_told_is_listened_to(overheard: Overheard) -> Iterator[None]:
    """Before and after each test: masters that it replaces take their logs with them."""
    overheard.note()
    yield
    overheard.note()
    overheard.listen()


def secret(centre: Centre, name: str) -> dict[str, bytes]:
    """The entries of a Secret of the cluster."""
    return Masters(centre, NAMESPACE, NAME).secret(name)


def life(centre: Centre) -> Life:
    """A client that tries a request twice."""
    return Masters(centre, NAMESPACE, NAME).life(attempts=2)


def pods(centre: Centre, *components: str) -> dict[str, dict[str, Any]]:
    """Pods of some components, by uid."""
    chosen = f"app.kubernetes.io/component in ({','.join(components)})"
    items = centre.get("pods", "-n", NAMESPACE, "-l", chosen)["items"]
    return {item["metadata"]["uid"]: item for item in items}


def restarts(found: dict[str, dict[str, Any]]) -> int:
    return sum(each["restartCount"] for item in found.values() for each in item["status"]["containerStatuses"])


def status(centre: Centre) -> dict[str, Any]:
    return dict(centre.get("cluster", NAME, "-n", NAMESPACE)["status"])


def serves_what_its_secret_holds(centre: Centre) -> bool:
    """Whether the endpoint serves the certificate that was renewed."""
    held = x509.load_pem_x509_certificate(secret(centre, "apiserver")["serving.crt"])
    is_new = held.not_valid_after_utc > datetime.now(UTC) + LEAF_LIFE / 2
    return is_new and served(centre).serial_number == held.serial_number


def served(centre: Centre) -> x509.Certificate:
    """The certificate that the endpoint serves now."""
    context = ssl.create_default_context(cadata=secret(centre, "apiserver")["ca.crt"].decode())
    endpoint = status(centre)["endpoint"]
    with (
        socket.create_connection((endpoint["host"], endpoint["port"]), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=endpoint["host"]) as secured,
    ):
        found = secured.getpeercert(binary_form=True)
    assert found is not None
    return x509.load_der_x509_certificate(found)


def stored(centre: Centre, key: str) -> bytes:
    """What etcd holds under a key, asked by the API server's own certificate on the host of a member."""
    member = next(iter(pods(centre, "etcd").values()))
    held = secret(centre, "apiserver")
    files = {"ca": held["etcd-ca.crt"], "crt": held["etcd-client.crt"], "key": held["etcd-client.key"]}
    place = "/run/reads-etcd"
    made = [
        f"echo {base64.b64encode(content).decode()} | base64 -d > {place}/{name}" for name, content in files.items()
    ]
    body = json.dumps({"key": base64.b64encode(key.encode()).decode()})
    trust = f"--cacert {place}/ca --cert {place}/crt --key {place}/key --connect-to localhost:2379:$ADDRESS:2379"
    ask = f"curl -sS {trust} -d '{body}' https://localhost:2379/v3/kv/range".replace(
        "$ADDRESS", member["status"]["podIP"]
    )
    said = on_host(
        centre, member["spec"]["nodeName"], "; ".join((f"mkdir -p -m 700 {place}", *made, ask, f"rm -r {place}"))
    )
    (found,) = json.loads(said)["kvs"]
    return base64.b64decode(found["value"])


def token(centre: Centre) -> str:
    """One of a service account, as Pods have them."""
    return centre.business(NAME, "create", "token", "default", namespace=NAMESPACE).strip()


def is_known(centre: Centre, held: str) -> bool:
    """Whether an API server of the cluster knows whose token that is."""
    kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}
    words = ("create", "-f", "-", "-o", "jsonpath={.status.authenticated}")
    said = centre.business(NAME, *words, namespace=NAMESPACE, stdin=json.dumps({**kind, "spec": {"token": held}}))
    return said == "true"


def trusted_by_pods(centre: Centre) -> str:
    """The authorities that Pods of the business cluster trust."""
    path = "jsonpath={.data.ca\\.crt}"
    return centre.business(NAME, "get", "configmap", "kube-root-ca.crt", "-o", path, namespace=NAMESPACE).strip()


def test_secrets_are_encrypted_in_etcd_with_the_clusters_own_key(tall: Centre) -> None:
    tall.business(NAME, "create", "secret", "generic", "word", f"--from-literal=word={WORD}", namespace=NAMESPACE)
    found = stored(tall, "/registry/secrets/default/word")
    assert found.startswith(f"k8s:enc:secretbox:v1:{status(tall)['encryptionKey']}:".encode())
    assert WORD.encode() not in found
    read = tall.business(NAME, "get", "secret", "word", "-o", "jsonpath={.data.word}", namespace=NAMESPACE)
    assert base64.b64decode(read) == WORD.encode()


def all_end_after(centre: Centre, moment: datetime) -> bool:
    """Whether every certificate that the status tells of ends after a moment."""
    return all(datetime.fromisoformat(each["soonest"]) > moment for each in status(centre)["certificates"])


def await_rolled(centre: Centre, before: dict[str, dict[str, Any]]) -> None:
    """Until others are there for all controllers, and stay: who reads two certificates is rolled once for each."""
    seen, since = set(before), time.monotonic()

    def stay() -> bool:
        nonlocal seen, since
        now = set(pods(centre, *CONTROLLERS))
        if now != seen:
            seen, since = now, time.monotonic()
        return len(now) == len(before) and not now & before.keys() and time.monotonic() > since + STAY_S

    eventually(stay, within_s=120)


def test_certificates_with_a_day_left_are_renewed_under_servers_that_run(
    tall: Centre, say: Callable[[str], None]
) -> None:
    servers, controllers = pods(tall, *SERVERS), pods(tall, *CONTROLLERS)
    declared = convert(tall.get("cluster", NAME, "-n", NAMESPACE), Cluster, strict=False)
    names, keys = names_of(declared), material(secret(tall, "pki"))
    long_ago = datetime.now(UTC) - LEAF_LIFE + timedelta(days=1)
    with life(tall).lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        for leaf in leaves(declared, names, declared.status.endpoint):
            data = {entry: base64.b64encode(value).decode() for entry, value in make(leaf, keys, long_ago).items()}
            patch = json.dumps({"data": data})
            tall.kubectl(
                "patch", "secret", leaf.name, "-n", NAMESPACE, "--type=merge", "--patch-file=/dev/stdin", stdin=patch
            )
        began = time.monotonic()
        eventually(lambda: serves_what_its_secret_holds(tall), within_s=150)
        took = time.monotonic() - began
        later = datetime.now(UTC) + LEAF_LIFE / 2
        eventually(lambda: all_end_after(tall, later), within_s=60)
        await_rolled(tall, controllers)
        wait_ready(tall, NAMESPACE, NAME)
    assert pods(tall, *SERVERS).keys() == servers.keys()
    assert restarts(pods(tall, *SERVERS)) == restarts(servers)
    say(
        f"certificates with a day left: the endpoint serves new ones after {took:.0f} s, no server restarted;"
        f" {len(client.failures)} of {client.tried} requests failed, {client.retried} at the first try"
    )
    assert client.failures == []


def test_authorities_that_are_damaged_or_lost_are_told_and_never_made_anew_and_all_goes_on_when_they_are_back(
    tall: Centre, say: Callable[[str], None]
) -> None:
    masters, name = Masters(tall, NAMESPACE, NAME), f"{NAME}-pki"
    held, born = tall.get("secret", name, "-n", NAMESPACE), pods(tall, *SERVERS, *CONTROLLERS).keys()
    leaf = f"{NAME}-admin-kubeconfig"

    def there(one: str) -> bool:
        return bool(tall.kubectl("get", "secret", one, "-n", NAMESPACE, "--ignore-not-found", "-o", "name"))

    def is_told(reason: str) -> bool:
        told = masters.condition("PKIReady")
        return (told["reason"], told["status"], "restore it from a backup" in told["message"]) == (
            reason,
            "False",
            True,
        )

    with life(tall).lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        spoil = json.dumps({"data": {"ca.key": GARBAGE}})
        tall.kubectl("patch", "secret", name, "-n", NAMESPACE, "--type=merge", "-p", spoil)
        eventually(lambda: is_told("AuthorityDamaged"), within_s=60)
        tall.kubectl("delete", "secret", name, leaf, "-n", NAMESPACE)
        eventually(lambda: is_told("AuthorityLost"), within_s=60)
        # An operator that knows nothing of before takes the cluster for no new one.
        tall.kubectl("delete", "pods", *OPERATORS, "--wait=true", "--timeout=60s")
        tall.kubectl("rollout", "status", "deployment/homeostat", *OPERATORS[:2], "--timeout=60s")
        until = time.monotonic() + STAY_S
        eventually(lambda: is_told("AuthorityLost") and time.monotonic() > until, within_s=60)
        assert (there(name), there(leaf)) == (False, False)
        kept = {key: held["metadata"][key] for key in ("name", "namespace", "labels", "ownerReferences")}
        tall.kubectl("create", "-f", "-", stdin=json.dumps({**held, "metadata": kept}))
        back = time.monotonic()
        eventually(lambda: there(leaf), within_s=60)
        wait_ready(tall, NAMESPACE, NAME)
        took = time.monotonic() - back
    assert tall.get("secret", name, "-n", NAMESPACE)["data"] == held["data"]
    assert secret(tall, "admin-kubeconfig")["kubeconfig"]
    assert pods(tall, *SERVERS, *CONTROLLERS).keys() == born
    say(f"authorities that were lost are back: all is well {took:.0f} s later; none of {client.tried} requests failed")
    assert client.failures == []
    assert client.lost() == set()


def test_authorities_are_replaced_while_clients_work(tall: Centre, say: Callable[[str], None]) -> None:
    old = secret(tall, "pki")["ca.crt"]
    took, tried, retried = [], 0, 0
    for words in (("--keys", "authorities"), ("--release",)):
        # Whoever came before the release has what the old authority signed; after it, it must have been renewed.
        with life(tall).lived() as client:
            eventually(lambda: len(client.acknowledged) > 10, within_s=20)
            began = time.monotonic()
            homeostat(tall, "rotate", "cluster", NAME, "-n", NAMESPACE, *words, "--wait", "--timeout", "280s")
            took.append(time.monotonic() - began)
        assert client.failures == []
        assert client.lost() == set()
        tried, retried = tried + client.tried, retried + client.retried
    wait_ready(tall, NAMESPACE, NAME)
    now = secret(tall, "pki")["ca.crt"]
    assert now != old
    # The controller manager that leads writes it into every namespace, some time after it began.
    eventually(lambda: trusted_by_pods(tall) == now.decode().strip(), within_s=60)
    say(
        f"authorities are replaced: new ones in use after {took[0]:.0f} s, old ones gone {took[1]:.0f} s after their"
        f" release; none of {tried} requests failed, {retried} at the first try"
    )


def test_the_key_of_tokens_is_replaced_while_clients_work_and_old_tokens_live_until_its_release(
    tall: Centre, overheard: Overheard, say: Callable[[str], None]
) -> None:
    old, took = token(tall), []
    overheard.note_token(old)
    with life(tall).lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        for words in (("--keys", "token-key"), ("--release",)):
            assert is_known(tall, old)
            began = time.monotonic()
            homeostat(tall, "rotate", "cluster", NAME, "-n", NAMESPACE, *words, "--wait", "--timeout", "280s")
            took.append(time.monotonic() - began)
            assert is_known(tall, token(tall))
        assert not is_known(tall, old)
    wait_ready(tall, NAMESPACE, NAME)
    say(
        f"the key of tokens is replaced: the new one in use after {took[0]:.0f} s, the old one gone {took[1]:.0f} s"
        f" after its release; none of {client.tried} requests failed, {client.retried} at the first try"
    )
    assert client.failures == []
    assert client.lost() == set()


def test_the_key_that_encrypts_secrets_is_replaced_while_clients_work_and_all_are_written_anew(
    tall: Centre, say: Callable[[str], None]
) -> None:
    tall.business(NAME, "create", "secret", "generic", "kept", f"--from-literal=word={WORD}", namespace=NAMESPACE)
    before = status(tall)["encryptionKey"]
    with life(tall).lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        began = time.monotonic()
        words = ("--keys", "encryption-key", "--wait", "--timeout", "280s")
        homeostat(tall, "rotate", "cluster", NAME, "-n", NAMESPACE, *words)
        took = time.monotonic() - began
    wait_ready(tall, NAMESPACE, NAME)
    now = status(tall)["encryptionKey"]
    assert now != before
    assert stored(tall, "/registry/secrets/default/kept").startswith(f"k8s:enc:secretbox:v1:{now}:".encode())
    read = tall.business(NAME, "get", "secret", "kept", "-o", "jsonpath={.data.word}", namespace=NAMESPACE)
    assert base64.b64decode(read) == WORD.encode()
    say(
        f"the key that encrypts Secrets is replaced, and they are written anew, after {took:.0f} s; none of"
        f" {client.tried} requests failed, {client.retried} at the first try"
    )
    assert client.failures == []
    assert client.lost() == set()


def test_no_key_and_no_token_of_all_these_is_in_a_log_an_event_a_status_or_any_object_but_its_secret(
    overheard: Overheard,
) -> None:
    overheard.listen()
    assert len(overheard.keys) > 40
    assert {where: size > 1000 for where, size in overheard.heard.items()} == {
        "logs of masters": True,
        "logs of the operator": True,
        "events": True,
        "objects": True,
    }
    assert overheard.leaks == []
