"""Questions that are answered and never kept: may this user, may I, what may I, who am I, whose token is this."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from homeostat.kit.clock import Clock
from homeostat.sim.apiserver.access.attributes import Attributes, User
from homeostat.sim.apiserver.access.roles import Roles, Rule
from homeostat.sim.apiserver.access.tokens import BadToken, Tokens
from homeostat.sim.apiserver.answer import Answer, told
from homeostat.sim.apiserver.refusing import Cause, bad_request, invalid
from homeostat.sim.apiserver.schemas import causes
from homeostat.sim.apiserver.schemas.causes import InOrder
from homeostat.sim.apiserver.types.metadata import stamp
from homeostat.sim.apiserver.types.routing import Asked
from homeostat.sim.apiserver.types.type import Strategy, Value
from homeostat.sim.apiserver.verbs import owning
from homeostat.sim.apiserver.verbs.bodies import sent

AUTHENTICATION, AUTHORIZATION = "authentication.k8s.io", "authorization.k8s.io"
_BOTH = "cannot be specified in combination with"
REVIEWS = (
    (AUTHORIZATION, "localsubjectaccessreviews"),
    (AUTHORIZATION, "selfsubjectaccessreviews"),
    (AUTHORIZATION, "selfsubjectrulesreviews"),
    (AUTHORIZATION, "subjectaccessreviews"),
    (AUTHENTICATION, "selfsubjectreviews"),
    (AUTHENTICATION, "tokenreviews"),
)


class Reviewed(Strategy):
    """A question: its objects are made, answered, and forgotten."""


class Reviewer:
    """Answers for one server."""

    def __init__(self, roles: Roles, tokens: Tokens, clock: Clock) -> None:
        self._roles = roles
        self._tokens = tokens
        self._clock = clock

    def answer(self, asked: Asked, body: bytes) -> Answer:
        """A question, answered. Raises Refused."""
        value = sent(body, asked)
        if asked.namespace:
            value["metadata"].setdefault("namespace", asked.namespace)
        value = owning.updated(None, value, asked, self._clock.now())
        asked.type.schema.default(value)
        value["status"] = self._status(asked, value)
        return told(value, 201)

    def _status(self, asked: Asked, value: Value) -> Value:
        spec = value.get("spec") or {}
        match asked.type.resource.plural:
            case "selfsubjectreviews":
                value["metadata"].setdefault("creationTimestamp", stamp(self._clock.now()))
                return {"userInfo": asked.user.told()}
            case "selfsubjectrulesreviews":
                return self._rules(asked.user, spec)
            case "selfsubjectaccessreviews":
                _check(asked, _causes(spec))
                return self._verdict(asked.user, spec)
            case "tokenreviews":
                return self._token(spec)
        user = User(
            spec.get("user", ""),
            tuple(spec.get("groups") or ()),
            spec.get("uid", ""),
            {key: tuple(values or ()) for key, values in (spec.get("extra") or {}).items()},
        )
        place = asked.namespace or None
        _check(asked, [*_causes(spec), *_nobody(user), *_elsewhere(spec, place)])
        return self._verdict(user, spec)

    def _verdict(self, user: User, spec: Value) -> Value:
        reason = self._roles.reason(user, _wanted(spec))
        return {"allowed": reason is not None} | ({"reason": reason} if reason else {})

    def _rules(self, user: User, spec: Value) -> Value:
        namespace = spec.get("namespace", "")
        if not namespace:
            raise bad_request("no namespace on request")
        rules = list(self._roles.rules_in(user, namespace))
        return {
            "resourceRules": [_resource_rule(each) for each in rules if not each.paths],
            "nonResourceRules": [_path_rule(each) for each in rules if each.paths],
            "incomplete": False,
        }

    def _token(self, spec: Value) -> Value:
        text, audiences = spec.get("token", ""), tuple(spec.get("audiences") or ())
        if not text:
            raise bad_request("token is required for TokenReview in authentication")
        try:
            user, heard = self._tokens.user_of(text, audiences)
        except BadToken as error:
            return {"user": {}, "error": str(error)}
        return {"authenticated": True, "user": user.told(), "audiences": list(heard)}


def _wanted(spec: Value) -> Attributes:
    path, resource = spec.get("nonResourceAttributes"), spec.get("resourceAttributes") or {}
    if path:
        return Attributes(verb=path.get("verb", ""), path=path.get("path", ""))
    plural, below = resource.get("resource", ""), resource.get("subresource", "")
    return Attributes(
        verb=resource.get("verb", ""),
        group=resource.get("group", ""),
        resource=f"{plural}/{below}" if below else plural,
        namespace=resource.get("namespace", ""),
        name=resource.get("name", ""),
    )


def _causes(spec: Value) -> Iterator[Cause]:
    path, resource = spec.get("nonResourceAttributes"), spec.get("resourceAttributes")
    if path is not None and resource is not None:
        shown = InOrder(Path=path.get("path", ""), Verb=path.get("verb", ""))
        yield causes.invalid("spec.nonResourceAttributes", shown, f"{_BOTH} resourceAttributes")
    if path is None and resource is None:
        said = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield causes.invalid("spec.resourceAttributes", None, said)


def _nobody(user: User) -> Iterator[Cause]:
    if not user.name and not user.groups:
        yield causes.invalid("spec.user", "", "at least one of user or group must be specified")


def _elsewhere(spec: Value, namespace: str | None) -> Iterator[Cause]:
    within = (spec.get("resourceAttributes") or {}).get("namespace", "")
    if namespace is not None and within != namespace:
        yield causes.invalid("spec.resourceAttributes.namespace", within, "must match metadata.namespace")


def _check(asked: Asked, found: Iterable[Cause]) -> None:
    listed = list(found)
    if listed:
        raise invalid(asked.type.resource.group, "", "", listed)


def _resource_rule(rule: Rule) -> Value:
    shown = {
        "verbs": sorted(rule.verbs),
        "apiGroups": sorted(rule.groups),
        "resources": sorted(rule.resources),
        "resourceNames": sorted(rule.names),
    }
    return {key: value for key, value in shown.items() if value}


def _path_rule(rule: Rule) -> Value:
    return {"verbs": sorted(rule.verbs), "nonResourceURLs": list(rule.paths)}
