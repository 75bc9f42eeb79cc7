"""Who is asked about the writes of one server: its own plugins, and webhooks and policies beside them."""

from __future__ import annotations

from collections.abc import Sequence

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.sim.apiserver.admission.accounts import ACCOUNTS, give_account, named_account, wants_account
from homeostat.sim.apiserver.admission.calling import Caller
from homeostat.sim.apiserver.admission.hooks import Hooks
from homeostat.sim.apiserver.admission.limits import excess, give_limits
from homeostat.sim.apiserver.admission.matching import Hook, hooks_of
from homeostat.sim.apiserver.admission.policies import Policies, bindings_of, policies_of
from homeostat.sim.apiserver.admission.quotas import Charge, Exceeded, charges
from homeostat.sim.apiserver.admission.reviewed import Write, deletion
from homeostat.sim.apiserver.quotas.counting import counter_of
from homeostat.sim.apiserver.refusing import Refused, not_imitated
from homeostat.sim.apiserver.store.record import key_of
from homeostat.sim.apiserver.store.shelf import Shelf
from homeostat.sim.apiserver.store.store import Collection, Store
from homeostat.sim.apiserver.types.registry import Types
from homeostat.sim.apiserver.types.routing import Asked
from homeostat.sim.apiserver.types.type import Value

GROUP = "admissionregistration.k8s.io"
MUTATING: Collection = (GROUP, "mutatingwebhookconfigurations")
VALIDATING: Collection = (GROUP, "validatingwebhookconfigurations")
POLICIES: Collection = (GROUP, "validatingadmissionpolicies")
BINDINGS: Collection = (GROUP, "validatingadmissionpolicybindings")
QUOTAS: Collection = ("", "resourcequotas")
RANGES: Collection = ("", "limitranges")
_LIMITED = (("", "pods"), ("", "persistentvolumeclaims"))
_OPERATIONS = {"create": "CREATE", "update": "UPDATE", "patch": "UPDATE", "delete": "DELETE"}


class Admission:
    """Of one server."""

    def __init__(
        self, store: Store, types: Types, clock: Clock, random: Random, caller: Caller, *, accounts: bool
    ) -> None:
        """`accounts`: whether Pods are given accounts, as only works where every namespace has one."""
        self._mutating, self._validating = store.shelf(MUTATING), store.shelf(VALIDATING)
        self._policies, self._bindings = store.shelf(POLICIES), store.shelf(BINDINGS)
        self._rules = Policies(store, types)
        self._hooks = Hooks(store, types, clock, random, caller)
        self._quotas, self._ranges, self._clock = store.shelf(QUOTAS), store.shelf(RANGES), clock
        self._accounts, self._random = store.shelf(ACCOUNTS) if accounts else None, random

    def asks_about(self, asked: Asked) -> bool:
        """Whether anybody could be asked; never about those who say whom to ask."""
        if not (len(self._mutating) or len(self._validating) or len(self._bindings)):
            return False
        return asked.type.resource.group != GROUP

    def furnish(self, asked: Asked, value: Value, given: str) -> None:
        """Fill in what a new Pod has from its namespace: its limits, and whose rights it has. Raises Refused.

        `given` is the name that it came with: at this point a real server has not made one yet.
        """
        if asked.type.collection != ("", "pods"):
            return
        for each in _of_namespace(self._ranges, asked):
            give_limits(each, value)
        if self._accounts is not None and wants_account(value):
            name = named_account(value)
            found = self._accounts.get(key_of(asked.namespace, name))
            if found is None:
                why = f'error looking up service account {asked.namespace}/{name}: serviceaccount "{name}" not found'
                raise _forbidden(asked, given or value["metadata"].get("generateName", ""), why)
            give_account(value, found.value(b""), self._random)

    def check_limits(self, asked: Asked, value: Value, old: Value | None) -> None:
        """Refuse a new Pod, or a claim, that is above or below the limits of its namespace. Raises Refused."""
        collection = asked.type.collection
        is_judged = collection in _LIMITED and not asked.subresource
        if not is_judged or (old is not None and (collection[1] == "pods" or "deletionTimestamp" in old["metadata"])):
            return
        for each in _of_namespace(self._ranges, asked):
            why = excess(each, collection[1], value)
            if why:
                raise _forbidden(asked, value["metadata"]["name"], why)

    def charges(self, asked: Asked, value: Value, old: Value | None) -> Sequence[Charge]:
        """What a new object, or a change of one, takes of the quotas of its namespace. Raises Refused."""
        if asked.subresource or not len(self._quotas):
            return ()
        counter = counter_of(asked.type.collection)
        if counter is None or (old is not None and not counter.weighs_updates):
            return ()
        try:
            return charges(_of_namespace(self._quotas, asked), counter, value, old, self._clock.now())
        except Exceeded as error:
            raise _forbidden(asked, value["metadata"]["name"], str(error)) from error

    async def change(self, write: Write) -> Value:
        """The object as webhooks make it. Raises Refused."""
        value = (await self._hooks.change(_all(self._mutating), write)).object
        assert value is not None  # noqa: S101  (what has an object keeps one)
        return value

    async def judge(self, write: Write) -> None:
        """Let all policies and webhooks judge. Raises Refused."""
        self._rules.judge(policies_of(self._policies.within("")), bindings_of(self._bindings.within("")), write)
        await self._hooks.judge(_all(self._validating), write)

    async def judge_end(self, asked: Asked, value: Value, options: Value, *, is_dry_run: bool) -> None:
        """Let all webhooks hear of a deletion: those that change objects can only refuse it. Raises Refused."""
        write = deletion(asked, value, options, is_dry_run=is_dry_run)
        await self._hooks.change(_all(self._mutating), write)
        await self.judge(write)

    def check_unasked(self, asked: Asked) -> None:
        """Refuse what a webhook wants to know of and is not told of here. Raises Refused."""
        if asked.verb not in _OPERATIONS or not self.asks_about(asked):
            return
        selections = [hook.selection for hook in (*_all(self._mutating), *_all(self._validating))]
        selections += [policy.selection for policy in policies_of(self._policies.within(""))]
        for selection in selections:
            if any(_is_about(each, asked) for rule in selection.rules for each in rule.resources):
                raise not_imitated(f"webhooks and policies about {asked.type.qualified}/{asked.subresource}")


def _all(shelf: Shelf) -> tuple[Hook, ...]:
    return tuple(hook for kept in shelf.within("") for hook in hooks_of(kept))


def _of_namespace(shelf: Shelf, asked: Asked) -> list[Value]:
    """Those that bind whom a request is about; nobody where it is about no namespace."""
    return [each.value(b"") for each in shelf.within(asked.namespace)] if asked.namespace and len(shelf) else []


def _forbidden(asked: Asked, name: str, why: str) -> Refused:
    resource = asked.type.resource
    text = f'{asked.type.qualified} "{name}" is forbidden: {why}'
    return Refused(403, "Forbidden", text, group=resource.group, kind=resource.plural, name=name)


def _is_about(said: str, asked: Asked) -> bool:
    resource, _, subresource = said.partition("/")
    return resource in ("*", asked.type.resource.plural) and subresource in ("*", asked.subresource)
