"""Commands and files on a host over SSH."""

from __future__ import annotations

import pytest
from tests.contract.hosts.conftest import booted
from tests.support.rack import Rack

from homeostat.local.hosts.ports import HostSpec
from homeostat.local.hosts.shell import MAX_OUTPUT, CommandFailed, HostUnreachable, ShellError, TimedOut

pytestmark = pytest.mark.real


async def test_commands_files_and_their_failures_are_told(rack: Rack, spec: HostSpec) -> None:
    async with booted(rack, spec) as shell:
        done = await shell.run("cat; echo said >&2; exit 3", input=b"given", check=False)
        assert (done.code, done.stdout, done.stderr) == (3, "given", "said\n")
        with pytest.raises(CommandFailed, match=f"host {spec.name}: `false` ended with code 1"):
            await shell.run("false")
        with pytest.raises(TimedOut, match=r"did not end within 0\.5 s"):
            await shell.run("sleep 100", timeout_s=0.5)
        # Nothing of it goes on for long, although sshd forwards no signals to what root runs.
        await shell.run("for _ in $(seq 50); do pgrep -x sleep >/dev/null || exit 0; read -t 0.1 <> <(:); done; exit 1")

        content = bytes(range(256)) * 4000
        await shell.put("/root/a dir/o'file", content, mode=0o600)
        assert await shell.get("/root/a dir/o'file") == content
        assert (await shell.run('stat -c %a "/root/a dir/o\'file"')).stdout == "600\n"
        with pytest.raises(CommandFailed, match="/nowhere"):
            await shell.get("/nowhere")


async def test_output_is_bounded(rack: Rack, spec: HostSpec) -> None:
    async with booted(rack, spec) as shell:
        done = await shell.run(f"head -c {MAX_OUTPUT * 2} /dev/zero")
        assert len(done.stdout) == MAX_OUTPUT
        await shell.run(f"head -c {MAX_OUTPUT + 1} /dev/zero > /root/large")
        with pytest.raises(ShellError, match="at most"):
            await shell.get("/root/large")


async def test_a_host_that_dies_in_the_middle_is_unreachable_and_nothing_hangs(rack: Rack, spec: HostSpec) -> None:
    async with booted(rack, spec) as shell:
        await rack.hosts.power_off(spec.name)
        with pytest.raises(ShellError):
            await shell.run("true", timeout_s=5)
        await shell.close()
        with pytest.raises(HostUnreachable, match=spec.address):
            await shell.run("true", timeout_s=5)
