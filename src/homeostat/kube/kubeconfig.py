"""Kubeconfig files: read, merged as kubectl merges them, and turned into a `Config`.

Of several files in KUBECONFIG the first that sets a value or names an entry wins; relative paths are relative to the
file that holds them; files that do not exist are passed over, unless one was asked for by name.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from homeostat.kube.target import (
    Anonymous,
    Config,
    ConfigError,
    Credential,
    ExecPlugin,
    Impersonation,
    Password,
    Secret,
    StaticToken,
    TokenFile,
)

T = TypeVar("T")


class ClusterEntry(Struct, rename="kebab"):
    """`clusters[].cluster`."""

    server: str = ""
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    insecure_skip_tls_verify: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""
    disable_compression: bool | None = None


class ExecEnv(Struct):
    """One variable of an exec plugin."""

    name: str
    value: str = ""

    def __repr__(self) -> str:
        return f"ExecEnv({self.name})"


class ExecEntry(Struct, rename="camel"):
    """`users[].user.exec`."""

    command: str
    api_version: str = "client.authentication.k8s.io/v1"
    args: list[str] | None = None
    env: list[ExecEnv] | None = None
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = ""


class UserEntry(
    Struct,
    rename={
        "client_certificate": "client-certificate",
        "client_certificate_data": "client-certificate-data",
        "client_key": "client-key",
        "client_key_data": "client-key-data",
        "token_file": "tokenFile",
        "as_user": "as",
        "as_uid": "as-uid",
        "as_groups": "as-groups",
        "auth_provider": "auth-provider",
    },
):
    """`users[].user`."""

    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    token: str = ""
    token_file: str = ""
    username: str = ""
    password: str = ""
    as_user: str = ""
    as_uid: str = ""
    as_groups: list[str] | None = None
    auth_provider: dict[str, Any] | None = None
    exec: ExecEntry | None = None

    def __repr__(self) -> str:
        return "UserEntry(<hidden>)"


class ContextEntry(Struct):
    """`contexts[].context`."""

    cluster: str = ""
    user: str = ""
    namespace: str = ""


class NamedCluster(Struct):
    """`clusters[]`."""

    name: str
    cluster: ClusterEntry


class NamedUser(Struct):
    """`users[]`."""

    name: str
    user: UserEntry | None = None


class NamedContext(Struct):
    """`contexts[]`."""

    name: str
    context: ContextEntry


class File(Struct, rename={"current_context": "current-context"}):
    """One kubeconfig file, as it is written."""

    current_context: str = ""
    clusters: list[NamedCluster] | None = None
    users: list[NamedUser] | None = None
    contexts: list[NamedContext] | None = None


class Merged(Struct):
    """Several files as one; entries hold absolute paths."""

    current_context: str = ""
    clusters: dict[str, ClusterEntry] = {}
    users: dict[str, UserEntry] = {}
    contexts: dict[str, ContextEntry] = {}


def parse(content: bytes, source: str) -> File:
    """One file's content. Raises ConfigError that names the field which does not fit."""
    import yaml  # here, because it is slow to import and most processes read one file or none

    try:
        data = yaml.safe_load(content)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""  # not the error itself: it quotes the file
        raise ConfigError(f"{source}{where}: expected YAML, found something else") from None
    try:
        return msgspec.convert(data if data is not None else {}, File)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{source}: {error}") from error


def merge(files: Iterable[tuple[File, Path]]) -> Merged:
    """Files, each with the directory that its relative paths start from, as one; the first to say something wins."""
    merged = Merged()
    for file, directory in files:
        merged.current_context = merged.current_context or file.current_context
        for cluster in file.clusters or ():
            merged.clusters.setdefault(cluster.name, _cluster_at(cluster.cluster, directory))
        for user in file.users or ():
            merged.users.setdefault(user.name, _user_at(user.user or UserEntry(), directory))
        for context in file.contexts or ():
            merged.contexts.setdefault(context.name, context.context)
    return merged


