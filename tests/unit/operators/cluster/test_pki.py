"""Keys and certificates: what is issued is sound, and whatever is put in its place is noticed and never trusted."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clusters import ADDRESS, NOW, cluster

from homeostat.api.cluster.network import ClusterEndpointStatus
from homeostat.kit.pki.authority import (
    AUTHORITY_LIFE,
    LEAF_LIFE,
    Damaged,
    Request,
    issue,
    key_pem,
    new_key,
    read_certificate,
    read_signer,
)
from homeostat.kit.pki.soundness import decoded
from homeostat.operators.cluster.names import names_of
from homeostat.operators.cluster.pki.authority import new_authorities
from homeostat.operators.cluster.pki.leaves import Leaf, leaves, make
from homeostat.operators.cluster.pki.lifetimes import of_authorities, of_leaf, renewal
from homeostat.operators.cluster.pki.material import CAS as AUTHORITIES
from homeostat.operators.cluster.pki.material import check_keys as check_authority
from homeostat.operators.cluster.pki.material import material
from homeostat.operators.cluster.pki.soundness import check_leaf

DEMO = cluster()
NAMES = names_of(DEMO)
LEAVES = {leaf.name: leaf for leaf in leaves(DEMO, NAMES, ClusterEndpointStatus(host=ADDRESS, port=6443))}
AUTHORITY = new_authorities(NOW)
STRANGER = new_authorities(NOW)
KEYS = material(AUTHORITY)
HELD = {name: make(leaf, KEYS, NOW) for name, leaf in LEAVES.items()}
ENTRIES = [(name, entry) for name, held in HELD.items() for entry in held]


def verdict(leaf: str, changes: dict[str, bytes | None]) -> str:
    """What is said about a leaf Secret with entries changed, or removed by None."""
    held = {entry: value for entry, value in {**HELD[leaf], **changes}.items() if value is not None}
    with pytest.raises(Damaged) as caught:
        check_leaf(LEAVES[leaf], held, KEYS, NOW)
    return str(caught.value)


def edited_kubeconfig(**changes: object) -> bytes:
    """The administrator's kubeconfig with fields of its cluster and user changed."""
    document = yaml.safe_load(HELD["demo-admin-kubeconfig"]["kubeconfig"])
    for path, value in changes.items():
        part, _, name = path.partition("__")
        document[f"{part}s"][0][part][name.replace("_", "-")] = value
    return yaml.safe_dump(document).encode()


@pytest.mark.parametrize("name", LEAVES)
def test_what_is_issued_is_sound(name: str) -> None:
    check_authority(AUTHORITY)
    check_leaf(LEAVES[name], HELD[name], KEYS, NOW)


