"""Hosts: machines that boot systemd and sshd, with a power switch, a console and a disk that can be reinstalled.

`ports.py` is what others may rely on; `runc_hosts.py` makes such hosts of privileged containers on this machine;
`shell.py` runs commands on a host over SSH. Owns nothing of Kubernetes: `nodes.py` lists what turns a host into one.
"""
