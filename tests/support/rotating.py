"""A cluster in memory whose operator rotates keys: every plan is carried out at once, and all masters stay well."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msgspec import convert
from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, running, settled

from homeostat.api.cluster.certificates import ClusterRotations
from homeostat.api.core import Secret
from homeostat.operators.cluster.actions import ChangeKeys, IssueLeaf, Plan, RewriteSecrets
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.manifests.shape import digest_of
from homeostat.operators.cluster.observe import Observed, ProbeSeen
from homeostat.operators.cluster.pki.judging import Verdicts, judge
from homeostat.operators.cluster.pki.leaves import leaves, make
from homeostat.operators.cluster.pki.material import ENCRYPTION_KEY, left_of, material, name_of, next_keys, promoted
from homeostat.operators.cluster.report import report
from homeostat.runtime.loop import Result
from homeostat.runtime.outcome import DONE


class World:
    """One cluster, its Secrets, and the time."""

    def __init__(self, entries: Mapping[str, bytes], **spec: Any) -> None:
        self.entries = dict(entries)
        self.now = NOW
        self.rewrote = 0
        self._base = running(cluster(**spec))
        self._rewritten_at = ""
        self._verdicts: Verdicts = {}
        key = entries.get(ENCRYPTION_KEY)
        self.status = replace(self._base.cluster.status, encryption_key=name_of(key) if key else "")
        endpoint = self._base.endpoint
        self._held = {
            leaf.name: make(leaf, material(entries), NOW)
            for leaf in leaves(self._base.cluster, self._base.names, endpoint)
        }

    def seen(self) -> Observed:
        """As the operator sees it, all masters made of what the Secrets hold, and well."""
        names = self._base.names
        declared = replace(self._base.cluster, status=self.status)
        secrets = {name: _secret(name, held) for name, held in {**self._held, names.authority: self.entries}.items()}
        wanted = leaves(declared, names, self._base.endpoint)
        authority, judged = judge(declared, names, wanted, secrets, self._verdicts, self.now)
        seen = replace(
            self._base,
            cluster=declared,
            authority=authority,
            leaves=judged,
            ready_since=self.now,
            probed=ProbeSeen(self.now, "v1.35.4"),
            rewritten=self.status.rotation is not None and self._rewritten_at == repr(self.status.rotation),
        )
        return settled(seen)

    def step(self) -> Plan:
        """Look, decide, act, report."""
        self.now += timedelta(seconds=1)
        seen = self.seen()
        plan = decide(seen, self.now, Policy())
        for action in plan.actions:
            self._act(action)
        results = tuple(Result[Any](action, DONE) for action in plan.actions)
        status = report(seen, plan, results, self.now).status
        assert status is not None
        self.status = status
        return plan

    def run(self, until: str = "") -> list[str]:
        """Step until nothing is done any more, or a stage is reached; the stages that were come to."""
        stages: list[str] = []
        while until == "" or self._stage() != until:
            before = (self._stage(), dict(self.entries), dict(self._held), self._rewritten_at)
            self.step()
            if self._stage() not in ("", before[0]):
                stages.append(self._stage())
            if before == (self._stage(), self.entries, self._held, self._rewritten_at):
                break
        return stages

    def ask(self, rotations: ClusterRotations) -> None:
        """Declare other rotations."""
        self._declare(rotations=rotations)

    def release(self, kind: str) -> None:
        """Let the old keys of a kind go."""
        field = {"authorities": "authorities", "tokenKey": "token_key"}[kind]
        self._declare(released=ClusterRotations(**{field: 1}))

    def forget(self) -> None:
        """Lose what the operator keeps in memory."""
        if self.status.rotation is not None and self.status.rotation.stage != "Holding":
            self._rewritten_at = ""

    def _declare(self, **changes: Any) -> None:
        spec = self._base.cluster.spec
        spec = replace(spec, keys=replace(spec.keys, **changes))
        self._base = replace(self._base, cluster=replace(self._base.cluster, spec=spec))

    def _stage(self) -> str:
        return self.status.rotation.stage if self.status.rotation is not None else ""

    def _act(self, action: object) -> None:
        going = self.status.rotation
        match action:
            case IssueLeaf(leaf=leaf):
                keys = material(self.entries, going.keys if going else "", going.stage if going else "")
                self._held[leaf.name] = make(leaf, keys, self.now)
            case ChangeKeys(keys=keys, how=how):
                merged: dict[str, bytes | None] = {**self.entries}
                if how == "add":
                    merged |= next_keys(keys, self.entries, self.now)
                else:
                    merged |= promoted(keys, self.entries) if how == "promote" else {}
                    merged |= dict.fromkeys(left_of(self.entries))
                self.entries = {entry: value for entry, value in merged.items() if value is not None}
            case RewriteSecrets():
                self.rewrote += 1
                self._rewritten_at = repr(going)


def _secret(name: str, entries: Mapping[str, bytes]) -> Secret:
    data = {entry: b64encode(value).decode() for entry, value in entries.items()}
    metadata = {"name": name, "namespace": "default", "resourceVersion": digest_of(data)}
    return convert({"metadata": metadata, "data": data}, Secret)
