"""A real API server as the judge of how objects are merged and whose fields are whose.

A case is one object and a course of writes to it. Each write goes to the real server, and through the functions of the
simulated one on what the real server had before; then both answers are compared, entry by entry of managedFields.
"""

from __future__ import annotations

import copy
import http.client
import itertools
import json
import ssl
from collections.abc import Callable, Iterator
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

from msgspec import Struct
from tests.support.apiserver import ApiServer

from homeostat.sim.apiserver.fields import managing
from homeostat.sim.apiserver.fields.comparing import compare
from homeostat.sim.apiserver.fields.entries import bare, of_object, steady
from homeostat.sim.apiserver.fields.forms import element_of
from homeostat.sim.apiserver.fields.ownership import Writer
from homeostat.sim.apiserver.fields.paths import Path
from homeostat.sim.apiserver.fields.sets import NOTHING, FieldSet
from homeostat.sim.apiserver.patches import json_patch, merge, strategic
from homeostat.sim.apiserver.refusing import Refused
from homeostat.sim.apiserver.schemas.shape import UNTYPED, Shape

Object = dict[str, Any]
Verb = Literal["create", "put", "apply", "merge", "json", "strategic"]
TYPES = {
    "apply": "application/apply-patch+yaml",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}
KEPT = ("uid", "creationTimestamp", "resourceVersion", "generation")
"""What the API server puts into the metadata of every object."""
_names = itertools.count()


class Type(Struct, frozen=True):
    """A type of objects: where it is served, how it merges, and what its objects always have.

    `allocated` are fields that the server fills in after it noted whose fields are whose. Values of a `closed` type are
    read into what Go has for it, which knows no null, and has defaults; for others `defaulted` sets them.
    """

    path: str
    api_version: str
    kind: str
    shape: Shape
    zero: Object = {}
    allocated: tuple[str, ...] = ()
    defaulted: Callable[[Object], Object] | None = None

    @property
    def closed(self) -> bool:
        return self.defaulted is None


class Write(Struct, frozen=True):
    """One request. `body` of a put is what is laid over the live object by hand."""

    verb: Verb
    body: Any
    manager: str = "one"
    force: bool = False
    subresource: str = ""


class Server:
    """The real API server, asked without a loop of events."""

    def __init__(self, server: ApiServer) -> None:
        context = ssl.create_default_context(cadata=server.authority.certificate.decode())
        context.load_cert_chain(server.directory / "admin.crt", server.directory / "admin.key")
        place = urlsplit(server.url)
        assert place.hostname is not None
        self.connection = http.client.HTTPSConnection(place.hostname, place.port, context=context, timeout=30)

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> tuple[int, Object]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.connection.request(method, path, content, {"Content-Type": kind, "User-Agent": "judge/1"})
        answer = self.connection.getresponse()
        told = answer.read()
        # Before a type is served its path is unknown to everybody, who says so in plain text.
        return answer.status, json.loads(told) if told.startswith(b"{") else {}

    def close(self) -> None:
        self.connection.close()


