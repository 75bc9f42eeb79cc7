"""kube-apiserver: a container that checks what it was given, and serves what the quorum of its etcd holds."""
