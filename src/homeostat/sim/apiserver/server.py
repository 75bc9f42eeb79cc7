"""One API server: takes a request as bytes, and answers it as a kube-apiserver would."""

from __future__ import annotations

import copy
from collections.abc import Coroutine, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.sim.apiserver.access.attributes import Attributes, User, attributes_of, forbidden
from homeostat.sim.apiserver.access.granting import Granter
from homeostat.sim.apiserver.access.impersonating import acting
from homeostat.sim.apiserver.access.reviews import REVIEWS, Reviewer
from homeostat.sim.apiserver.access.roles import Roles
from homeostat.sim.apiserver.access.tokens import Tokens
from homeostat.sim.apiserver.admission.admission import Admission
from homeostat.sim.apiserver.admission.calling import Caller, NoNetwork
from homeostat.sim.apiserver.answer import Answer, refused
from homeostat.sim.apiserver.discovery import discovered
from homeostat.sim.apiserver.documents.serving import Documents
from homeostat.sim.apiserver.kinds import addresses, budgets, namespaces, rights
from homeostat.sim.apiserver.kinds.strategies import strategies
from homeostat.sim.apiserver.printing.showing import shown
from homeostat.sim.apiserver.refusing import Refused, not_imitated
from homeostat.sim.apiserver.schemas import protobuf
from homeostat.sim.apiserver.store.compacting import Compactor
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.builtin import builtin_types
from homeostat.sim.apiserver.types.forms import no_other_form, wanted
from homeostat.sim.apiserver.types.registry import Types
from homeostat.sim.apiserver.types.routing import Asked, not_found_here, route
from homeostat.sim.apiserver.types.type import Type, Value
from homeostat.sim.apiserver.verbs.binding import Binder
from homeostat.sim.apiserver.verbs.bodies import JSON, YAML
from homeostat.sim.apiserver.verbs.deleting import Deleter
from homeostat.sim.apiserver.verbs.evicting import Evicter
from homeostat.sim.apiserver.verbs.finalizing import finalize
from homeostat.sim.apiserver.verbs.patching import Patcher
from homeostat.sim.apiserver.verbs.reading import get, list_
from homeostat.sim.apiserver.verbs.scaling import Scaler
from homeostat.sim.apiserver.verbs.telling import log
from homeostat.sim.apiserver.verbs.watching import watch
from homeostat.sim.apiserver.verbs.writing import SELF, Writer

VERSION = "v1.35.4"
_HEALTH = ("/livez", "/readyz", "/healthz")


class Request(Struct, frozen=True, kw_only=True):
    """What was asked, as HTTP has it; header names in lower case, one of several values with these in lines."""

    method: str
    path: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""


