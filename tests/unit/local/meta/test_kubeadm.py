"""What kubeadm and the units are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from homeostat.local.meta import units
from homeostat.local.meta.coredns import corefile, manifests
from homeostat.local.meta.forming import archive, hash_of_ca
from homeostat.local.meta.kubeadm import IGNORED_CHECKS, Cell, init_configuration, join_configuration

CELL = Cell(
    name="shop",
    control_name="shop-control",
    control_address="10.100.0.10",
    service_cidr="10.100.16.0/20",
    dns_address="10.100.16.10",
    kubernetes_version="v1.35.4",
    etcd_version="3.6.16",
    token="abcdef.0123456789abcdef",
)


def test_the_first_control_plane_gets_our_images_ranges_and_no_add_ons() -> None:
    init, cluster, kubelet = yaml.safe_load_all(init_configuration(CELL))
    assert [init["kind"], cluster["kind"], kubelet["kind"]] == [
        "InitConfiguration",
        "ClusterConfiguration",
        "KubeletConfiguration",
    ]
    assert {"addon/kube-proxy", "addon/coredns"} <= set(init["skipPhases"])
    assert cluster["imageRepository"] == "homeostat.local"
    assert cluster["networking"] == {"serviceSubnet": "10.100.16.0/20", "dnsDomain": "cluster.local"}
    assert cluster["controlPlaneEndpoint"] == "10.100.0.10:6443"
    assert kubelet["clusterDNS"] == ["10.100.16.10"]


def test_the_api_server_leaves_the_load_balancers_addresses_to_the_load_balancer() -> None:
    cluster = list(yaml.safe_load_all(init_configuration(CELL)))[1]
    arguments = {one["name"]: one["value"] for one in cluster["apiServer"]["extraArgs"]}
    assert arguments["bind-address"] == "10.100.0.10"


def test_kubelets_live_on_cgroup_v1_with_swap_and_never_collect_side_loaded_images() -> None:
    kubelet = list(yaml.safe_load_all(init_configuration(CELL)))[2]
    assert (kubelet["failCgroupV1"], kubelet["failSwapOn"], kubelet["cgroupDriver"]) == (False, False, "cgroupfs")
    assert kubelet["imageGCHighThresholdPercent"] == 100


def test_dead_hosts_are_seen_after_two_missed_leases_at_most() -> None:
    _, cluster, kubelet = yaml.safe_load_all(init_configuration(CELL))
    arguments = {one["name"]: one["value"] for one in cluster["controllerManager"]["extraArgs"]}
    grace = int(arguments["node-monitor-grace-period"].removesuffix("s"))
    assert kubelet["nodeLeaseDurationSeconds"] < grace <= 2 * kubelet["nodeLeaseDurationSeconds"]


def test_a_host_joins_its_zone_and_pins_the_cells_authority() -> None:
    document = yaml.safe_load(
        join_configuration(CELL, name="shop-b1", address="10.100.0.12", zone="b", ca_hash="sha256:00")
    )
    arguments = {one["name"]: one["value"] for one in document["nodeRegistration"]["kubeletExtraArgs"]}
    assert arguments == {"node-ip": "10.100.0.12", "node-labels": "topology.kubernetes.io/zone=b"}
    token = document["discovery"]["bootstrapToken"]
    assert token["caCertHashes"] == ["sha256:00"]
    assert "unsafeSkipCAVerification" not in token


def test_every_check_that_is_left_out_has_a_reason() -> None:
    assert all(len(reason) > 10 for reason in IGNORED_CHECKS.values())


def test_the_pin_is_the_digest_of_the_public_key_whatever_else_the_certificate_says() -> None:
    key = ec.generate_private_key(ec.SECP256R1())

    def certificate(name: str) -> bytes:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        start = datetime(2026, 1, 1, tzinfo=UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + timedelta(days=1))
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)

    assert hash_of_ca(certificate("a")) == hash_of_ca(certificate("b"))
    assert hash_of_ca(certificate("a")).startswith("sha256:")


def test_files_for_hosts_are_the_same_bytes_in_any_order() -> None:
    assert archive({"/a": "1", "/b": b"2"}) == archive({"/b": b"2", "/a": "1"})


def test_units_start_at_boot_and_restart_for_ever() -> None:
    for text in (units.kubelet_unit(), units.proxy_unit("shop-a1")):
        head, _, service = text.partition("[Service]")
        assert "StartLimitIntervalSec=0" in head
        assert "Restart=always" in service
        assert "WantedBy=multi-user.target" in service


def test_kube_proxy_leaves_the_machines_connection_tracking_alone() -> None:
    document = yaml.safe_load(units.proxy_configuration("10.100.128.0/17"))
    assert (document["conntrack"]["maxPerCore"], document["conntrack"]["min"]) == (0, 0)


def test_cluster_dns_answers_reverse_look_ups_at_the_planned_address() -> None:
    assert "kubernetes cluster.local in-addr.arpa" in corefile("cluster.local")
    service = next(one for one in manifests(address="10.100.16.10", image="x") if one["kind"] == "Service")
    assert service["spec"]["clusterIP"] == "10.100.16.10"
