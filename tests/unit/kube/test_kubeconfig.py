"""Kubeconfig files: merging, credentials, and errors that say where."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from homeostat.kube.config import Config, ConfigError, from_kubeconfig_bytes, in_cluster, load_kubeconfig, resolve
from homeostat.kube.kubeconfig import ClusterEntry, ContextEntry, File, NamedCluster, NamedContext, merge
from homeostat.kube.target import ExecPlugin, NoKubeconfig, Secret, StaticToken, TokenFile


def content(
    user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None, current: str = "c", **top: Any
) -> bytes:
    data = {
        "current-context": current,
        "clusters": [{"name": "k", "cluster": {"server": "https://api:6443", **(cluster or {})}}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "shop"}}],
        **top,
    }
    return yaml.safe_dump(data).encode()


names = st.sampled_from(["a", "b", "c"])
files = st.builds(
    lambda current, clusters, contexts: File(
        current_context=current,
        clusters=[NamedCluster(name, ClusterEntry(server=f"https://{server}")) for name, server in clusters],
        contexts=[NamedContext(name, ContextEntry(cluster=cluster)) for name, cluster in contexts],
    ),
    st.sampled_from(["", "a", "b"]),
    st.lists(st.tuples(names, st.sampled_from(["one", "two", "three"])), max_size=3),
    st.lists(st.tuples(names, names), max_size=3),
)


@given(st.lists(files, max_size=4))
def test_the_first_file_that_says_something_wins(several: list[File]) -> None:
    merged = merge([(file, Path("/d")) for file in several])
    said = [file.current_context for file in several if file.current_context]
    assert merged.current_context == (said[0] if said else "")
    for name, entry in merged.clusters.items():
        first = next(one for file in several for one in file.clusters or () if one.name == name)
        assert entry.server == first.cluster.server
    assert set(merged.clusters) == {one.name for file in several for one in file.clusters or ()}
    assert set(merged.contexts) == {one.name for file in several for one in file.contexts or ()}


@given(files)
def test_merging_a_file_with_itself_changes_nothing(file: File) -> None:
    assert merge([(file, Path("/d"))] * 2) == merge([(file, Path("/d"))])


def test_relative_paths_start_from_the_file_that_holds_them(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("authority")
    (tmp_path / "one").write_bytes(content({"tokenFile": "token"}, {"certificate-authority": "ca.crt"}))
    config = load_kubeconfig(tmp_path / "one", environment={})
    assert config.ca == b"authority"
    assert config.credential == TokenFile(str(tmp_path / "token"))


def test_several_files_are_joined_and_missing_ones_passed_over(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(yaml.safe_dump({"current-context": "c"}).encode())
    (tmp_path / "two").write_bytes(content({"token": "t"}))
    environment = {"KUBECONFIG": f"{tmp_path}/none::{tmp_path}/one:{tmp_path}/two"}
    config = load_kubeconfig(environment=environment)
    assert (config.server, config.namespace, config.credential) == (
        "https://api:6443",
        "shop",
        StaticToken(Secret("t")),
    )


def test_data_in_the_file_wins_over_paths() -> None:
    data = base64.b64encode(b"pem").decode()
    user = {"client-certificate-data": data, "client-certificate": "/no/such", "client-key-data": data}
    config = from_kubeconfig_bytes(content(user))
    assert (config.client_certificate, config.client_key.data) == (b"pem", b"pem")


def test_connection_settings_are_taken_over() -> None:
    cluster = {"tls-server-name": "name", "proxy-url": "http://me:pw@proxy:3128", "insecure-skip-tls-verify": True}
    config = from_kubeconfig_bytes(content({"as": "jane", "as-groups": ["dev"]}, cluster))
    assert (config.tls_server_name, config.insecure, config.proxy.text) == ("name", True, "http://me:pw@proxy:3128")
    assert (config.impersonation.user, config.impersonation.groups) == ("jane", ("dev",))


def test_an_exec_plugin_is_read_whole() -> None:
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "login",
        "args": ["--me"],
        "env": [{"name": "KEY", "value": "s3cret"}],
        "interactiveMode": "Never",
        "provideClusterInfo": True,
    }
    credential = from_kubeconfig_bytes(content({"exec": plugin})).credential
    assert credential == ExecPlugin(
        command="login", args=("--me",), env=(("KEY", Secret("s3cret")),), provide_cluster_info=True
    )


def test_no_secret_shows_in_any_representation() -> None:
    key = base64.b64encode(b"s3cret").decode()
    for user in (
        {"token": "s3cret"},
        {"username": "me", "password": "s3cret"},
        {"client-key-data": key, "client-certificate-data": key},
        {"exec": {"command": "x", "env": [{"name": "KEY", "value": "s3cret"}]}},
    ):
        config = from_kubeconfig_bytes(content(user, {"proxy-url": "http://me:s3cret@proxy"}))
        told = f"{config!r} {config} {config.credential!r} {config.client_key!r} {config.proxy}"
        assert "s3cret" not in told
        assert key not in told


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"a: [", "kubeconfig.*expected YAML"),
        (b"clusters: 3", r"kubeconfig: Expected `array \| null`, got `int` - at `\$\.clusters`"),
        (b"{}", "expected current-context or a context to use, found neither"),
        (content(current="x"), "expected a context named 'x', found c"),
        (content(clusters=[]), "expected a cluster named 'k', found none"),
        (content({"auth-provider": {"name": "gcp"}}), "auth-provider 'gcp'.*use an exec plugin"),
        (content({"client-key-data": "***a"}), "client-key-data: expected base64"),
        (content({"client-key": "/no/such/key"}), "client-key: cannot read /no/such/key: No such file"),
        (content(cluster={"server": "api:6443"}), "server: expected https://host:port"),
        (content(cluster={"server": "https://me:pw@api"}), r"expected no user or password in 'https://api'"),
    ],
)
def test_a_bad_file_says_where_and_what(raw: bytes, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_kubeconfig_bytes(raw)


def test_yaml_errors_do_not_quote_the_file() -> None:
    with pytest.raises(ConfigError) as caught:
        from_kubeconfig_bytes(b"users:\n- token: 's3cret\n")
    assert "s3cret" not in str(caught.value)


def test_a_missing_file_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(NoKubeconfig, match=f"{tmp_path}/none: expected a kubeconfig file, found none"):
        load_kubeconfig(tmp_path / "none", environment={})


def test_a_pod_finds_its_service_account(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    (tmp_path / "ca.crt").write_text("authority")
    (tmp_path / "namespace").write_text("shop\n")
    environment = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    config = in_cluster(environment, tmp_path)
    assert (config.server, config.namespace) == ("https://[fd00::1]:443", "shop")
    assert config.credential == TokenFile(str(tmp_path / "token"))


def test_outside_of_a_pod_in_cluster_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="are we in a Pod"):
        in_cluster({}, tmp_path)


def test_resolve_prefers_files_over_the_service_account(tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_bytes(content())
    environment = {"HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    assert resolve(environment=environment).server == "https://api:6443"


def test_resolve_without_anything_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.kube/config: expected a kubeconfig file"):
        resolve(environment={"HOME": str(tmp_path)})


def test_the_environments_proxy_is_used_unless_the_file_names_one(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(content())
    environment = {"HTTPS_PROXY": "proxy:3128"}
    assert load_kubeconfig(tmp_path / "one", environment=environment).proxy.text == "http://proxy:3128"
    assert not load_kubeconfig(tmp_path / "one", environment=environment | {"NO_PROXY": "api"}).proxy


def test_half_a_client_certificate_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected both or none"):
        Config(server="https://a", client_key=Secret("key"))


def test_configurations_are_values() -> None:
    assert from_kubeconfig_bytes(content()) == from_kubeconfig_bytes(content())
    assert msgspec.structs.replace(from_kubeconfig_bytes(content()), namespace="x").namespace == "x"
