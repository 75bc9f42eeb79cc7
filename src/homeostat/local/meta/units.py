"""systemd units and files that make a host a Node: kubelet and kube-proxy, from binaries bound at /opt/homeostat/bin.

Units are enabled by links, so that a host that was switched off and on starts them by itself. kube-proxy has a client
certificate signed by the cell's CA; until its kubeconfig is there, its unit waits by condition.
"""

from __future__ import annotations

from typing import Any

import yaml

from homeostat.local.balancer.haproxy import MARK

BINARIES = "/opt/homeostat/bin"
PROXY_KUBECONFIG = "/etc/kubernetes/kube-proxy.conf"
PROXY_CONFIG = "/etc/kubernetes/kube-proxy.yaml"
VIP_UNIT = "homeostat-vips.service"


def kubelet_unit() -> str:
    """kubelet as kubeadm expects it: flags from its environment file, configuration from its directory."""
    return f"""[Unit]
Description=kubelet: runs the Pods of this host
After=containerd.service network.target
Wants=containerd.service
StartLimitIntervalSec=0

[Service]
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart={BINARIES}/kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \
--kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml $KUBELET_KUBEADM_ARGS
Restart=always
RestartSec=1
KillMode=process

[Install]
WantedBy=multi-user.target
"""


def proxy_unit(name: str) -> str:
    """kube-proxy, waiting until it was given its kubeconfig."""
    return f"""[Unit]
Description=kube-proxy: Services on this host
After=network.target
ConditionPathExists={PROXY_KUBECONFIG}
StartLimitIntervalSec=0

[Service]
ExecStart={BINARIES}/kube-proxy --config={PROXY_CONFIG} --hostname-override={name}
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""


def proxy_configuration(pod_range: str) -> str:
    """iptables mode, and hands off the connection tracking limits of the machine, which hosts share."""
    document: dict[str, Any] = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": PROXY_KUBECONFIG},
        "clusterCIDR": pod_range,
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "iptables": {"syncPeriod": "30s", "minSyncPeriod": "500ms"},
    }
    return yaml.safe_dump(document, sort_keys=False)


def vips_unit(pool: str) -> str:
    """The control host owns every address of the pool, whether or not somebody listens on it yet."""
    return f"""[Unit]
Description=addresses of load balancers
Before=haproxy.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/sbin/ip route replace local {pool} dev lo

[Install]
WantedBy=multi-user.target
"""


def haproxy_watch_units() -> dict[str, str]:
    """Reload HAProxy whenever the balancer says that its file is another one: a path unit and what it starts.

    The balancer leaves a mark after it wrote. Whether there is a mark is looked at again each time a reload ended, so
    one that is made at any moment of it leads to another; a change of the file itself in that moment would go unseen.
    """
    return {
        "homeostat-haproxy.path": f"""[Unit]
Description=watches for changes of HAProxy's configuration

[Path]
PathExists=/etc/haproxy/{MARK}

[Install]
WantedBy=multi-user.target
""",
        # The mark goes before the file is read, and comes back when it could not be.
        "homeostat-haproxy.service": f"""[Unit]
Description=reloads HAProxy after a change of its configuration
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/bin/sh -ec 'rm -f /etc/haproxy/{MARK}; systemctl reload-or-restart haproxy.service \
|| {{ touch /etc/haproxy/{MARK}; sleep 1; exit 1; }}'
""",
    }