class ApiServer:
    """Types, objects and changes of one cluster. Nothing of it is shared with another one.

    A store that another server has left is served as it is, and whoever gave it decides what is forgotten of it.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        random: Random,
        store: Store | None = None,
        caller: Caller | None = None,
        accounts: bool = False,
    ) -> None:
        """`accounts`: whether Pods are given the accounts of their namespaces, which somebody must make there."""
        self.types = Types()
        self.store = Store() if store is None else store
        self._compactor = Compactor(self.store, clock) if store is None else None
        self._roles = Roles(self.store)
        for each in builtin_types(strategies(self.types, self.store, clock, random, self._roles)):
            self.types.add(each)
            self.store.shelf(each.collection)
        self.tokens = Tokens(self.store, clock, random)
        self._reviewer = Reviewer(self._roles, self.tokens, clock)
        self._granter = Granter(self.store, self.tokens, clock)
        self._clock = clock
        self._documents = Documents(self.types)
        self._admission = Admission(self.store, self.types, clock, random, caller or NoNetwork(), accounts=accounts)
        self._writer = Writer(self.store, clock, random, self._admission, self._built_in("", "resourcequotas"))
        self._patcher = Patcher(self.store, self._writer, clock)
        self._deleter = Deleter(self.store, clock, self._admission)
        self._scaler = Scaler(self.store, self._writer)
        self._binder = Binder(self.store, clock)
        self._evicter = Evicter(self.store, self._deleter, clock)
        if self.store.revision > 1:
            self._go_on()
        else:
            self._begin()

    async def answer(self, request: Request, user: User) -> Answer:
        """Answer; a refusal is an answer, too. It waits for nothing but webhooks."""
        try:
            return await self._answered(request, user)
        except Refused as error:
            return refused(error)

    def answer_at_once(self, request: Request, user: User) -> Answer:
        """Answer a part of the server itself, that cannot wait. What webhooks are asked about is refused."""
        try:
            return _at_once(self._answered(request, user))
        except Refused as error:
            return refused(error)

    async def _answered(self, request: Request, user: User) -> Answer:
        if self._compactor is not None:
            self._compactor.look()
        user = acting(user, request.headers, self._roles)
        told = self._of_server(request) if request.method == "GET" else None
        if told is not None:
            self._check_access(user, Attributes(verb="get", path=request.path))
            return told
        media = _media(request)
        asked = route(request.method, request.path, request.query, self.types)
        self._check_access(user, attributes_of(asked))
        asked = replace(asked, user=user, agent=request.headers.get("user-agent", "unknown"), media=media)
        form = wanted(request.headers.get("accept", ""), of_list=asked.verb in ("list", "watch"))
        if form.kind and asked.type.collection in REVIEWS:
            raise no_other_form()
        body = protobuf.as_json(request.body) if request.body.startswith(protobuf.MAGIC) else request.body
        answer = shown(await self._verb(asked, body), asked, form, self._clock)
        return replace(answer, headers=_warning(asked.warnings)) if asked.warnings else answer

    def _of_server(self, request: Request) -> Answer | None:
        """What a path tells of the server itself; None when it is about objects."""
        if request.path in _HEALTH:
            return Answer(200, b"ok", "text/plain; charset=utf-8")
        accept = request.headers.get("accept", "")
        return discovered(request.path, self.types, VERSION, accept) or self._documents.answer(
            request.path, request.headers
        )

    def _check_access(self, user: User, wanted: Attributes) -> None:
        if not self._roles.allow(user, wanted):
            raise forbidden(user, wanted)

    async def _verb(self, asked: Asked, body: bytes) -> Answer:
        asked.type.strategy.check_use()
        if asked.type.collection in REVIEWS:
            return self._reviewer.answer(asked, body)
        if asked.subresource and not asked.writes_status:
            return await self._below(asked, body)
        match asked.verb:
            case "get":
                return get(self.store, asked)
            case "list":
                return list_(self.store, asked)
            case "watch":
                return watch(self.store, self._clock, asked)
        return await self._written(asked, body)

    async def _written(self, asked: Asked, body: bytes) -> Answer:
        match asked.verb:
            case "create":
                return await self._writer.create(asked, body)
            case "update":
                return await self._writer.replace(asked, body)
            case "patch":
                return await self._patcher.patch(asked, body)
            case "delete":
                return await self._deleter.delete(asked, body)
            case "deletecollection":
                return await self._deleter.delete_all(asked, body)
        raise not_found_here()

    async def _below(self, asked: Asked, body: bytes) -> Answer:
        """What is asked of a subresource that is no part of the object."""
        self._admission.check_unasked(asked)
        match asked.subresource, asked.verb:
            case "scale", _:
                return await self._scaler.answer(asked, body)
            case "binding", "create":
                return self._binder.bind(asked, body)
            case "eviction", "create":
                return self._evicter.evict(asked, body)
            case "token", "create":
                return self._granter.grant(asked, body)
            case "log", "get":
                return log(self.store, asked)
            case "finalize", "update":
                return finalize(self.store, asked, body)
        raise not_imitated(f"the subresource {asked.subresource} of {asked.type.qualified}")

    def _begin(self) -> None:
        for name in namespaces.INITIAL:
            self._make_first("", "namespaces", {"metadata": {"name": name}})
        for name, (value, description) in budgets.SYSTEM_CLASSES.items():
            body = {"metadata": {"name": name}, "value": value, "description": description}
            self._make_first("scheduling.k8s.io", "priorityclasses", body)
        self._make_first(addresses.GROUP, "servicecidrs", addresses.first(self._clock.now()))
        for plural, body in rights.FIRST.items():
            self._make_first(rights.GROUP, plural, copy.deepcopy(body))

    def _go_on(self) -> None:
        definitions = self._built_in("apiextensions.k8s.io", "customresourcedefinitions")
        for record in self.store.shelf(definitions.collection).within(""):
            definitions.strategy.on_stored(record.value(b""))

    def _make_first(self, group: str, plural: str, value: Value) -> None:
        asked = Asked(verb="create", type=self._built_in(group, plural), agent=SELF)
        _at_once(self._writer.make(asked, value))

    def _built_in(self, group: str, plural: str) -> Type:
        found = self.types.get(group, "v1", plural)
        assert found is not None  # noqa: S101  (a built-in type)
        return found


def _at_once(step: Coroutine[Any, Any, Answer]) -> Answer:
    """What comes of a step that waits for nothing. Raises Refused."""
    try:
        step.send(None)
    except StopIteration as done:
        answer: Answer = done.value
        return answer
    step.close()
    raise not_imitated("webhooks about what the server itself writes")


def _media(request: Request) -> str:
    """What a body is written in, for who reads it; of patches their verb knows. Raises Refused."""
    media = request.headers.get("content-type", "").partition(";")[0].strip() or JSON
    if media == protobuf.MEDIA and (not request.body or request.body.startswith(protobuf.MAGIC)):
        return JSON
    if request.method in ("POST", "PUT") and media not in (JSON, YAML):
        text = "the body of the request was in an unknown format - accepted media types include"
        raise Refused(415, "UnsupportedMediaType", f"{text}: {JSON}, {YAML}; found {media}")
    return media


def _warning(texts: list[str]) -> dict[str, str]:
    """The header of RFC 7234 with code 299, which clients show to people."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in dict.fromkeys(texts))
    return {"Warning": ", ".join(f'299 - "{each}"' for each in quoted)}
