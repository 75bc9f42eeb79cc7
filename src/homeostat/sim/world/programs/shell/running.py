"""A script that runs in a container, on the clock of its world."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from homeostat.kit.clock import Clock
from homeostat.sim.world.hosts.containers import Container, Endless, Program, Programs, Start
from homeostat.sim.world.programs.shell import commands
from homeostat.sim.world.programs.shell.files import Files
from homeostat.sim.world.programs.shell.reading import read
from homeostat.sim.world.programs.shell.tree import (
    Choice,
    Command,
    Loop,
    Output,
    Script,
    Simple,
    Step,
    Text,
    Variable,
    Word,
)
from homeostat.sim.world.programs.shell.words import Unknown

_SHELLS = ("sh", "bash", "ash", "busybox")  # the last is an image whose command is a shell
_DIRECT = ("true", "false", "sleep")  # what people give a container to run without a shell
_KNOWN = frozenset({*commands.COMMANDS, "exit", "sleep"})


class _Exit(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def shell(clock: Clock) -> Programs:
    """Shells and small commands, by their names."""

    def scripted(container: Container, _: Callable[[], None]) -> Program:
        words = container.command
        if len(words) == 1:  # with nobody to type, it has nothing to do
            return Running(container, (), clock)
        if len(words) < 3 or words[1] != "-c":
            return Endless()
        try:
            return Running(container, read(words[2], _KNOWN), clock)
        except Unknown:
            return Endless()

    def direct(container: Container, _: Callable[[], None]) -> Program:
        words = tuple((Text(each, is_quoted=True),) for each in container.command)
        return Running(container, (Step(";", Simple(words)),), clock)

    found: dict[str, Start] = dict.fromkeys(_SHELLS, scripted)
    return found | dict.fromkeys(_DIRECT, direct)


class Running:
    """One run of a script."""

    def __init__(self, container: Container, script: Script, clock: Clock) -> None:
        self._variables = container.environment
        self._files = Files(container)
        self._script = script
        self._clock = clock

    async def run(self) -> int:
        """Until its end; the code of the last command, unless it exits with another."""
        try:
            return await self._all(self._script, [])
        except _Exit as end:
            return end.code

    def answers(self, port: int, path: str) -> bool:  # noqa: ARG002  (the port's signature)
        """Nothing listens."""
        return False

    async def _all(self, script: Script, out: list[str]) -> int:
        code = 0
        for step in script:
            if (step.join == "&&" and code) or (step.join == "||" and not code):
                continue
            code = await self._command(step.command, out, code)
            code = int(not code) if step.is_negated else code
        return code

    async def _command(self, command: Command, out: list[str], before: int) -> int:
        match command:
            case Simple():
                return await self._simple(command, out, before)
            case Choice():
                for condition, body in command.branches:
                    if not await self._all(condition, out):
                        return await self._all(body, out)
                return await self._all(command.otherwise, out) if command.otherwise is not None else 0
            case Loop():
                code = 0
                while bool(await self._all(command.condition, out)) == command.until:
                    code = await self._all(command.body, out)
                    await self._clock.sleep(0)  # a loop without end must not stop the world
                return code

    async def _simple(self, command: Simple, out: list[str], before: int) -> int:
        words = [text for word in command.words for text in await self._filled(word)]
        name, given = words[0].rpartition("/")[2], words[1:]
        if name == "exit":
            raise _Exit(int(given[0]) % 256 if given and given[0].isdigit() else before)
        if name == "sleep":
            return await self._sleep(given)
        code, text = commands.COMMANDS[name](given, self._files)
        if command.target is None:
            out.append(text)
        else:
            self._files.write("".join(await self._filled(command.target)), text, adds=command.adds)
        return code

    async def _sleep(self, given: Sequence[str]) -> int:
        if given == ["infinity"]:
            await asyncio.get_running_loop().create_future()
        seconds = commands.seconds(given)
        if seconds is None:
            return 1
        await self._clock.sleep(seconds)
        return 0

    async def _filled(self, word: Word) -> list[str]:
        """The texts that a word becomes: what is filled in without quotes falls into several, or is none."""
        texts: list[str] = []
        is_open = False
        for part in word:
            text = await self._text(part)
            pieces = [text] if part.is_quoted or isinstance(part, Text) else text.split()
            for at, piece in enumerate(pieces):
                if at == 0 and is_open:
                    texts[-1] += piece
                else:
                    texts.append(piece)
                is_open = True
        return texts

    async def _text(self, part: Text | Variable | Output) -> str:
        match part:
            case Text():
                return part.text
            case Variable():
                return self._variables.get(part.name, "")
            case Output():
                out: list[str] = []
                await self._all(part.script, out)
                return "".join(out).rstrip("\n")
