"""Objects of built-in types as decoding into Go's structs leaves them: without what is unknown or null, of right types.

An API server decodes strictly and lets the client say what to do about unknown and repeated fields; a wrong type it
always refuses. The messages name Go's types, which OpenAPI does not tell in full: where a field's type is named in Go
(`v1.RestartPolicy`) only those of `NAMED` are known, and those of other enumerations are called string.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Literal

from msgspec import Struct, field

from homeostat.sim.apiserver.refusing import Refused, bad_request
from homeostat.sim.apiserver.schemas import builtin, scalars
from homeostat.sim.apiserver.schemas.go_names import EMBEDDED, NAMED
from homeostat.sim.apiserver.schemas.openapi import reference_of
from homeostat.sim.apiserver.schemas.reading import Repeated, fields_of, without_repeats

Form = Literal["struct", "map", "list", "scalar", "any"]
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


class Node(Struct, eq=False):
    """What a value is decoded into. `zero` is what null is among items and in maps; `name` is Go's of the type."""

    form: Form
    name: str = ""
    fields: dict[str, Node] = field(default_factory=dict)
    each: Node | None = None
    take: Callable[[Any], Any] | None = None
    kept_empty: frozenset[str] = frozenset()
    embedded: dict[str, str] = field(default_factory=dict)

    def zero(self) -> Any:
        """What Go makes of null where it cannot leave it out."""
        if self.form in ("struct", "map"):
            return {}
        return scalars.ZEROS.get(self.name) if self.form == "scalar" else None


_ANY = Node("any")


def decode(
    value: Any, group: str, version: str, kind: str, known: dict[str, Any] | None = None
) -> tuple[Any, list[str]]:
    """The object, and what is to be said of unknown and repeated fields in the order of the text.

    Parts that it shares with a `known` object of the kind, which was decoded before, are taken as they are.
    Raises Refused for a value of a wrong type, and KeyError for a kind that is not built in.
    """
    name = builtin.schema_name(group, version, kind)
    if not name:
        raise KeyError(kind)
    return _decode(value, name, lambda told: cannot_handle(kind, version, told), known)


def decode_metadata(value: Any, version: str, kind: str) -> tuple[Any, list[str]]:
    """The same for the metadata of a custom object."""
    decoded, faults = _decode(value, META, lambda told: cannot_handle(kind, version, told), None)
    # The metadata is decoded by itself, and repeated fields are found in the whole object.
    told = [each.replace(' field "', ' field "metadata.') for each in faults if each.startswith("unknown")]
    return decoded, told


def cannot_handle(kind: str, version: str, told: str) -> Refused:
    """A body that is no object of the kind."""
    return bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {told}')


def strictly(kind: str, version: str, faults: list[str]) -> Refused:
    """A body with unknown or repeated fields, where the client wants these refused."""
    return cannot_handle(kind, version, f"strict decoding error: {', '.join(faults)}")


def _decode(
    value: Any, name: str, refuse: Callable[[str], Refused], known: dict[str, Any] | None
) -> tuple[Any, list[str]]:
    walk = _Walk(has_repeats=isinstance(value, Repeated))
    try:
        decoded = walk.take(value, _named(name), known)
    except scalars.BadScalar as error:
        raise refuse(str(error)) from None
    if walk.wrong:
        raise refuse(walk.wrong)
    return decoded, list(walk.faults)


