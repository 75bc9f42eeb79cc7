"""The meta cluster: what kubeadm, kubelets, kube-proxies and add-ons are told, and in what order they come up.

Configuration is made by pure functions (`kubeadm`, `kubelet`, `proxy`, `coredns`, `storage`, `balancer`); `forming`
carries it to hosts over SSH and asks the world whether it is there yet. Nothing else knows how the cell was made.
"""