class Case:
    """One object in the real server, and what was written to it."""

    def __init__(self, server: Server, type_: Type, namespace: str) -> None:
        self.server = server
        self.type = type_
        self.name = f"case-{next(_names)}"
        self.namespace = namespace
        self.collection = type_.path.format(namespace=namespace)
        self.live: Object | None = None
        self.course: list[Write] = []

    def run(self, *writes: Write) -> None:
        for write in writes:
            self.course.append(write)
            self.step(write)

    def step(self, write: Write) -> None:
        """Writes to both and compares what comes of it."""
        code, real = self._real(write)
        before = copy.deepcopy(self.live)
        try:
            ours = self._ours(write, real)
        except Refused as refused:
            ours = refused.status()
        if ours["kind"] == "Status" or code >= 300:
            assert _refusal(ours) == _refusal(real), self._told(real, ours)
            return
        assert self.live == before, "the live object was changed by looking at it"
        self._compare(real, ours)
        self.live = real

    def _real(self, write: Write) -> tuple[int, Object]:
        query = {"fieldManager": write.manager} | ({"force": "true"} if write.force else {})
        suffix = f"/{write.subresource}" if write.subresource else ""
        place = f"{self.collection}/{self.name}{suffix}"
        if write.verb == "create":
            return self.server.ask("POST", f"{self.collection}?{urlencode(query)}", self._named(write.body))
        if write.verb == "put":
            return self.server.ask("PUT", f"{place}?{urlencode(query)}", self._replaced(write.body))
        body = self._named(write.body) if write.verb == "apply" else write.body
        return self.server.ask("PATCH", f"{place}?{urlencode(query)}", body, TYPES[write.verb])

    def _ours(self, write: Write, real: Object) -> Object:
        live = self.live if self.live is not None else self._zero()
        writer = Writer(write.manager, self.type.api_version, _time(real, write), write.subresource, self._reset(write))
        convert = managing.at_every_version(self.type.shape)
        if write.verb == "apply":
            config = self._named(write.body)
            applied = managing.apply(live, config, writer, convert, force=write.force, empty=self._zero())
            return self._stored(self._with_defaults(applied), write)
        patched = self._patched(live, write)
        new = self._as_decoded(real, patched) if self.type.closed else self._with_defaults(patched)
        return self._stored(managing.update(live, new, writer, convert), write)

    def _with_defaults(self, value: Object) -> Object:
        return self.type.defaulted(copy.deepcopy(value)) if self.type.defaulted is not None else value

    def _stored(self, value: Object, write: Write) -> Object:
        """The object that is kept: what the door of the write resets is as it was."""
        live = self.live or {}
        if not self.type.closed:
            kept = ("spec", "metadata") if write.subresource else ("status",)
            entries = of_object(value)
            value = {name: each for name, each in value.items() if name not in kept}
            value |= {name: live[name] for name in kept if name in live}
            value |= {"metadata": value["metadata"] | ({"managedFields": entries} if entries else {})}
        return value if self.live is None else steady(live, value)

    def _patched(self, live: Object, write: Write) -> Object:
        doers: dict[str, Callable[[], Object]] = {
            "create": lambda: self._named(write.body),
            "put": lambda: self._replaced(write.body),
            "merge": lambda: merge.merged(live, write.body),
            "json": lambda: json_patch.json_patched(live, write.body),
            "strategic": lambda: strategic.strategically_merged(live, write.body, self.type.shape),
        }
        return doers[write.verb]()

    def _as_decoded(self, real: Object, patched: Object) -> Object:
        """The object as it was when the real server looked whose fields are whose: with defaults, nothing allocated."""
        self._compare_values(real, patched)
        new = _over(self.type.zero, real)
        if self.live is None:
            for path in self.type.allocated:
                *way, last = path.split(".")
                inner = new
                for name in way:
                    inner = inner.get(name) or {}
                inner.pop(last, None)
        new["metadata"] = {name: each for name, each in new["metadata"].items() if name != "managedFields"}
        sent = (patched.get("metadata") or {}).get("managedFields")
        if sent is not None:
            new["metadata"]["managedFields"] = sent
        return new

    def _compare(self, real: Object, ours: Object) -> None:
        expected = [_timeless(each) for each in real["metadata"].get("managedFields", [])]
        found = [_timeless(each) for each in (ours.get("metadata") or {}).get("managedFields", [])]
        assert found == expected, self._told(expected, found)
        if self.type.closed:
            assert json.dumps(found) == json.dumps(expected), "the order of fields is another"
            self._compare_values(real, ours)
        else:
            assert _plain(ours) == _plain(real), self._told(_plain(real), _plain(ours))

    def _compare_values(self, real: Object, ours: Object) -> None:
        """Whether the real object has all that ours has, with lists in the same order. Defaults are its own."""
        shape, full = self.type.shape, _full(bare(ours))
        change = compare(full, bare(real), shape)
        lost = (change.removed | change.modified).without(FieldSet.named(*(f"metadata.{name}" for name in KEPT)))
        assert not lost, self._told(real, ours)
        found = dict(_orders(full, shape, ()))
        assert found == {place: each for place, each in _orders(real, shape, ()) if place in found}, self._told(
            real, ours
        )

    def _reset(self, write: Write) -> FieldSet:
        if "status" not in self.type.shape.fields:
            return NOTHING
        return FieldSet.named("metadata", "spec") if write.subresource == "status" else FieldSet.named("status")

    def _zero(self) -> Object:
        return copy.deepcopy(self.type.zero) | {"apiVersion": self.type.api_version, "kind": self.type.kind}

    def _named(self, body: Object) -> Object:
        metadata = {"name": self.name, "namespace": self.namespace} | (body.get("metadata") or {})
        return {"apiVersion": self.type.api_version, "kind": self.type.kind} | body | {"metadata": metadata}

    def _replaced(self, body: Object) -> Object:
        assert self.live is not None
        new = copy.deepcopy(self.live) | {name: each for name, each in body.items() if name != "metadata"}
        new["metadata"] |= body.get("metadata") or {}
        return new

    def _told(self, real: Any, ours: Any) -> str:
        course = "\n".join(map(str, self.course))
        return f"after\n{course}\nreal: {json.dumps(real, indent=1)}\nours: {json.dumps(ours, indent=1)}"


def _refusal(status: Object) -> Object:
    """What is compared of a refusal. The order of faults is that of Go's maps: another each time."""
    causes = (status.get("details") or {}).get("causes", [])
    return {
        "code": status.get("code"),
        "reason": status.get("reason") or "",
        "message": sorted(status.get("message", "").splitlines()),
        "causes": sorted(causes, key=json.dumps),
    }


def _time(real: Object, write: Write) -> str:
    """When the real server did it: entries of one second stand in another order than those of two."""
    operation = "Apply" if write.verb == "apply" else "Update"
    writer = (write.manager, operation, write.subresource)
    entries = (real.get("metadata") or {}).get("managedFields") or []
    for each in entries:
        if (each["manager"], each["operation"], each.get("subresource", "")) == writer and "time" in each:
            return str(each["time"])
    return max((str(each.get("time", "")) for each in entries), default="")


def _timeless(entry: Object) -> Object:
    return {name: each for name, each in entry.items() if name != "time"}


def _plain(value: Object) -> Object:
    metadata = {name: each for name, each in bare(value)["metadata"].items() if name not in KEPT}
    return value | {"metadata": metadata}


def _full(value: Any) -> Any:
    """The value without nulls and without what is empty."""
    if isinstance(value, dict):
        full = {name: _full(each) for name, each in value.items()}
        return {name: each for name, each in full.items() if each is not None and each != {} and each != []}
    return [_full(each) for each in value] if isinstance(value, list) else value


def _orders(value: Any, shape: Shape, path: Path) -> Iterator[tuple[Path, list[str]]]:
    """In which order the items of lists stand that are merged by items."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _orders(each, shape.at(name), (*path, name))
    elif isinstance(value, list) and shape.merge in ("map", "set"):
        elements = [element_of(item, shape) for item in value]
        yield path, elements
        for element, item in zip(elements, value, strict=True):
            yield from _orders(item, shape.each or UNTYPED, (*path, element))


def _over(zero: Object, value: Object) -> Object:
    made = copy.deepcopy(zero) | value
    for name, each in zero.items():
        if isinstance(each, dict) and isinstance(value.get(name), dict):
            made[name] = _over(each, value[name])
    return made
