"""Kubelets: one on each host, that speaks for it and runs the Pods that are bound to it.

| module | what is decided there |
|---|---|
| `kubelets` | which host hears of which Pod; one watch for all hosts of a cell |
| `kubelet` | one host: its Node and Lease, and which Pods live on it |
| `pod` | the life of one Pod, from its volumes to the deletion of its object |
| `container` | the life of one container in it: image, start, probes, ends and restarts |
| `probing`, `backoff` | pure: when probes find out, when to try again |
| `statuses`, `variables`, `node` | pure: what is told of Pods and hosts, what programs are given |
| `sources`, `mounts` | Secrets, ConfigMaps and volumes as files and disks |
| `spec` | what a kubelet reads of a Pod |

What is known of real kubelets comes from the documentation of Kubernetes (Pod lifecycle, Configure probes, Node status,
Images, Volumes, Debug running Pods), and from what was seen of them in the real data centre of `homeostat.local`.
"""