@pytest.mark.parametrize(("name", "entry"), ENTRIES)
def test_an_entry_that_is_missing_or_garbage_is_named(name: str, entry: str) -> None:
    for content in (None, b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        assert entry in verdict(name, {entry: content})


@pytest.mark.parametrize("entry", [entry for entry in AUTHORITY if entry != "encryption.key"])
def test_an_authority_that_lacks_an_entry_is_damaged_and_the_entry_is_named(entry: str) -> None:
    for other in ({name: value for name, value in AUTHORITY.items() if name != entry}, {**AUTHORITY, entry: b"x"}):
        with pytest.raises(Damaged, match=entry):
            check_authority(other)


@pytest.mark.parametrize("name", AUTHORITIES)
def test_the_key_of_another_authority_is_damage(name: str) -> None:
    with pytest.raises(Damaged, match=rf"{name}\.key does not belong to {name}\.crt"):
        check_authority({**AUTHORITY, f"{name}.key": STRANGER[f"{name}.key"]})


@pytest.mark.parametrize("name", AUTHORITIES)
def test_a_certificate_that_may_not_sign_is_no_authority(name: str) -> None:
    leaf, key = issue(read_signer(AUTHORITY, "ca"), Request("ca", "somebody"), NOW)
    with pytest.raises(Damaged, match=rf"{name}\.crt is not the certificate of an authority"):
        check_authority({**AUTHORITY, f"{name}.crt": leaf, f"{name}.key": key})


@pytest.mark.parametrize("name", LEAVES)
def test_what_another_authority_signed_is_noticed(name: str) -> None:
    with pytest.raises(Damaged):
        check_leaf(LEAVES[name], make(LEAVES[name], material(STRANGER), NOW), KEYS, NOW)


def test_a_client_certificate_in_the_place_of_a_serving_one_is_noticed() -> None:
    held = HELD["demo-apiserver"]
    swapped: dict[str, bytes | None] = {
        "serving.crt": held["kubelet-client.crt"],
        "serving.key": held["kubelet-client.key"],
    }
    assert "serving.crt" in verdict("demo-apiserver", swapped)


def test_a_serving_certificate_without_names_is_noticed() -> None:
    nameless, key = issue(read_signer(AUTHORITY, "ca"), Request("ca", "kube-apiserver"), NOW)
    said = verdict("demo-apiserver", {"serving.crt": nameless, "serving.key": key})
    assert said == "serving.crt names nobody"


def test_a_certificate_of_somebody_else_in_a_kubeconfig_is_noticed() -> None:
    scheduler = LEAVES["demo-scheduler"].kubeconfig
    assert scheduler is not None
    other = replace(LEAVES["demo-scheduler"], kubeconfig=replace(scheduler, user=Request("ca", "nobody")))
    said = verdict("demo-scheduler", {"kubeconfig": make(other, KEYS, NOW)["kubeconfig"]})
    assert said == "kubeconfig is for CN=nobody instead of CN=system:kube-scheduler"


def test_a_certificate_counts_as_damaged_when_it_has_run_out_by_some_clock() -> None:
    leaf, held = LEAVES["demo-etcd"], HELD["demo-etcd"]
    check_leaf(leaf, held, KEYS, NOW + LEAF_LIFE - timedelta(hours=2))
    with pytest.raises(Damaged, match=r"server\.crt runs out on 2027-01-01"):
        check_leaf(leaf, held, KEYS, NOW + LEAF_LIFE - timedelta(minutes=59))


def test_no_certificate_outlives_its_authority() -> None:
    late = NOW + AUTHORITY_LIFE - timedelta(days=10)
    certificate, _ = issue(read_signer(AUTHORITY, "ca"), Request("ca", "somebody"), late)
    assert read_certificate({"x.crt": certificate}, "x.crt").not_valid_after_utc == NOW + AUTHORITY_LIFE


def test_what_masters_read_again_by_themselves_does_not_restart_them() -> None:
    once = {name: set(leaf.read_once(dict.fromkeys(HELD[name], ""))) for name, leaf in LEAVES.items()}
    assert once == {
        "demo-etcd": {"etcd-ca.crt"},
        "demo-apiserver": {
            *("ca.crt", "etcd-ca.crt", "front-proxy-ca.crt"),
            *("sa.key", "sa.pub", "encryption.yaml"),
        },
        "demo-controller-manager": {
            *("ca.crt", "ca-signer.crt", "ca.key", "front-proxy-ca.crt"),
            *("sa.key", "kubeconfig"),
        },
        "demo-scheduler": {"kubeconfig"},
        "demo-admin-kubeconfig": {"kubeconfig"},
    }
    assert {name for name, leaf in LEAVES.items() if leaf.restarts} == {"demo-controller-manager", "demo-scheduler"}


def test_a_certificate_of_the_future_is_noticed() -> None:
    with pytest.raises(Damaged, match="not valid before"):
        check_leaf(LEAVES["demo-etcd"], HELD["demo-etcd"], KEYS, NOW - timedelta(days=1, minutes=1))


def test_clocks_of_hosts_may_differ_by_a_few_hours() -> None:
    check_leaf(LEAVES["demo-etcd"], HELD["demo-etcd"], KEYS, NOW - timedelta(hours=14))


@pytest.mark.parametrize("ahead", [timedelta(hours=8), timedelta(days=400)])
def test_what_a_clock_that_is_ahead_signs_is_taken_by_all_others_at_once(ahead: timedelta) -> None:
    leaf = LEAVES["demo-etcd"]
    check_leaf(leaf, make(leaf, KEYS, NOW + ahead), KEYS, NOW)


def test_a_certificate_of_an_old_authority_is_renewed_in_the_last_third_of_its_own_life() -> None:
    made_at = NOW + 3 * LEAF_LIFE
    held = of_leaf(LEAVES["demo-etcd"], make(LEAVES["demo-etcd"], KEYS, made_at))
    due = renewal(held, of_authorities(AUTHORITY), "somebody")
    assert due is not None
    assert LEAF_LIFE / 2 < due - made_at <= LEAF_LIFE * 2 / 3


def test_a_certificate_with_a_day_left_is_due_however_young_its_authority_is() -> None:
    held = of_leaf(LEAVES["demo-etcd"], make(LEAVES["demo-etcd"], KEYS, NOW - LEAF_LIFE + timedelta(days=1)))
    due = renewal(held, of_authorities(AUTHORITY), "somebody")
    assert due is not None
    assert due < NOW


@pytest.mark.parametrize(
    "change",
    [
        {"user__exec": {"command": "sh", "apiVersion": "client.authentication.k8s.io/v1", "args": ["-c", "id"]}},
        {"user__token": "abc"},
        {"user__tokenFile": "/var/run/secrets/kubernetes.io/serviceaccount/token"},
        {"user__client_certificate": "/dev/zero", "user__client_certificate_data": ""},
        {"user__as": "somebody"},
        {"cluster__certificate_authority": "/dev/zero", "cluster__certificate_authority_data": ""},
        {"cluster__insecure_skip_tls_verify": True},
        {"cluster__proxy_url": "http://10.0.0.1:3128"},
        {"cluster__tls_server_name": "elsewhere"},
        {"cluster__server": "https://10.100.1.2:6443"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_kubeconfig_that_would_run_read_or_reach_anything_else_is_damaged(change: dict[str, object]) -> None:
    assert "kubeconfig" in verdict("demo-admin-kubeconfig", {"kubeconfig": edited_kubeconfig(**change)})


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 9_000,
        b"- " * 4_000,
        b"a: &a [*a]",
        b"!!python/object:os.system {}",
        b"a: 2026-99-99",
        b"\xff\xfe\x00",
        b"1",
    ],
)
def test_yaml_that_would_hurt_its_reader_is_damage(content: bytes) -> None:
    assert "kubeconfig" in verdict("demo-admin-kubeconfig", {"kubeconfig": content})


def test_a_kubeconfig_beyond_measure_is_damage_before_it_is_read() -> None:
    said = verdict("demo-admin-kubeconfig", {"kubeconfig": b"- a\n" * 200_000})
    assert said == "kubeconfig has 800000 bytes, more than 10000"


@given(st.sampled_from(ENTRIES), st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_no_content_whatever_breaks_the_judge(where: tuple[str, str], content: bytes) -> None:
    name, entry = where
    assert verdict(name, {entry: content})


@given(st.sampled_from([entry for entry in ENTRIES if entry[1] != "kubeconfig"]), st.sampled_from(ENTRIES))
def test_entries_swapped_with_any_other_never_break_the_judge(where: tuple[str, str], source: tuple[str, str]) -> None:
    held = {**HELD[where[0]], where[1]: HELD[source[0]][source[1]]}
    if held[where[1]] == HELD[where[0]][where[1]]:
        check_leaf(LEAVES[where[0]], held, KEYS, NOW)
        return
    with pytest.raises(Damaged):
        check_leaf(LEAVES[where[0]], held, KEYS, NOW)


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20)))
def test_any_text_in_a_secret_is_decoded_or_empty(data: dict[str, str]) -> None:
    assert decoded(data).keys() == data.keys()


