"""Where a `Config` comes from: kubeconfig files, bytes, or a Pod's service account; `resolve` picks as kubectl does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from homeostat.kube.kubeconfig import config_of, merge, parse
from homeostat.kube.proxies import proxy_for
from homeostat.kube.target import Config, ConfigError, NoKubeconfig, Secret, TokenFile

__all__ = ["Config", "ConfigError", "Secret", "from_kubeconfig_bytes", "in_cluster", "load_kubeconfig", "resolve"]

SERVICE_ACCOUNT_DIR = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def load_kubeconfig(
    path: str | Path | None = None, context: str | None = None, *, environment: Mapping[str, str] | None = None
) -> Config:
    """The configuration of a file, of the files in $KUBECONFIG, or of ~/.kube/config. Raises ConfigError."""
    environment = os.environ if environment is None else environment
    paths = [Path(path)] if path else _default_paths(environment)
    present = [candidate for candidate in paths if candidate.is_file()]
    source = os.pathsep.join(str(candidate) for candidate in present or paths)
    if not present:
        raise NoKubeconfig(f"{source}: expected a kubeconfig file, found none")
    files = [(parse(file.read_bytes(), str(file)), file.absolute().parent) for file in present]
    return _with_environment_proxy(config_of(merge(files), context, source), environment)


def from_kubeconfig_bytes(content: bytes, context: str | None = None, *, source: str = "kubeconfig") -> Config:
    """The configuration of a kubeconfig held in memory, such as in a Secret object."""
    return config_of(merge([(parse(content, source), Path())]), context, source)


def resolve(
    kubeconfig: str | Path | None = None,
    context: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
) -> Config:
    """What kubectl would use: a named file, else $KUBECONFIG or ~/.kube/config, else the Pod's service account."""
    environment = os.environ if environment is None else environment
    if kubeconfig or context or any(path.is_file() for path in _default_paths(environment)):
        return load_kubeconfig(kubeconfig, context, environment=environment)
    if environment.get("KUBERNETES_SERVICE_HOST"):
        return in_cluster(environment)
    return load_kubeconfig(None, environment=environment)  # raises, and says where it looked


def _default_paths(environment: Mapping[str, str]) -> list[Path]:
    if listed := [Path(part) for part in environment.get("KUBECONFIG", "").split(os.pathsep) if part]:
        return listed
    return [Path(environment.get("HOME") or Path.home()) / ".kube" / "config"]


def in_cluster(environment: Mapping[str, str] | None = None, directory: Path = SERVICE_ACCOUNT_DIR) -> Config:
    """The configuration of a Pod's own service account. Raises ConfigError outside of a Pod."""
    environment = os.environ if environment is None else environment
    host, port = environment.get("KUBERNETES_SERVICE_HOST", ""), environment.get("KUBERNETES_SERVICE_PORT", "")
    if not host or not port:
        raise ConfigError("KUBERNETES_SERVICE_HOST and _PORT: expected both, as every Pod has them; are we in a Pod?")
    token, ca, namespace = directory / "token", directory / "ca.crt", directory / "namespace"
    if not token.is_file():
        raise ConfigError(
            f"{token}: expected a service account token, found none; is automountServiceAccountToken off?"
        )
    return Config(
        server=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        ca=ca.read_bytes() if ca.is_file() else b"",
        credential=TokenFile(str(token)),
        namespace=namespace.read_text().strip() if namespace.is_file() else "default",
        context="in-cluster",
    )


def _with_environment_proxy(config: Config, environment: Mapping[str, str]) -> Config:
    """The configuration with HTTPS_PROXY and NO_PROXY of the environment applied, where it names no proxy itself."""
    if config.proxy:
        return config
    url = proxy_for(config.server, environment)
    return msgspec.structs.replace(config, proxy=Secret(url)) if url else config
