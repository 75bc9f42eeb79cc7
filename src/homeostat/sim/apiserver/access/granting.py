"""TokenRequests: a service account's token, for whom it is meant, for how long, and bound to what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from homeostat.api.kind import Resource
from homeostat.kit.clock import Clock
from homeostat.sim.apiserver.access.tokens import ISSUER, Tokens
from homeostat.sim.apiserver.answer import Answer, told
from homeostat.sim.apiserver.refusing import Cause, Refused, bad_request, invalid
from homeostat.sim.apiserver.schemas import builtin, causes
from homeostat.sim.apiserver.store.record import Record, key_of
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.builtin import BuiltInSchema
from homeostat.sim.apiserver.types.metadata import stamp
from homeostat.sim.apiserver.types.routing import Asked
from homeostat.sim.apiserver.types.type import Strategy, Type, Value
from homeostat.sim.apiserver.types.user import ACCOUNT
from homeostat.sim.apiserver.verbs import owning
from homeostat.sim.apiserver.verbs.bodies import sent
from homeostat.sim.apiserver.verbs.reading import existing

_GROUP, _KIND = "authentication.k8s.io", "TokenRequest"
_LASTS_S, _LEAST_S, _MOST_S = 3600, 600, 1 << 32
# A token of this length in a Pod is a projected one: it lasts for a year, and is told to be old after its time.
_PROJECTED_S, _EXTENDED_S = 3607, 365 * 86400
_BOUND = {"Pod": ("pods", True), "Secret": ("secrets", True), "Node": ("nodes", False)}


class Granter:
    """Gives tokens of one server's accounts."""

    def __init__(self, store: Store, tokens: Tokens, clock: Clock) -> None:
        self._store = store
        self._tokens = tokens
        self._clock = clock

    def grant(self, asked: Asked, body: bytes) -> Answer:
        """A token. Raises Refused."""
        requested = replace(asked, type=_type(asked.type), subresource="", verb="create")
        value = sent(body, requested)
        account = existing(self._store, asked).value(b"")
        spec = value.setdefault("spec", {})
        spec.setdefault("expirationSeconds", _LASTS_S)
        now = self._clock.now()
        value = owning.updated(_nothing(), value, replace(requested, subresource=asked.subresource), now)
        spec, metadata = value["spec"], value["metadata"]
        spec["audiences"] = spec.get("audiences") or [ISSUER]
        spec.setdefault("boundObjectRef", None)
        metadata.setdefault("name", asked.name)
        metadata.setdefault("namespace", asked.namespace)
        metadata.setdefault("uid", account["metadata"]["uid"])
        _check(asked, spec, metadata, account)
        claims, warn_s = self._claims(asked, spec, account), 0
        lasts_s = spec["expirationSeconds"]
        if lasts_s == _PROJECTED_S and "pod" in claims["kubernetes.io"] and spec["audiences"] == [ISSUER]:
            lasts_s, warn_s = _EXTENDED_S, _PROJECTED_S
        if warn_s:
            claims["kubernetes.io"]["warnafter"] = int(now.timestamp()) + warn_s
        metadata["creationTimestamp"] = stamp(now)
        value["status"] = {
            "token": self._tokens.made(claims, lasts_s),
            "expirationTimestamp": stamp(now + timedelta(seconds=spec["expirationSeconds"])),
        }
        return told(value, 201)

    def _claims(self, asked: Asked, spec: Value, account: Value) -> dict[str, Any]:
        bound: dict[str, Any] = {"namespace": asked.namespace, "serviceaccount": _reference(account)}
        if spec["boundObjectRef"]:
            bound |= self._bound(asked, spec["boundObjectRef"])
        subject = f"{ACCOUNT}:{asked.namespace}:{asked.name}"
        return {"aud": spec["audiences"], "kubernetes.io": bound, "sub": subject}

    def _bound(self, asked: Asked, reference: Value) -> dict[str, Any]:
        kind, version = reference.get("kind", ""), reference.get("apiVersion", "")
        if kind not in _BOUND or "/" in version:
            raise bad_request(f"cannot bind token to object of type /{version}, Kind={kind}")
        plural, is_within = _BOUND[kind]
        found = self._kept(plural, asked.namespace if is_within else "", reference.get("name", "")).value(b"")
        if kind == "Pod" and found["spec"].get("serviceAccountName", "") != asked.name:
            text = f'cannot bind token for serviceaccount "{asked.name}" to pod running with different serviceaccount'
            raise bad_request(f"{text} name.")
        wanted, uid = reference.get("uid"), found["metadata"]["uid"]
        if wanted and wanted != uid:
            why = f"the UID in the bound object reference ({wanted}) does not match the UID in record. The object might"
            text = f'Operation cannot be fulfilled on {kind} "{reference.get("name")}": {why}'
            raise Refused(409, "Conflict", f"{text} have been deleted and then recreated", kind=kind)
        named: dict[str, Any] = {kind.lower(): _reference(found)}
        if kind == "Pod" and (host := found["spec"].get("nodeName")):
            node = self._store.shelf(("", "nodes")).get(key_of("", host))
            named["node"] = _reference(node.value(b"")) if node is not None else {"name": host}
        return named

    def _kept(self, plural: str, namespace: str, name: str) -> Record:
        record = self._store.shelf(("", plural)).get(key_of(namespace, name))
        if record is None:
            raise Refused(404, "NotFound", f'{plural} "{name}" not found', kind=plural, name=name)
        return record


def _nothing() -> Value:
    """A request in which nothing was said: what it is bound to is there, and null."""
    return {"kind": _KIND, "apiVersion": f"{_GROUP}/v1", "metadata": {}, "spec": {"boundObjectRef": None}}


def _reference(value: Value) -> dict[str, str]:
    return {"name": value["metadata"]["name"], "uid": value["metadata"]["uid"]}


def _check(asked: Asked, spec: Value, metadata: Value, account: Value) -> None:
    uid = account["metadata"]["uid"]
    if metadata["uid"] != uid:
        why = f"the UID in the token request ({metadata['uid']}) does not match the UID of the service account ({uid})"
        text = f'Operation cannot be fulfilled on {_KIND}.{_GROUP} "{asked.name}": {why}'
        raise Refused(409, "Conflict", text, group=_GROUP, kind=_KIND, name=asked.name)
    found = list(_causes(spec["expirationSeconds"]))
    if metadata["name"] != asked.name:
        said = "must match the service account name if specified"
        found = [causes.invalid("metadata.name", metadata["name"], said)]
    if found:
        raise invalid(_GROUP, _KIND, asked.name if metadata["name"] != asked.name else "", found)


def _causes(seconds: int) -> Iterator[Cause]:
    place = "spec.expirationSeconds"
    if seconds < _LEAST_S:
        yield causes.invalid(place, seconds, "may not specify a duration less than 10 minutes")
    if seconds > _MOST_S:
        yield causes.invalid(place, seconds, "may not specify a duration larger than 2^32 seconds")


def _type(account: Type) -> Type:
    """The type of what is sent to the subresource."""
    strategy = Strategy()
    resource = builtin.Resource(_GROUP, "v1", _KIND, "tokenrequests", "tokenrequest", namespaced=True, verbs=())
    return Type(
        resource=Resource(_GROUP, "v1", _KIND, "tokenrequests"),
        schema=BuiltInSchema(resource, strategy),
        strategy=strategy,
        names=account.names,
    )
