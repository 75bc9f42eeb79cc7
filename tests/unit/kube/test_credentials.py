"""Credentials that change while we run."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from tests.support.scripted import HastyClock

from homeostat.kube.config import Config, Secret
from homeostat.kube.credentials import TOKEN_FILE_PERIOD_S, Credentials, credentials_of
from homeostat.kube.errors import BadCredentials
from homeostat.kube.target import Credential, ExecPlugin, Password, StaticToken, TokenFile

API = "client.authentication.k8s.io/v1"


def source(credential: Credential, clock: HastyClock | None = None) -> Credentials:
    return credentials_of(Config(server="https://api", credential=credential), clock or HastyClock(haste=1))


async def header(credentials: Credentials) -> str:
    return (await credentials.current()).authorization.text


def plugin(place: Path, status: object, script: str = "", **options: str) -> ExecPlugin:
    """A plugin that counts its runs in a file and prints an ExecCredential."""
    answer = msgspec.json.encode({"apiVersion": API, "kind": "ExecCredential", "status": status}).decode()
    run = f"echo run >> {place}/runs; {script or f'cat <<END{chr(10)}{answer}{chr(10)}END'}"
    return ExecPlugin(command="/bin/sh", args=("-c", run), **options)  # type: ignore[arg-type]


def runs(place: Path) -> int:
    return len((place / "runs").read_text().splitlines())


async def test_a_rotated_token_file_is_read_again_after_a_while(tmp_path: Path) -> None:
    file, clock = tmp_path / "token", HastyClock()
    file.write_text("one\n")
    credentials = source(TokenFile(str(file)), clock)
    assert await header(credentials) == "Bearer one"
    file.write_text("two")
    assert await header(credentials) == "Bearer one"
    clock.advance(TOKEN_FILE_PERIOD_S)
    assert await header(credentials) == "Bearer two"


async def test_a_refused_token_is_read_again_at_once_and_reused_only_if_it_changed(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    credentials = source(TokenFile(str(file)))
    refused = await credentials.current()
    assert not credentials.forget(refused)
    file.write_text("two")
    assert credentials.forget(refused)
    assert await header(credentials) == "Bearer two"


async def test_a_token_file_that_vanishes_during_rotation_is_bridged(tmp_path: Path) -> None:
    file, clock = tmp_path / "token", HastyClock()
    file.write_text("one")
    credentials = source(TokenFile(str(file)), clock)
    await credentials.current()
    file.unlink()
    clock.advance(TOKEN_FILE_PERIOD_S)
    assert await header(credentials) == "Bearer one"


@pytest.mark.parametrize(("text", "message"), [(None, "No such file"), ("\n", "found an empty file")])
async def test_a_token_file_without_token_is_an_error(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "token").write_text(text)
    with pytest.raises(BadCredentials, match=message):
        await source(TokenFile(str(tmp_path / "token"))).current()


async def test_fixed_credentials_are_not_tried_twice() -> None:
    credentials = source(StaticToken(Secret("t")))
    assert not credentials.forget(await credentials.current())
    assert await header(source(Password("me", Secret("pw")))) == "Basic bWU6cHc="


async def test_a_plugin_runs_once_for_many_requests_and_again_when_its_token_expires(tmp_path: Path) -> None:
    clock = HastyClock(haste=1)
    expires = (clock.now() + timedelta(seconds=60)).isoformat()
    credentials = source(plugin(tmp_path, {"token": "t", "expirationTimestamp": expires}), clock)
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(credentials.current())
    assert runs(tmp_path) == 1
    clock.advance(56)
    assert await header(credentials) == "Bearer t"
    assert runs(tmp_path) == 2


async def test_a_refused_plugin_token_is_renewed_once_however_many_requests_were_refused(tmp_path: Path) -> None:
    credentials = source(plugin(tmp_path, {"token": "t"}))
    refused = await credentials.current()
    assert credentials.forget(refused)
    assert credentials.forget(refused)
    await credentials.current()
    assert runs(tmp_path) == 2


async def test_a_plugin_may_give_a_certificate(tmp_path: Path) -> None:
    identity = await source(plugin(tmp_path, {"clientCertificateData": "cert", "clientKeyData": "s3cret"})).current()
    assert (identity.certificate, identity.key.data) == (b"cert", b"s3cret")
    assert "s3cret" not in repr(identity)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo no login >&2; exit 3", "exit code 3: no login"),
        ("echo s3cret", "expected an ExecCredential as JSON"),
        ('echo \'{"apiVersion": "old", "status": {"token": "s3cret"}}\'', "expected .*/v1, found 'old'"),
        (f'echo \'{{"apiVersion": "{API}"}}\'', "found neither"),
        (f'echo \'{{"apiVersion": "{API}", "status": {{"clientCertificateData": "c"}}}}\'', "found one of them"),
    ],
)
async def test_a_failing_plugin_says_how_without_quoting_secrets(tmp_path: Path, script: str, message: str) -> None:
    with pytest.raises(BadCredentials, match=message) as caught:
        await source(plugin(tmp_path, {}, script)).current()
    assert "s3cret" not in str(caught.value)


async def test_a_missing_plugin_gives_its_hint() -> None:
    with pytest.raises(BadCredentials, match="No such file or directory; get it from the shop"):
        await source(ExecPlugin(command="/no/such/plugin", install_hint="get it from the shop")).current()


async def test_a_plugin_that_needs_a_person_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadCredentials, match="no terminal"):
        await source(ExecPlugin(command="/bin/true", interactive=True)).current()


async def test_a_plugin_that_hangs_is_ended(tmp_path: Path) -> None:
    with pytest.raises(BadCredentials, match="no answer within 120 s"):
        await source(plugin(tmp_path, {}, "exec sleep 1000"), HastyClock()).current()


async def test_a_plugin_learns_about_the_cluster(tmp_path: Path) -> None:
    script = f'printf "%s" "$KUBERNETES_EXEC_INFO" > {tmp_path}/info; exit 1'
    with pytest.raises(BadCredentials):
        await source(plugin(tmp_path, {}, script, provide_cluster_info=True)).current()  # type: ignore[arg-type]
    info = msgspec.json.decode((tmp_path / "info").read_bytes())
    assert info["spec"] == {"interactive": False, "cluster": {"server": "https://api"}}
