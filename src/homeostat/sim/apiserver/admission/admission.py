"""Who is asked about the writes of one server."""

from __future__ import annotations

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.sim.apiserver.admission.calling import Caller
from homeostat.sim.apiserver.admission.hooks import Hooks
from homeostat.sim.apiserver.admission.matching import Hook, hooks_of
from homeostat.sim.apiserver.admission.policies import Policies, bindings_of, policies_of
from homeostat.sim.apiserver.admission.reviewed import Write, deletion
from homeostat.sim.apiserver.refusing import not_imitated
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
_OPERATIONS = {"create": "CREATE", "update": "UPDATE", "patch": "UPDATE", "delete": "DELETE"}


class Admission:
    """Of one server."""

    def __init__(self, store: Store, types: Types, clock: Clock, random: Random, caller: Caller) -> None:
        self._mutating, self._validating = store.shelf(MUTATING), store.shelf(VALIDATING)
        self._policies, self._bindings = store.shelf(POLICIES), store.shelf(BINDINGS)
        self._rules = Policies(store, types)
        self._hooks = Hooks(store, types, clock, random, caller)

    def asks_about(self, asked: Asked) -> bool:
        """Whether anybody could be asked; never about those who say whom to ask."""
        if not (len(self._mutating) or len(self._validating) or len(self._bindings)):
            return False
        return asked.type.resource.group != GROUP

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


def _is_about(said: str, asked: Asked) -> bool:
    resource, _, subresource = said.partition("/")
    return resource in ("*", asked.type.resource.plural) and subresource in ("*", asked.subresource)
