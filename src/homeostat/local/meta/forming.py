"""Forming the cell: files and commands on hosts, over SSH, each of them safe to repeat.

kubeadm runs as a transient systemd unit, so that two attempts cannot overlap and a cut connection leaves nothing that
we cannot stop. A marker beside its work says that it ended well; work without the marker is a killed attempt, and is
reset before the next. The marker lies on the host, so a reinstalled host forms or joins anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import shlex
import tarfile
from collections.abc import Mapping
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from homeostat.api.core import NODE
from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.local.meta.units import BINARIES, PROXY_KUBECONFIG

DIRECTORY = "/etc/homeostat"
KUBEADM_FILE = f"{DIRECTORY}/kubeadm.yaml"
MARKER = "/etc/kubernetes/formed-by-homeostat"
_PATH = f"{BINARIES}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Answer(Protocol):
    """What a command on a host answered."""

    @property
    def stdout(self) -> str:
        """Its standard output."""
        ...


class Host(Protocol):
    """Runs commands on one host as root."""

    async def run(
        self,
        command: str,
        *,
        timeout_s: float = ...,
        input: bytes | None = None,  # noqa: A002  (as subprocess.run names it)
        check: bool = True,
    ) -> Answer:
        """Run a shell command; with `check` a failure raises."""
        ...


def archive(files: Mapping[str, str | bytes], modes: Mapping[str, int] | None = None) -> bytes:
    """Files by absolute path as a tar, the same bytes for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in sorted(files.items()):
            body = content.encode() if isinstance(content, str) else content
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size = len(body)
            entry.mode = (modes or {}).get(path, 0o644)
            tar.addfile(entry, io.BytesIO(body))
    return buffer.getvalue()


async def lay_down(host: Host, name: str, files: Mapping[str, str | bytes], then: str) -> None:
    """Put files on a host and run a command after it, unless the very same was done on this installation before."""
    body = archive(files, {path: 0o600 for path in files if path.endswith((".conf", "kubeadm.yaml"))})
    digest = hashlib.sha256(body + then.encode()).hexdigest()
    mark = f"{DIRECTORY}/laid-down.{name}"
    known = await host.run(f"cat {mark} 2>/dev/null || true", timeout_s=20)
    if known.stdout.strip() == digest:
        return
    script = f"mkdir -p {DIRECTORY} && tar -xf - -C / --no-same-owner && ( {then} ) && echo {digest} > {mark}"
    await host.run(script, timeout_s=90, input=body)


async def initialise(control: Host, configuration: str) -> None:
    """`kubeadm init`, once for the life of the host's installation."""
    await lay_down(control, "kubeadm", {KUBEADM_FILE: configuration}, "true")
    await control.run(_kubeadm(f"init --config {KUBEADM_FILE}", before=""), timeout_s=420)


async def join(host: Host, configuration: str) -> None:
    """`kubeadm join`, once for the life of the host's installation."""
    await lay_down(host, "kubeadm", {KUBEADM_FILE: configuration}, "true")
    await host.run(_kubeadm(f"join --config {KUBEADM_FILE}", before=""), timeout_s=420)


async def is_formed(host: Host) -> bool:
    """Whether this host's installation has formed or joined the cell."""
    return (await host.run(f"test -e {MARKER} && echo yes || true", timeout_s=20)).stdout.strip() == "yes"


async def admin_kubeconfig(control: Host) -> bytes:
    """The cell's administrator, as kubeadm made it."""
    return (await control.run("cat /etc/kubernetes/admin.conf", timeout_s=20)).stdout.encode()


async def ca_hash(control: Host) -> str:
    """The pin of the cell's CA: `sha256:` of its public key, for those who join."""
    return hash_of_ca((await control.run("cat /etc/kubernetes/pki/ca.crt", timeout_s=20)).stdout.encode())


def hash_of_ca(certificate: bytes) -> str:
    """`sha256:` and the digest of a certificate's public key (SubjectPublicKeyInfo, as kubeadm wants it)."""
    key = x509.load_pem_x509_certificate(certificate).public_key()
    return "sha256:" + hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


async def proxy_kubeconfig(control: Host) -> str:
    """The identity of kube-proxies, signed once on the control host and then the same for all."""
    path = f"{DIRECTORY}/kube-proxy.conf"
    command = (
        f"test -s {path} || ( umask 077; {BINARIES}/kubeadm kubeconfig user --client-name system:kube-proxy"
        f" --config {KUBEADM_FILE} > {path}.new 2>/dev/null && mv {path}.new {path} ); cat {path}"
    )
    return (await control.run(command, timeout_s=60)).stdout


async def start_proxy(host: Host, kubeconfig: str) -> None:
    """Give kube-proxy its identity and start it."""
    then = "systemctl restart kube-proxy.service"
    await lay_down(host, "kube-proxy", {PROXY_KUBECONFIG: kubeconfig}, then)


def _kubeadm(arguments: str, *, before: str) -> str:
    unit = "homeostat-kubeadm"
    log = "/var/log/kubeadm.log"
    inner = shlex.quote(f"exec {BINARIES}/kubeadm {arguments} >>{log} 2>&1")
    return f"""set -e
test -e {MARKER} && exit 0
systemctl stop {unit}.service 2>/dev/null || true
systemctl reset-failed {unit}.service 2>/dev/null || true
if [ -e /etc/kubernetes/kubelet.conf ] || [ -e /etc/kubernetes/pki ] || [ -e /var/lib/kubelet/config.yaml ]; then
  PATH={_PATH} timeout 90 {BINARIES}/kubeadm reset --force >>{log} 2>&1 || true
  rm -rf /etc/kubernetes/manifests /etc/kubernetes/pki /etc/kubernetes/*.conf /var/lib/kubelet/config.yaml
  find /var/lib/etcd -mindepth 1 -delete 2>/dev/null || true
fi
{before}
systemd-run --quiet --wait --collect --unit={unit} -E PATH={_PATH} /bin/sh -c {inner} || {{
  code=$?; echo "kubeadm failed; the end of {log}:" >&2; tail -n 25 {log} >&2; exit $code
}}
mkdir -p /etc/kubernetes/manifests && touch {MARKER} && sync -f {MARKER}
"""


async def forget_node(client: Client, name: str) -> None:
    """Delete the Node that an earlier installation of a host registered: kubeadm refuses to join over a Ready one."""
    with contextlib.suppress(NotFound):  # a first join has none
        await client.delete(NODE, name)