def test_base64_is_decoded_and_anything_else_is_empty() -> None:
    assert decoded({"a": b64encode(b"key").decode(), "b": "%%%", "c": "é"}) == {"a": b"key", "b": b"", "c": b""}


def test_no_private_key_shows_in_texts() -> None:
    secret = key_pem(new_key()).decode()
    signer = read_signer(AUTHORITY, "ca")
    assert "PRIVATE" not in repr(signer)
    for name, entry in ENTRIES:
        assert "PRIVATE" not in verdict(name, {entry: secret.encode()[:-40]})


def test_certificates_last_a_year_and_authorities_ten() -> None:
    server = read_certificate(HELD["demo-etcd"], "server.crt")
    top = read_certificate(AUTHORITY, "ca.crt")
    assert server.not_valid_after_utc - NOW == timedelta(days=365)
    assert top.not_valid_after_utc - NOW == timedelta(days=3650)


def test_secrets_that_name_the_endpoint_wait_for_its_address() -> None:
    assert {leaf.name for leaf in leaves(DEMO, NAMES, None)} == {
        "demo-etcd",
        "demo-controller-manager",
        "demo-scheduler",
    }


@pytest.mark.parametrize("host", ["10.100.1.1", "api.example.org", "999.1.1.1", "fd00::1", "12345"])
def test_whatever_host_a_balancer_gives_can_be_certified(host: str) -> None:
    made = {leaf.name: leaf for leaf in leaves(DEMO, NAMES, ClusterEndpointStatus(host=host, port=6443))}
    leaf = made["demo-apiserver"]
    check_leaf(leaf, make(leaf, KEYS, NOW), KEYS, NOW)
    (serving,) = [request for name, request in leaf.pairs if name == "serving"]
    assert host in (*serving.dns_names, *serving.addresses)
    admin = made["demo-admin-kubeconfig"].kubeconfig
    assert admin is not None
    assert admin.server == ("https://[fd00::1]:6443" if ":" in host else f"https://{host}:6443")


def serving_names(service_cidr: str) -> Leaf:
    """The API server's Secret in a cluster of a range of Services."""
    changed = cluster(network={"podCIDR": "10.200.0.0/16", "serviceCIDR": service_cidr})
    made = leaves(changed, NAMES, ClusterEndpointStatus(host=ADDRESS, port=6443))
    return next(leaf for leaf in made if leaf.component == "kube-apiserver")


@given(st.text(max_size=20))
def test_a_range_that_is_none_is_left_to_the_rules_and_never_raises(service_cidr: str) -> None:
    assert serving_names(service_cidr).pairs


def test_the_first_address_of_the_services_is_the_api_servers() -> None:
    assert "10.201.0.1" in serving_names("10.201.0.0/20").pairs[0][1].addresses


def test_keys_that_kubernetes_would_take_but_are_not_ours_are_told_apart() -> None:
    encrypted = new_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for key, said in ((encrypted, "is not a private key in PEM"), (other, "is not a key on an elliptic curve")):
        with pytest.raises(Damaged, match=f"sa.key {said}"):
            check_authority({**AUTHORITY, "sa.key": key})