class _Walk:
    """One decoding. Types are wrong at fields, told by the path of their names; strict faults have indices and keys."""

    def __init__(self, *, has_repeats: bool) -> None:
        self.wrong = ""
        self.faults: dict[str, None] = {}
        self._has_repeats = has_repeats
        self._path: list[tuple[Node, str]] = []  # what it is in now, and under which name, key or index

    def take(self, value: Any, node: Node, known: Any = None) -> Any:
        """A value as Go has it after decoding, at whose place `known` stood before."""
        if node.form == "scalar":
            return self._scalar(value, node)
        if node.form == "any":
            return without_repeats(value) if self._has_repeats else value
        if node.form == "list":
            if not isinstance(value, list):
                return self._mismatch(value, node)
            return [self._item(item, node, f"[{index}]") for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return self._mismatch(value, node)
        return self._map(value, node) if node.form == "map" else self._fields(value, node, known)

    def _item(self, item: Any, node: Node, place: str) -> Any:
        each = node.each or _ANY
        return each.zero() if item is None else self._below(item, each, node, place)

    def _below(self, value: Any, inner: Node, node: Node, place: str, known: Any = None) -> Any:
        self._path.append((node, place))
        taken = self.take(value, inner, known)
        self._path.pop()
        return taken

    def _map(self, value: dict[str, Any], node: Node) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, part in fields_of(value):
            if name in made:
                self._fault("duplicate", name)
            made[name] = self._item(part, node, name)
        return made

    def _fields(self, value: dict[str, Any], node: Node, known: Any) -> dict[str, Any]:
        made: dict[str, Any] = {}
        before = known if isinstance(known, dict) else {}
        seen: set[str] = set()
        for name, part in fields_of(value):
            inner = node.fields.get(name)
            if inner is None:
                self._fault("unknown", name)
                continue
            if name in seen:
                self._fault("duplicate", name)
            seen.add(name)
            old = before.get(name)
            taken = part if part is None or part is old else self._below(part, inner, node, name, old)
            if not taken:
                self._keep_empty(made, name, taken, node)
            else:
                made[name] = taken
        return made

    def _keep_empty(self, made: dict[str, Any], name: str, taken: Any, node: Node) -> None:
        """Go leaves out what is null, and lists and maps that are empty unless they have to be there."""
        is_empty = taken is None or (taken in ([], {}) and node.fields[name].form in ("list", "map"))
        if not is_empty or (taken is not None and name in node.kept_empty):
            made[name] = taken
        else:
            made.pop(name, None)

    def _scalar(self, value: Any, node: Node) -> Any:
        if node.take is None:
            return value
        try:
            return node.take(value)
        except scalars.WrongType as error:
            # Types that decode themselves end all decoding; others let it go on.
            told = self._told(str(error) or scalars.json_type(value), error.name or node.name)
            if error.is_final:
                raise scalars.BadScalar(told) from None
            self.wrong = self.wrong or told
            return None

    def _mismatch(self, value: Any, node: Node) -> Any:
        self.wrong = self.wrong or self._told(scalars.json_type(value), node.name)
        return None

    def _told(self, found: str, wanted: str) -> str:
        fields = [(node, name) for node, name in self._path if node.form == "struct"]
        if not fields:
            return f"json: cannot unmarshal {found} into Go value of type {wanted}"
        names = (f"{node.embedded[name]}.{name}" if name in node.embedded else name for node, name in fields)
        place = f"{fields[-1][0].name.rpartition('.')[2]}.{'.'.join(names)}"
        return f"json: cannot unmarshal {found} into Go struct field {place} of type {wanted}"

    def _fault(self, what: str, name: str) -> None:
        path = (*(place for _, place in self._path), name)
        text = "".join(part if part.startswith("[") else f".{part}" for part in path).removeprefix(".")
        self.faults.setdefault(f'{what} field "{text}"')


def _named(name: str) -> Node:
    """The node of a named type, known before it is filled: types have parts of their own type."""
    known = _nodes()
    if name not in known:
        short = ".".join(name.split(".")[-2:])
        schema = builtin.schema(name)
        if take := scalars.OWN_TYPES.get(short.rpartition(".")[2]):
            known[name] = Node("scalar", take[0], take=take[1])
        elif schema.get("properties"):
            known[name] = node = Node("struct", short, kept_empty=frozenset(schema.get("required") or ()))
            _fill(node, schema["properties"], short.rpartition(".")[2])
        else:
            # What decodes itself, or has no form at all.
            known[name] = Node("any", short) if schema.get("type") in (None, "object") else _of(schema, short)
    return known[name]


@functools.cache
def _nodes() -> dict[str, Node]:
    """The nodes of types that were used."""
    return {}


def _fill(node: Node, properties: Mapping[str, Any], struct: str) -> None:
    through, theirs = EMBEDDED.get(struct, ("", frozenset[str]()))
    for name, part in properties.items():
        node.fields[name] = _of(part, NAMED.get(f"{struct}.{name}", ""))
    node.embedded = dict.fromkeys(theirs, through)


def _of(schema: Mapping[str, Any], name: str = "") -> Node:
    if reference := reference_of(schema):
        return _named(reference)
    match schema.get("type"):
        case "array":
            each = _of(schema.get("items") or {})
            return Node("list", name or f"[]{each.name}", each=each)
        case "object" if isinstance(schema.get("additionalProperties"), Mapping):
            each = _of(schema["additionalProperties"])
            return Node("map", name or f"map[string]{each.name}", each=each)
        case "string" | "integer" | "number" | "boolean" as type_name:
            go_name, take = scalars.plain(type_name, schema.get("format", ""))
            return Node("scalar", name or go_name, take=take)
        case _:
            return Node("any", name)
