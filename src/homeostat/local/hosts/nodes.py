"""What makes a bare host able to run Pods: configuration of containerd and of the network of its Pods, as files."""

from __future__ import annotations

import json

from homeostat.local.hosts.ports import File
from homeostat.local.plan import Place

PAUSE_IMAGE = "homeostat.local/pause:3.10.1"

# Without restrict_oom_score_adj sandboxes die where the machine withholds CAP_SYS_RESOURCE.
_CONTAINERD = f"""version = 2
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "{PAUSE_IMAGE}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
"""


def node_files(place: Place) -> tuple[File, ...]:
    """containerd's configuration, and Pods on a bridge with the host's own /24, routed and not masqueraded."""
    network = {
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": True,
                "ipMasq": False,  # etcd's peer TLS looks at the remote address
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": place.pod_cidr}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
    return (
        File("/etc/containerd/config.toml", _CONTAINERD),
        File("/etc/cni/net.d/10-pods.conflist", json.dumps(network, indent=2) + "\n"),
    )