def config_of(merged: Merged, context: str | None, source: str) -> Config:
    """The configuration of one context, by default the current one. Raises ConfigError."""
    name = context or merged.current_context
    if not name:
        known = ", ".join(sorted(merged.contexts)) or "none"
        raise ConfigError(f"{source}: expected current-context or a context to use, found neither (contexts: {known})")
    chosen = _entry(merged.contexts, name, "context", source)
    cluster = _entry(merged.clusters, chosen.cluster, "cluster", source)
    user = _entry(merged.users, chosen.user, "user", source) if chosen.user else UserEntry()
    return Config(
        server=cluster.server.rstrip("/"),
        ca=_material(
            cluster.certificate_authority_data, cluster.certificate_authority, "certificate-authority", source
        ),
        client_certificate=_material(
            user.client_certificate_data, user.client_certificate, "client-certificate", source
        ),
        client_key=Secret(_material(user.client_key_data, user.client_key, "client-key", source)),
        credential=_credential(user, source),
        impersonation=Impersonation(user=user.as_user, uid=user.as_uid, groups=tuple(user.as_groups or ())),
        proxy=Secret(cluster.proxy_url),
        tls_server_name=cluster.tls_server_name,
        insecure=cluster.insecure_skip_tls_verify,
        compression=cluster.disable_compression is False,
        namespace=chosen.namespace or "default",
        context=name,
    )


def _entry(entries: Mapping[str, T], name: str, role: str, source: str) -> T:
    if name not in entries:
        known = ", ".join(sorted(entries)) or "none"
        raise ConfigError(f"{source}: expected a {role} named {name!r}, found {known}")
    return entries[name]


def _cluster_at(entry: ClusterEntry, directory: Path) -> ClusterEntry:
    return msgspec.structs.replace(entry, certificate_authority=_absolute(entry.certificate_authority, directory))


def _user_at(entry: UserEntry, directory: Path) -> UserEntry:
    plugin = entry.exec
    if plugin and "/" in plugin.command:
        plugin = msgspec.structs.replace(plugin, command=_absolute(plugin.command, directory))
    return msgspec.structs.replace(
        entry,
        client_certificate=_absolute(entry.client_certificate, directory),
        client_key=_absolute(entry.client_key, directory),
        token_file=_absolute(entry.token_file, directory),
        exec=plugin,
    )


def _absolute(path: str, directory: Path) -> str:
    return str(directory / path) if path else ""


def _material(data: str, path: str, what: str, source: str) -> bytes:
    """Certificates and keys as bytes; data in the file wins over a path, as in kubectl."""
    if data:
        try:
            return base64.b64decode(data, validate=False)
        except (binascii.Error, ValueError):
            raise ConfigError(f"{source}: {what}-data: expected base64, found something else") from None
    if not path:
        return b""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{source}: {what}: cannot read {path}: {error.strerror}") from error


def _credential(user: UserEntry, source: str) -> Credential:
    """What kubectl takes when several are given: a token file over a token over a password; a plugin stands alone."""
    if user.auth_provider is not None:
        name = user.auth_provider.get("name", "")
        raise ConfigError(
            f"{source}: auth-provider {name!r}: kubectl dropped these in 1.26; use an exec plugin instead"
        )
    if user.token_file:
        return TokenFile(user.token_file)
    if user.token:
        return StaticToken(Secret(user.token))
    if user.username:
        return Password(user.username, Secret(user.password))
    return _plugin(user.exec) if user.exec else Anonymous()


def _plugin(entry: ExecEntry) -> ExecPlugin:
    return ExecPlugin(
        command=entry.command,
        args=tuple(entry.args or ()),
        env=tuple((variable.name, Secret(variable.value)) for variable in entry.env or ()),
        api_version=entry.api_version,
        install_hint=entry.install_hint,
        provide_cluster_info=entry.provide_cluster_info,
        interactive=entry.interactive_mode == "Always",
    )
