"""What kubeadm is told, as data: v1beta4 configuration of the first control plane and of those who join.

The control plane tolerates a busy small machine (long leases, patient health checks) and finds dead hosts quickly
(node monitor grace period twice the kubelets' lease). Preflight checks are left out by name, each for a reason.
"""

from __future__ import annotations

from typing import Any

import yaml
from msgspec import Struct

API_VERSION = "kubeadm.k8s.io/v1beta4"
CRI_SOCKET = "unix:///run/containerd/containerd.sock"
CONTROL_PLANE_TAINT = "node-role.kubernetes.io/control-plane"
API_PORT = 6443

# name of the check: why its complaint is known and harmless on hosts that are containers
IGNORED_CHECKS: dict[str, str] = {
    "ContainerRuntimeVersion": "containerd 1.6 cannot tell its cgroup driver; the kubelet's configuration does",
    "DirAvailable--var-lib-etcd": "a directory of the host's disk, bound in; a killed attempt was cleared before",
    "FileContent--proc-sys-net-bridge-bridge-nf-call-iptables": "bridge netfilter may be built in, or not needed",
    "Mem": "hosts share the machine's memory",
    "NumCPU": "hosts share the machine's processors",
    "Swap": "the kubelet is told to live with the machine's swap",
    "SystemVerification": "a host cannot read the kernel's configuration, and cgroup v1 is allowed on purpose",
}


class Cell(Struct, frozen=True):
    """What the configuration of a meta cluster depends on."""

    name: str
    control_name: str
    control_address: str
    service_cidr: str
    dns_address: str
    kubernetes_version: str  # with v
    etcd_version: str
    token: str  # bootstrap token, abcdef.0123456789abcdef
    dns_domain: str = "cluster.local"
    image_repository: str = "homeostat.local"

    @property
    def endpoint(self) -> str:
        """host:port of the cell's API."""
        return f"{self.control_address}:{API_PORT}"


def init_configuration(cell: Cell) -> str:
    """The file for `kubeadm init`: all documents it reads."""
    return _documents(_init(cell), _cluster(cell), kubelet_configuration(cell))


def join_configuration(cell: Cell, *, name: str, address: str, zone: str, ca_hash: str) -> str:
    """The file for `kubeadm join` of a host in a zone; `ca_hash` is `sha256:<hex>` of the cell's CA key."""
    return _documents(
        {
            "apiVersion": API_VERSION,
            "kind": "JoinConfiguration",
            "discovery": {
                "bootstrapToken": {
                    "apiServerEndpoint": cell.endpoint,
                    "token": cell.token,
                    "caCertHashes": [ca_hash],
                },
                "tlsBootstrapToken": cell.token,
            },
            "nodeRegistration": _registration(name, address, {"topology.kubernetes.io/zone": zone}, taints=[]),
            "timeouts": _timeouts(),
        }
    )


def _init(cell: Cell) -> dict[str, Any]:
    taints = [{"key": CONTROL_PLANE_TAINT, "effect": "NoSchedule"}]
    return {
        "apiVersion": API_VERSION,
        "kind": "InitConfiguration",
        "bootstrapTokens": [
            {
                "token": cell.token,
                "ttl": "0s",  # hosts may be reinstalled and join again for as long as the cell lives
                "usages": ["signing", "authentication"],
                "groups": ["system:bootstrappers:kubeadm:default-node-token"],
            }
        ],
        "localAPIEndpoint": {"advertiseAddress": cell.control_address, "bindPort": API_PORT},
        "nodeRegistration": _registration(cell.control_name, cell.control_address, {}, taints),
        "skipPhases": ["addon/kube-proxy", "addon/coredns", "show-join-command"],
        "timeouts": _timeouts(),
    }


def _cluster(cell: Cell) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "ClusterConfiguration",
        "clusterName": cell.name,
        "kubernetesVersion": cell.kubernetes_version,
        "controlPlaneEndpoint": cell.endpoint,
        "imageRepository": cell.image_repository,
        # Pod ranges belong to the hosts' network plan, so nobody allocates them: no podSubnet.
        "networking": {"serviceSubnet": cell.service_cidr, "dnsDomain": cell.dns_domain},
        "etcd": {"local": {"imageTag": cell.etcd_version, "dataDir": "/var/lib/etcd", "extraArgs": _args(_ETCD)}},
        # Not on every address: the control host owns the load balancers' addresses too, and HAProxy serves 6443 there.
        "apiServer": {
            "extraArgs": _args(_API_SERVER | {"bind-address": cell.control_address}),
            "certSANs": [cell.control_address, cell.control_name],
        },
        "controllerManager": {"extraArgs": _args(_CONTROLLER_MANAGER)},
        "scheduler": {"extraArgs": _args(_LEASES | {"profiling": "false"})},
    }


# Elections that a loaded small machine does not lose.
_LEASES = {
    "leader-elect-lease-duration": "40s",
    "leader-elect-renew-deadline": "30s",
    "leader-elect-retry-period": "5s",
}
_ETCD = {"heartbeat-interval": "500", "election-timeout": "5000", "quota-backend-bytes": "4294967296"}
_API_SERVER = {
    "profiling": "false",
    "default-not-ready-toleration-seconds": "30",
    "default-unreachable-toleration-seconds": "30",
}
_CONTROLLER_MANAGER = _LEASES | {
    "profiling": "false",
    "allocate-node-cidrs": "false",
    "node-monitor-period": "2s",
    "node-monitor-grace-period": "12s",
}


def kubelet_configuration(cell: Cell) -> dict[str, Any]:
    """What every kubelet of the cell is told; kubeadm hands it to those who join."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "cgroupfs",
        "clusterDNS": [cell.dns_address],
        "clusterDomain": cell.dns_domain,
        "containerLogMaxSize": "5Mi",
        "containerLogMaxFiles": 2,
        "enforceNodeAllocatable": [],
        # The file system is the machine's; a kubelet cannot clean it and must not evict for others' files.
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "fileCheckFrequency": "5s",
        "healthzBindAddress": "127.0.0.1",
        "imageGCHighThresholdPercent": 100,  # images are side-loaded: what is collected cannot be pulled again
        "imageGCLowThresholdPercent": 99,
        "maxPods": 110,
        "nodeLeaseDurationSeconds": 8,
        "nodeStatusUpdateFrequency": "2s",
        "podPidsLimit": -1,
        "registerNode": True,
        "resolvConf": "/etc/resolv.conf",
        "rotateCertificates": True,
        "serializeImagePulls": False,
        "staticPodPath": "/etc/kubernetes/manifests",
        "syncFrequency": "10s",
    }


def _registration(name: str, address: str, labels: dict[str, str], taints: list[dict[str, str]]) -> dict[str, Any]:
    arguments = {"node-ip": address}
    if labels:
        arguments["node-labels"] = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    return {
        "name": name,
        "criSocket": CRI_SOCKET,
        "imagePullPolicy": "IfNotPresent",
        "ignorePreflightErrors": sorted(IGNORED_CHECKS),
        "kubeletExtraArgs": _args(arguments),
        "taints": taints,
    }


def _timeouts() -> dict[str, str]:
    return {
        "controlPlaneComponentHealthCheck": "4m0s",
        "kubeletHealthCheck": "2m0s",
        "tlsBootstrap": "3m0s",
        "discovery": "3m0s",
    }


def _args(arguments: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in sorted(arguments.items())]


def _documents(*documents: dict[str, Any]) -> str:
    return yaml.safe_dump_all(documents, sort_keys=False, explicit_start=True)
