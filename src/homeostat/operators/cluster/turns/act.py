"""One idempotent function per action of a rotation. What is read is read again, and written only if nobody else did."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from homeostat.api.cluster.v1alpha1 import CLUSTER
from homeostat.api.core import SECRET
from homeostat.kit.clock import Clock
from homeostat.kit.pki.soundness import decoded
from homeostat.kube.client import Client
from homeostat.kube.errors import Conflict
from homeostat.operators.cluster.actions import ChangeKeys, RewriteSecrets, Wrote
from homeostat.operators.cluster.ending import is_ending
from homeostat.operators.cluster.names import FIELD_MANAGER, KUBECONFIG_KEY
from homeostat.operators.cluster.observe import Memory, Observed, Rewriting
from homeostat.operators.cluster.pki.material import check_keys, has_next, left_of, next_keys, promoted
from homeostat.operators.cluster.ports import Probe, Unreachable
from homeostat.runtime.outcome import DONE, Outcome, Progress

KeyAction = ChangeKeys | RewriteSecrets
_NEXT_PAGE_S = 0.5
_AGAIN_S = 5.0
_LATER_S = 60.0  # once one of them could not be written: each round costs the business cluster a write of all before
_LOST = 5  # failures in a row until it is the place that is no good
_SHOWN = 400


class KeyActor:
    """Changes the Secret of authorities, and has Secrets of business clusters written anew."""

    def __init__(self, client: Client, probe: Probe, memory: Callable[[str], Memory], *, clock: Clock) -> None:
        self._client = client
        self._probe = probe
        self._memory = memory
        self._clock = clock

    async def act(self, seen: Observed, action: KeyAction) -> Outcome:
        """Do one thing."""
        if isinstance(action, RewriteSecrets):
            return await self._rewrite(seen)
        return await self._change(seen, action)

    async def _change(self, seen: Observed, action: ChangeKeys) -> Outcome:
        """Only while the Cluster's rotation is the one that was seen, and on the very Secret that is read here."""
        name, namespace = seen.cluster.metadata.name, seen.names.namespace
        cluster = await self._client.get(CLUSTER, name, namespace)
        if cluster.metadata.uid != seen.cluster.metadata.uid or cluster.status.rotation != seen.cluster.status.rotation:
            raise Conflict(
                409, "Conflict", f"{cluster.metadata.key}: its rotation of keys is another one now: look again"
            )
        if cluster.spec.paused or is_ending(cluster):
            return Progress(_AGAIN_S, "keys are left as they are: the Cluster is paused or is being deleted")
        secret = await self._client.get(SECRET, seen.names.authority, namespace)
        change = self._entries(action, decoded(secret.data))
        if not change:
            return DONE
        data = {entry: None if value is None else b64encode(value).decode() for entry, value in change.items()}
        version = {"uid": secret.metadata.uid, "resourceVersion": secret.metadata.resource_version}
        done = await self._client.merge_patch(
            SECRET, secret.metadata.name, {"metadata": version, "data": data}, namespace, field_manager=FIELD_MANAGER
        )
        return Wrote(((SECRET.resource.kind, done.metadata.resource_version),))

    def _entries(self, action: ChangeKeys, entries: Mapping[str, bytes]) -> dict[str, bytes | None]:
        match action.how:
            case "add" if not has_next(action.keys, entries):
                check_keys(entries)
                return dict.fromkeys(left_of(entries)) | next_keys(action.keys, entries, self._clock.now())
            case "promote" if has_next(action.keys, entries):
                return promoted(action.keys, entries)
            case "discard":
                return dict.fromkeys(left_of(entries))
        return {}

    async def _rewrite(self, seen: Observed) -> Outcome:
        """One page; after many failures from the first one: what is written anew already is not written again."""
        going, memory = seen.cluster.status.rotation, self._memory(seen.cluster.metadata.uid)
        assert going is not None  # noqa: S101  (rotate() says so)
        last = memory.rewriting if memory.rewriting is not None and memory.rewriting.of == going else Rewriting(going)
        secret = await self._client.get(SECRET, seen.names.admin, seen.names.namespace)
        try:
            after = await self._probe.rewrite_secrets(decoded(secret.data).get(KUBECONFIG_KEY, b""), last.after)
        except Unreachable as error:
            failures, stuck = last.failures + 1, str(error)[:_SHOWN]
            memory.rewriting = replace(last, failures=failures) if failures < _LOST else Rewriting(going, stuck=stuck)
            return Progress(_LATER_S if memory.rewriting.stuck else _AGAIN_S, stuck)
        memory.rewriting = Rewriting(going, after, is_done=not after, stuck=last.stuck if after else "")
        return Progress(_NEXT_PAGE_S, "the next Secrets to be written anew")
