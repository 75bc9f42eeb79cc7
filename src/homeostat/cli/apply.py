"""`homeostat apply`: server-side apply of files.

All documents are read before the first is sent, so that a typing mistake leaves nothing half-made. What the API server
refuses is told for each object, and the others are still applied, as kubectl does. A client dry run speaks with nobody,
and judges our own kinds by the schemas that come with this homeostat.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from homeostat.api.catalogue import KINDS
from homeostat.api.kind import Kind, Resource, unstructured
from homeostat.cli.checking import problems, schema_for
from homeostat.cli.exits import CliError, Exit
from homeostat.cli.failures import explained, report
from homeostat.cli.kinds import typed
from homeostat.cli.options import Connection, connection_options, dry_run_option, dry_run_suffix, output_option
from homeostat.cli.rendering import print_objects
from homeostat.cli.session import Session, converse
from homeostat.kube.discovery import Discovery
from homeostat.kube.errors import ApiError

_SUFFIXES = (".yaml", ".yml", ".json")


class Document(Struct, frozen=True):
    """One object of a file."""

    where: str
    content: dict[str, Any]

    @property
    def name(self) -> str:
        """Its metadata.name."""
        return str(self.content["metadata"]["name"])


class Way(Struct, frozen=True):
    """How to apply."""

    dry_run: str
    force: bool
    output: str


@click.command()
@click.option(
    "-f", "--filename", "files", multiple=True, required=True, metavar="FILE", help="File, directory, or - for stdin."
)
@click.option("-R", "--recursive", is_flag=True, help="Read the directories below a directory as well.")
@click.option("--force-conflicts", is_flag=True, help="Take over fields that another manager owns.")
@dry_run_option("send nothing, and check our own kinds here")
@output_option("json", "yaml", "name")
@connection_options
def apply(
    files: Sequence[str],
    recursive: bool,
    force_conflicts: bool,
    dry_run: str,
    output: str | None,
    connection: Connection,
) -> None:
    """Declare objects from files, by server-side apply.

    A client dry run judges fields, types and limits of homeostat's own kinds, and needs no API server; what fields say
    together, and whether what they name exists, is judged by --dry-run=server alone.
    """
    documents = [document for file in files for document in read(file, recursive=recursive)]
    if not documents:
        raise CliError(f"{', '.join(files)}: expected at least one object, found none", Exit.USAGE)
    _require_once(documents)
    way = Way(dry_run, force_conflicts, output or "")
    if dry_run == "client":
        code = _check(documents, way)
    else:
        code = converse(connection, lambda session: _apply(session, documents, way))
    click.get_current_context().exit(code)


def read(file: str, *, recursive: bool = False) -> Iterator[Document]:
    """The objects of a file, of the YAML and JSON files of a directory, or of stdin. Raises CliError."""
    if file == "-":
        yield from parse(sys.stdin.read(), "stdin")
        return
    path = Path(file)
    inside = path.rglob("*") if recursive else path.glob("*")
    paths = sorted(p for p in inside if p.suffix in _SUFFIXES and p.is_file()) if path.is_dir() else [path]
    for each in paths:
        try:
            text = each.read_text()
        except UnicodeDecodeError:
            raise CliError(f"{each}: expected YAML or JSON in UTF-8, found other bytes", Exit.USAGE) from None
        yield from parse(text, str(each))


def parse(text: str, source: str) -> Iterator[Document]:
    """The objects in a text of YAML documents. Raises CliError with the place of what is wrong."""
    import yaml

    try:
        documents = list(yaml.safe_load_all(text))
    except yaml.YAMLError as error:
        raise CliError(f"{source}: expected YAML: {' '.join(str(error).split())}", Exit.USAGE) from None
    for number, content in enumerate(documents, 1):
        where = f"{source}, document {number}" if len(documents) > 1 else source
        if content is None:
            continue
        if isinstance(content, dict) and content.get("kind") == "List":
            yield from (
                Document(f"{where}, items[{i}]", checked(item, f"{where}, items[{i}]"))
                for i, item in enumerate(content.get("items") or ())
            )
            continue
        yield Document(where, checked(content, where))


def checked(content: Any, where: str) -> dict[str, Any]:
    """An object that says what it is and how it is called."""
    if not isinstance(content, dict):
        raise CliError(f"{where}: expected an object, found {type(content).__name__}", Exit.USAGE)
    metadata = content.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    for field, value in (
        ("apiVersion", content.get("apiVersion")),
        ("kind", content.get("kind")),
        ("metadata.name", name),
    ):
        if not isinstance(value, str) or not value:
            raise CliError(f"{where}: {field}: expected a text, found {value!r}", Exit.USAGE)
    return content


def _require_once(documents: Sequence[Document]) -> None:
    """Raise CliError where two documents are of one object: the last would win, whichever was meant."""
    first: dict[tuple[str, ...], str] = {}
    for document in documents:
        content, metadata = document.content, document.content["metadata"]
        key = (content["apiVersion"], content["kind"], str(metadata.get("namespace") or ""), document.name)
        if key in first:
            told = f"{content['kind'].lower()} {document.name}: expected once, found also in {first[key]}"
            raise CliError(f"{document.where}: {told}", Exit.USAGE, remedy="leave one of them out, or rename it")
        first[key] = document.where


def _check(documents: Sequence[Document], way: Way) -> int:
    """Judge what can be judged without an API server, and say which it is."""
    code = Exit.OK
    for document in documents:
        content = document.content
        schema = schema_for(content["apiVersion"], content["kind"])
        if schema is not None and (wrong := problems(content, schema)):
            what = f"{document.where}: {content['kind'].lower()} {document.name}"
            code = report(
                CliError("\n".join([f"{what}: not of its schema", *(f"  {each}" for each in wrong)]), Exit.REFUSED)
            )
            continue
        word = "not checked, a kind of others" if schema is None else "checked"
        _print_applied(_known(content) or _guessed(content), content, way, word)
    return code


async def _apply(session: Session, documents: Sequence[Document], way: Way) -> int:
    discovery = Discovery(session.client)
    kinds = [await _kind_of(document, discovery) for document in documents]
    codes = []
    for document, kind in zip(documents, kinds, strict=True):
        content = _placed(document.content, kind.resource, session.namespace)
        try:
            applied = await session.client.apply(kind, content, force=way.force, dry_run=way.dry_run == "server")
        except ApiError as error:
            told = explained(error)
            codes.append(report(CliError(f"{document.where}: {told}", told.code, remedy=told.remedy)))
            continue
        _print_applied(kind.resource, applied, way)
    return codes[0] if codes else Exit.OK


async def _kind_of(document: Document, discovery: Discovery) -> Kind[dict[str, Any]]:
    content = document.content
    if known := _known(content):
        return unstructured(known)
    for served in await discovery.resources():
        resource = served.resource
        if (resource.api_version, resource.kind) == (content["apiVersion"], content["kind"]):
            return unstructured(resource)
    raise CliError(
        f"{document.where}: the API server knows no kind {content['kind']} in {content['apiVersion']}",
        Exit.NOT_FOUND,
        remedy="check apiVersion and kind; is its CustomResourceDefinition installed?",
    )


def _known(content: dict[str, Any]) -> Resource | None:
    """Our own kinds need no discovery."""
    named = (content["apiVersion"], content["kind"])
    return next((k.resource for k, _ in KINDS if (k.resource.api_version, k.resource.kind) == named), None)


def _guessed(content: dict[str, Any]) -> Resource:
    """What a kind that nobody was asked about is probably called; for printing only."""
    group, _, version = content["apiVersion"].rpartition("/")
    return Resource(group, version, content["kind"], content["kind"].lower() + "s")


def _placed(content: dict[str, Any], resource: Resource, namespace: str) -> dict[str, Any]:
    metadata = content["metadata"]
    if not resource.namespaced or metadata.get("namespace"):
        return content
    return {**content, "metadata": {**metadata, "namespace": namespace}}


def _print_applied(resource: Resource, content: dict[str, Any], way: Way, word: str = "serverside-applied") -> None:
    if way.output:
        print_objects([content], way.output, resource, single=True)
        return
    suffix = dry_run_suffix(way.dry_run)
    click.echo(f"{typed(resource, content['metadata']['name'])} {word}{suffix}")
