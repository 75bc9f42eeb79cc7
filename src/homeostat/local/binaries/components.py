"""What is wanted: components, their programs, where their releases lie, and how they are built.

Versions here are the ones that homeostat is tested with; `engines/` pins the same ones for builds.
"""

from __future__ import annotations

import platform

from msgspec import Struct

from homeostat.local.binaries.errors import Unknown

KUBERNETES_VERSIONS = ("1.34.4", "1.35.4")
MASTER_VERSIONS = ("1.34.3",)  # patches of which there are only masters, for moves between patches of one minor
OFFERED_VERSIONS = (*KUBERNETES_VERSIONS, *MASTER_VERSIONS)
ETCD_VERSIONS = ("3.5.35", "3.6.16")  # the newest is what new clusters and the meta cluster are made of
COREDNS_VERSION = "1.14.7"
LOCAL_PATH_VERSION = "0.0.30"
HELM_VERSION = "4.3.1"

_MASTERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
_KUBERNETES_PROGRAMS = (*_MASTERS, "kubelet", "kube-proxy", "kubeadm", "kubectl")
_ASK = {"kubectl": ("version", "--client"), "kubeadm": ("version", "-o", "short")}
_STRIPPED = "-s -w -buildid="
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class Program(Struct, frozen=True):
    """One executable: its Go package, and the arguments that make it tell its version."""

    name: str
    package: str
    ask: tuple[str, ...] = ("--version",)


class File(Struct, frozen=True):
    """One file of a release, and the published file of checksums that covers it."""

    host: str  # key of `mirror.HOSTS`
    path: str
    checksums: str  # path on the same host
    members: tuple[tuple[str, str], ...] = ()  # path in the archive to program; empty: the file is the program `name`
    name: str = ""


class Space(Struct, frozen=True):
    """MiB that a cold build writes: the kept programs, Go's build cache, its module cache, its work directory.

    Go keeps what it compiles for a program in its work directory too, until that program is linked.
    """

    programs: int
    objects: int
    modules: int
    work: int


class Component(Struct, frozen=True):
    """Programs that are released, built and cached together."""

    name: str
    version: str
    programs: tuple[Program, ...]
    engine: str  # directory below engines/
    ldflags: str
    files: tuple[File, ...] = ()  # the official release; empty: there is none with binaries
    space: Space = Space(programs=64, objects=512, modules=384, work=512)

    @property
    def label(self) -> str:
        """What people and directories call it."""
        return f"{self.name}-{self.version}"

    @property
    def names(self) -> tuple[str, ...]:
        """Of its programs."""
        return tuple(program.name for program in self.programs)


def architecture() -> str:
    """Go's and the releases' word for this machine's processor."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def wanted(kubernetes_versions: tuple[str, ...], arch: str) -> tuple[Component, ...]:
    """All components of a data centre that offers these Kubernetes versions."""
    return (
        *(kubernetes(version, arch) for version in kubernetes_versions),
        *(etcd(version, arch) for version in ETCD_VERSIONS),
        coredns(COREDNS_VERSION, arch),
        local_path_provisioner(LOCAL_PATH_VERSION),
    )


def tools() -> tuple[Component, ...]:
    """What no data centre needs, but whoever tests homeostat: it is had when it is asked for by name."""
    return (helm(HELM_VERSION),)


def providing(name: str, version: str, components: tuple[Component, ...]) -> Component:
    """The newest component with a program, of a version or the beginning of one. Raises Unknown."""
    having = [one for one in components if name in one.names]
    if not having:
        known = sorted({program for one in components for program in one.names})
        raise Unknown(f"{name}: expected one of {', '.join(known)}")
    parts = version.removeprefix("v").split(".") if version else []
    fitting = [one for one in having if one.version.split(".")[: len(parts)] == parts]
    if not fitting:
        known = sorted(one.version for one in having)
        raise Unknown(f"{name}: expected version {' or '.join(known)}, or the beginning of one, found {version!r}")
    return max(fitting, key=lambda one: [int(part) for part in one.version.split(".")])


def kubernetes(version: str, arch: str) -> Component:
    """A Kubernetes version; each of its programs is released as a file of its own."""
    at = f"release/v{version}/bin/linux/{arch}"
    is_whole = version not in MASTER_VERSIONS
    names = _KUBERNETES_PROGRAMS if is_whole else _MASTERS
    files = (File("kubernetes", f"{at}/{name}", f"{at}/{name}.sha256", name=name) for name in names)
    programs = (Program(name, f"k8s.io/kubernetes/cmd/{name}", _ASK.get(name, ("--version",))) for name in names)
    return Component(
        "kubernetes",
        version,
        tuple(programs),
        f"kubernetes/{_minor(version) if is_whole else version}",
        f"{_STRIPPED} {_stamps(version)}",
        tuple(files),
        space=Space(programs=640, objects=3072, modules=1024, work=2048),
    )


def etcd(version: str, arch: str) -> Component:
    """etcd with its two tools."""
    root = f"etcd-v{version}-linux-{arch}"
    at = f"etcd-io/etcd/releases/download/v{version}"
    names = ("etcd", "etcdctl", "etcdutl")
    members = tuple((f"{root}/{name}", name) for name in names)
    return Component(
        "etcd",
        version,
        (
            Program("etcd", "go.etcd.io/etcd/server/v3"),
            Program("etcdctl", "go.etcd.io/etcd/etcdctl/v3", ("version",)),
            Program("etcdutl", "go.etcd.io/etcd/etcdutl/v3", ("version",)),
        ),
        f"etcd/{_minor(version)}",
        _STRIPPED,
        (File("github", f"{at}/{root}.tar.gz", f"{at}/SHA256SUMS", members),),
    )


def coredns(version: str, arch: str) -> Component:
    """The cluster DNS server: the release has all plugins, our own build those that clusters use."""
    archive = f"coredns_{version}_linux_{arch}.tgz"
    at = f"coredns/coredns/releases/download/v{version}"
    return Component(
        "coredns",
        version,
        (Program("coredns", f"homeostat.dev/engines/coredns/{_minor(version)}", ("-version",)),),
        f"coredns/{_minor(version)}",
        _STRIPPED,
        (File("github", f"{at}/{archive}", f"{at}/{archive}.sha256", (("coredns", "coredns"),)),),
        space=Space(programs=96, objects=1536, modules=768, work=1536),
    )


def local_path_provisioner(version: str) -> Component:
    """The provisioner of volumes; its project releases images only, so it is built."""
    name = "local-path-provisioner"
    return Component(
        name,
        version,
        (Program(name, "github.com/rancher/local-path-provisioner"),),
        f"{name}/{_minor(version)}",
        f"{_STRIPPED} -X main.VERSION=v{version}",
    )


def helm(version: str) -> Component:
    """Renders the chart of deploy/chart."""
    major = version.partition(".")[0]
    return Component(
        "helm",
        version,
        (Program("helm", f"helm.sh/helm/v{major}/cmd/helm", ("version", "--short")),),
        f"helm/{_minor(version)}",
        f"{_STRIPPED} -X helm.sh/helm/v{major}/internal/version.version=v{version}",
        space=Space(programs=64, objects=1536, modules=1024, work=1024),
    )


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _stamps(version: str) -> str:
    """What Kubernetes' own build writes into its two version packages."""
    major, minor = version.split(".")[:2]
    values = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(f"-X {package}.{key}={value}" for package in packages for key, value in values.items())
