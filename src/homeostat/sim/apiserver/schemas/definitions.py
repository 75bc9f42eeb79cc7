"""Whether a CustomResourceDefinition may be stored: what apiextensions asks of it, with its causes.

An API server keeps what all versions have in common once, above them, and says so in its paths: the schema of a CRD of
one version is at `spec.validation`, not at `spec.versions[0].schema`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas import causes, rules
from homeostat.sim.apiserver.schemas.causes import InOrder, at_index, child
from homeostat.sim.apiserver.schemas.default_checks import default_causes
from homeostat.sim.apiserver.schemas.definition_parts import column_causes, selectable_causes, subresource_causes
from homeostat.sim.apiserver.schemas.definition_schemas import schema_causes
from homeostat.sim.apiserver.schemas.internals import shown_schema, shown_versions
from homeostat.sim.apiserver.schemas.naming import name_causes, names_causes
from homeostat.sim.apiserver.schemas.rfc import dns_1035_label_faults
from homeostat.sim.apiserver.schemas.schema import read
from homeostat.sim.apiserver.schemas.structural import structural_causes

Object = Mapping[str, Any]
_ROOT_FIELDS = (
    "Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern "
    "MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields "
    "XValidations"
)
_NOT_AT_ROOT: tuple[str, ...] = (
    "nullable",
    "default",
    "enum",
    "maxProperties",
    "minProperties",
    "additionalProperties",
)
_NOT_AT_ROOT += ("allOf", "oneOf", "anyOf", "not", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string")
_NOT_AT_ROOT += ("x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type")


def set_defaults(crd: dict[str, Any]) -> None:
    """What an API server fills in: the singular, the kind of lists, no conversion, and the version that is stored."""
    spec = crd.setdefault("spec", {})
    names = spec.setdefault("names", {})
    if not names.get("singular"):
        names["singular"] = names.get("kind", "").lower()
    if not names.get("listKind") and names.get("kind"):
        names["listKind"] = names["kind"] + "List"
    if spec.get("conversion") is None:
        spec["conversion"] = {"strategy": "None"}
    status = crd.setdefault("status", {})
    if not status.get("storedVersions"):
        stored = [each["name"] for each in spec.get("versions") or () if each.get("storage")]
        status["storedVersions"] = stored[:1]


def definition_causes(crd: Object, before: Object | None = None) -> list[Cause]:
    """Why a CRD, with its defaults set, is refused. `before` is the stored one, for an update."""
    spec = crd.get("spec") or {}
    found = [*name_causes(crd, spec), *_spec(spec)]
    if before is not None:
        found += _changed(spec, before["spec"], established=_is_established(before))
    found += names_causes((crd.get("status") or {}).get("acceptedNames") or {}, "status.acceptedNames")
    found += _stored_versions((crd.get("status") or {}).get("storedVersions") or [], spec.get("versions") or ())
    if spec.get("preserveUnknownFields"):
        said = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        found.append(causes.invalid("spec.preserveUnknownFields", True, said))
    return found


def _is_established(crd: Object) -> bool:
    conditions = (crd.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == "Established" and each.get("status") == "True" for each in conditions)


def _spec(spec: Object) -> Iterator[Cause]:
    versions: Sequence[Object] = spec.get("versions") or ()
    if spec.get("scope", "") == "":
        yield causes.required("spec.scope")
    elif spec["scope"] not in ("Cluster", "Namespaced"):
        yield causes.not_supported("spec.scope", spec["scope"], ("Cluster", "Namespaced"))
    if not _common(versions, "schema"):
        for index, version in enumerate(versions):
            if not (version.get("schema") or {}).get("openAPIV3Schema"):
                yield causes.required(f"spec.versions[{index}].schema.openAPIV3Schema")
    elif versions and not (versions[0].get("schema") or {}).get("openAPIV3Schema"):
        for index in range(len(versions)):
            yield causes.required(f"spec.versions[{index}].schema.openAPIV3Schema")
    for index, version in enumerate(versions):
        yield from _version(version, versions, f"spec.versions[{index}]")
    yield from _versions(versions)
    yield from names_causes(spec.get("names") or {}, "spec.names", required=True)
    if versions:
        yield from _shared(versions)
    yield from _conversion(spec.get("conversion") or {})


def _versions(versions: Sequence[Object]) -> Iterator[Cause]:
    names = [each.get("name", "") for each in versions]
    if len(set(names)) < len(names):
        yield causes.invalid("spec.versions", _shown(versions), "must contain unique version names")
    if sum(bool(each.get("storage")) for each in versions) != 1:
        said = "must have exactly one version marked as storage version"
        yield causes.invalid("spec.versions", _shown(versions), said)
    if names and names[0] and (faults := dns_1035_label_faults(names[0])):
        yield causes.invalid("spec.version", names[0], ",".join(faults))


def _shown(versions: Sequence[Object]) -> list[InOrder]:
    words = ("schema", "subresources", "additionalPrinterColumns", "selectableFields")
    return shown_versions(versions, [word for word in words if _common(versions, word)])


def _version(version: Object, versions: Sequence[Object], path: str) -> Iterator[Cause]:
    """What a version has for itself alone; what all have is judged once, in `_shared`."""
    if faults := dns_1035_label_faults(version.get("name", "")):
        yield causes.invalid(child(path, "name"), version.get("name", ""), ",".join(faults))
    warning = version.get("deprecationWarning")
    if warning is not None and not version.get("deprecated"):
        said = "can only be set for deprecated versions"
        yield causes.invalid(child(path, "deprecationWarning"), warning, said)
    if not _common(versions, "schema"):
        yield from _schema(version, child(path, "schema"))
    if not _common(versions, "subresources"):
        yield from subresource_causes(version.get("subresources") or {}, child(path, "subresources"))
    if not _common(versions, "additionalPrinterColumns"):
        yield from column_causes(version, child(path, "additionalPrinterColumns"))
    if not _common(versions, "selectableFields"):
        yield from selectable_causes(version, child(path, "selectableFields"))


def _shared(versions: Sequence[Object]) -> Iterator[Cause]:
    if _common(versions, "schema"):
        yield from _schema(versions[0], "spec.validation", _any_status(versions))
    if _common(versions, "subresources"):
        yield from subresource_causes(versions[0].get("subresources") or {}, "spec.subresources")
    if _common(versions, "additionalPrinterColumns"):
        yield from column_causes(versions[0], "spec.additionalPrinterColumns")
    if _common(versions, "selectableFields"):
        yield from selectable_causes(versions[0], "spec.selectableFields")


def _common(versions: Sequence[Object], word: str) -> bool:
    return all(each.get(word) == versions[0].get(word) for each in versions)


def _any_status(versions: Sequence[Object]) -> bool:
    return any((each.get("subresources") or {}).get("status") is not None for each in versions)


def _schema(version: Object, path: str, has_status: bool | None = None) -> Iterator[Cause]:
    raw = (version.get("schema") or {}).get("openAPIV3Schema")
    if raw is None:
        return
    place = child(path, "openAPIV3Schema")
    if has_status if has_status is not None else _any_status([version]):
        yield from _root_with_status(raw, place)
    if raw.get("nullable"):
        yield causes.forbidden(child(place, "nullable"), "nullable cannot be true at the root")
    if _is_unreadable(raw):
        yield from schema_causes(raw, place)
        return
    schema = read(raw)
    found = [*(structural_causes(schema, place) or default_causes(schema, place)), *schema_causes(raw, place)]
    # Rules are about a sound schema.
    yield from found or rules.definition_causes(schema, place)


def _is_unreadable(raw: Any) -> bool:
    """Whether it has what no structural schema can, which the schema's own check tells."""
    if isinstance(raw, Mapping):
        if any(raw.get(word) for word in ("id", "$schema", "$ref", "patternProperties", "dependencies", "definitions")):
            return True
        if raw.get("additionalItems") is not None or raw.get("x-kubernetes-preserve-unknown-fields") is False:
            return True
        parts = [raw.get(word) for word in ("items", "not", "additionalProperties")]
        parts += (raw.get("properties") or {}).values()
        for word in ("allOf", "anyOf", "oneOf"):
            parts += raw.get(word) or ()
        return isinstance(raw.get("items"), list) or any(map(_is_unreadable, parts))
    return False


