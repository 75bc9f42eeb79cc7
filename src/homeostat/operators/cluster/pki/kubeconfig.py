"""The kubeconfigs of a cluster: written in one form, and read back in no other.

Whoever may write Secrets in the namespace can put any kubeconfig there, also one that runs a command, reads a file of
the operator or sends the operator's own token to a foreign server. So what is read holds a server, its authority and a
client certificate as data, or it is damaged.
"""

from __future__ import annotations

from base64 import b64decode, b64encode

import msgspec
import yaml
from msgspec import Struct

from homeostat.kit.pki.authority import Damaged
from homeostat.kube.target import Config, ConfigError, Secret
from homeostat.operators.cluster.names import KUBECONFIG_KEY
from homeostat.operators.cluster.pki.documents import as_yaml

_OTHER_FORM = f"{KUBECONFIG_KEY} is not in the form that it was written in"
_LONGEST = 10_000  # ours have 3,000 bytes
# Every probe reads one, and libyaml is twelve times as fast as PyYAML's own reader.
_READER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What nests or repeats: a reader makes seconds of work of it, or a stack that is too deep. One `[` is in an address.
_NEVER = (b"- -", b"? ", b"{", b"&", b"*")


class _Strict(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Nothing but its fields."""


class _Server(_Strict, frozen=True):
    server: str
    certificate_authority_data: str


class _NamedServer(_Strict, frozen=True):
    name: str
    cluster: _Server


class _User(_Strict, frozen=True):
    client_certificate_data: str
    client_key_data: str


class _NamedUser(_Strict, frozen=True):
    name: str
    user: _User


class _Pair(_Strict, frozen=True):
    cluster: str
    user: str


class _NamedPair(_Strict, frozen=True):
    name: str
    context: _Pair


class _Document(_Strict, frozen=True):
    api_version: str = msgspec.field(name="apiVersion")
    kind: str
    clusters: tuple[_NamedServer]
    users: tuple[_NamedUser]
    contexts: tuple[_NamedPair]
    current_context: str


def write_kubeconfig(server: str, user: str, *, ca: bytes, certificate: bytes, key: bytes) -> bytes:
    """A kubeconfig of one user of one cluster."""
    document = _Document(
        api_version="v1",
        kind="Config",
        clusters=(_NamedServer("cluster", _Server(server, _text(ca))),),
        users=(_NamedUser(user, _User(_text(certificate), _text(key))),),
        contexts=(_NamedPair("cluster", _Pair("cluster", user)),),
        current_context="cluster",
    )
    return as_yaml(msgspec.to_builtins(document))


def read_kubeconfig(content: bytes) -> Config:
    """What `write_kubeconfig` wrote. Raises Damaged for anything else."""
    if len(content) > _LONGEST:
        raise Damaged(f"{KUBECONFIG_KEY} has {len(content)} bytes, more than {_LONGEST}")
    if content.count(b"[") > 1 or any(each in content for each in _NEVER):
        raise Damaged(_OTHER_FORM)
    try:
        document = msgspec.convert(yaml.load(content, _READER), _Document)  # noqa: S506  (a safe one)
        server, user = document.clusters[0].cluster, document.users[0].user
        return Config(
            server=server.server,
            ca=b64decode(server.certificate_authority_data, validate=True),
            client_certificate=b64decode(user.client_certificate_data, validate=True),
            client_key=Secret(b64decode(user.client_key_data, validate=True)),
        )
    except (yaml.YAMLError, msgspec.ValidationError, ConfigError, ValueError, RecursionError) as error:
        raise Damaged(_OTHER_FORM) from error


def _text(content: bytes) -> str:
    return b64encode(content).decode()
