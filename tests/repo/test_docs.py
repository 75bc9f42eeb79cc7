"""What the docs say is there: files that links name, targets and commands that they show, examples that are tested."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from tests.support.tree import ROOT, sources, text_of, tracked

from homeostat.cli.main import cli

PAGES = [path for path in tracked() if path.suffix == ".md"]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")

CODE_SPAN = re.compile(r"`[^`\n]*`")


def prose_of(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", text_of(page), flags=re.M | re.S)


def anchors(path: Path) -> set[str]:
    """The anchors that headings of a page get, the way GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose_of(path), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    broken = []
    for target in LINK.findall(CODE_SPAN.sub("", prose_of(page))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (ROOT / page.parent / name).resolve() if name else ROOT / page
        if not file.exists():
            broken.append(f"{page}: {target}: no such file")
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.relative_to(ROOT)):
            broken.append(f"{page}: {target}: no such heading")
    return broken


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page) == []


def shown_commands() -> list[tuple[Path, str]]:
    """Every line of a shell block in a page, without its comment."""
    shown = []
    for page in PAGES:
        for block in re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", text_of(page), flags=re.M | re.S):
            shown += [(page, line.split("  #")[0].removeprefix("$ ").strip()) for line in block.splitlines()]
    return shown


def test_make_targets_that_pages_show_exist() -> None:
    makefile = text_of(Path("Makefile"))
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    shown = {(page, line.split()[1]) for page, line in shown_commands() if re.match(r"make [a-z-]+", line)}
    assert sorted(f"{page}: make {target}" for page, target in shown if target not in targets) == []


def unknown_command(root: click.Command, words: list[str]) -> str:
    """The first word that names no command below those before it; empty when all do."""
    command = root
    for word in words:
        if not isinstance(command, click.Group) or word.startswith("-"):
            return ""
        child = command.get_command(click.Context(command), word)
        if child is None:
            return word
        command = child
    return ""


def test_commands_that_pages_show_exist() -> None:
    lines = [
        (page, re.sub(r"^\S*/(?=homeostat )|^kubectl (?=homeostat )", "", line)) for page, line in shown_commands()
    ]
    shown = [(page, line) for page, line in lines if re.match(r"homeostat [a-z]", line)]
    assert shown
    wrong = [(page, line) for page, line in shown if unknown_command(cli, re.split(r"[\s|>;&]+", line)[1:])]
    assert sorted(f"{page}: {line}" for page, line in wrong) == []


def wrong_options(root: click.Command, line: str) -> str:
    """What click says of the options of a command as a page shows it; empty when it takes them."""
    words = shlex.split(re.split(r" [|>;&]|\s#", line)[0])[1:]
    command, context = root, click.Context(root)
    while isinstance(command, click.Group) and words and (child := command.get_command(context, words[0])):
        command, context, words = child, click.Context(child, parent=context), words[1:]
    try:
        command.make_parser(context).parse_args(words)
    except click.UsageError as error:
        return error.format_message()
    return ""


def test_commands_that_pages_show_take_their_options() -> None:
    lines = [(page, line) for page, line in shown_commands() if re.match(r"homeostat [a-z]", line)]
    wrong = [(page, line, why) for page, line in lines if (why := wrong_options(cli, line))]
    assert sorted(f"{page}: {line}: {why}" for page, line, why in wrong) == []


def test_every_make_target_that_people_call_says_what_it_does() -> None:
    documented = set(re.findall(r"^([a-z-]+):.*## ", text_of(Path("Makefile")), re.M))
    assert documented >= {"up", "down", "test", "check", "bench", "docs", "soak", "lock", "venv", "clean"}


def test_the_changelog_has_a_place_for_what_is_not_released() -> None:
    assert re.search(r"^## Unreleased$", text_of(Path("CHANGELOG.md")), re.M)


def test_every_decision_has_a_number_of_its_own() -> None:
    """Numbers are given out when work begins, so the one before may still be on its way."""
    folder = Path("docs/decisions")
    numbers = [path.name[:4] for path in tracked() if path.parent == folder and path.name[0].isdigit()]
    assert [number for number in numbers if numbers.count(number) > 1] == []


def test_every_example_is_applied_by_a_test() -> None:
    tests = [text_of(path) for path, _ in sources("tests")]
    examples = [path for path in tracked() if path.parts[0] == "examples" and path.suffix in (".yaml", ".yml")]
    assert [str(path) for path in examples if not any(path.name in text for text in tests)] == []