def _root_with_status(raw: Object, path: str) -> Iterator[Cause]:
    if raw.get("type", "") not in ("", "object"):
        said = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        yield causes.invalid(child(path, "type"), raw["type"], said)
    elif any(raw.get(word) for word in _NOT_AT_ROOT):
        said = (
            f"only [{_ROOT_FIELDS}] fields are allowed at the root of the schema if the status subresource is enabled"
        )
        yield causes.invalid(path, shown_schema(raw), said)


def _conversion(conversion: Object) -> Iterator[Cause]:
    strategy = conversion.get("strategy", "")
    if not strategy:
        yield causes.required("spec.conversion.strategy")
    elif strategy not in ("None", "Webhook"):
        yield causes.not_supported("spec.conversion.strategy", strategy, ("None", "Webhook"))


def _stored_versions(stored: list[str], versions: Sequence[Object]) -> Iterator[Cause]:
    place = "status.storedVersions"
    if not stored:
        yield causes.invalid(place, None, "must have at least one stored version")
        return
    for version in versions:
        if version.get("storage") and version.get("name") not in stored:
            yield causes.invalid(place, stored, f"must have the storage version {version['name']}")
    for index, name in enumerate(stored):
        if all(name != each.get("name") for each in versions):
            said = f"missing from spec.versions; {name} was previously a storage version, and must remain in "
            said += "spec.versions until a storage migration ensures no data remains persisted in "
            said += f"{name} and removes {name} from status.storedVersions"
            yield causes.invalid(at_index(place, index), name, said)


def _changed(spec: Object, before: Object, *, established: bool) -> Iterator[Cause]:
    fixed = [("scope",), ("names", "kind")] if established else []
    for words in [*fixed, ("group",), ("names", "plural")]:
        now, then = _at(spec, words), _at(before, words)
        if now != then:
            yield causes.invalid(".".join(("spec", *words)), now, "field is immutable")


def _at(value: Any, words: Sequence[str]) -> Any:
    for word in words:
        value = (value or {}).get(word)
    return value
