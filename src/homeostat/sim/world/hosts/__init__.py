"""A data centre: hosts with their disks, the kubelets on them, and the containers that those run."""
