"""What clients send: JSON or YAML of the right type, for the right place, and what is to be said of its fields.

Unknown and repeated fields are dropped, told of or refused, as the client wants it (`fieldValidation`); a value of the
wrong type is always refused.
"""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from homeostat.sim.apiserver.refusing import Cause, Refused, bad_request, invalid
from homeostat.sim.apiserver.schemas import reading, repeats
from homeostat.sim.apiserver.schemas.decoding import strictly
from homeostat.sim.apiserver.types.routing import Asked
from homeostat.sim.apiserver.types.type import Type, Value

# As a kube-apiserver's limit on requests (MaxRequestBodyBytes).
MAX_BYTES = 3 << 20
JSON, YAML = "application/json", "application/yaml"
_VALIDATIONS = ("Ignore", "Strict", "Warn")


def too_large() -> Refused:
    """The body has more than MAX_BYTES."""
    return Refused(413, "RequestEntityTooLarge", f"Request entity too large: limit is {MAX_BYTES}")


def json_of(body: bytes) -> Any:
    """Any JSON, such as a patch. Raises Refused."""
    _check_size(body)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_request(f"invalid character or end in the JSON of the request: {error}") from error


def yaml_of(body: bytes) -> Any:
    """Any YAML. Raises Refused."""
    _check_size(body)
    try:
        # Most of it is JSON, which is YAML and read far faster.
        return msgspec.json.decode(body) if body[:1] == b"{" else yaml.safe_load(body)
    except (msgspec.DecodeError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise bad_request(f"error decoding YAML: {error}") from error


def repeats_in(body: bytes, value: Any, asked: Asked) -> str:
    """What is to be said of fields that stand twice in YAML, of which `value` was read; nothing when none does."""
    # What was JSON without any is the same when it is written again: nearly all that is applied.
    if validation(asked) == "Ignore" or msgspec.json.encode(value) == body:
        return ""
    found = "\n".join(f"  {each}" for each in repeats.in_yaml(body))
    return f"error converting YAML to JSON: yaml: unmarshal errors:\n{found}" if found else ""


def tell_repeats(said: str, asked: Asked) -> None:
    """Say so, or refuse, as the client wants it. Raises Refused."""
    if said and validation(asked) == "Strict":
        raise bad_request(f"error strict decoding YAML: {said}")
    if said:
        asked.warnings.append(said)


def sent(body: bytes, asked: Asked) -> Value:
    """The object that a body is. Raises Refused."""
    if asked.media == YAML:
        return object_of(yaml_of(body), asked)
    _check_size(body)
    kind = asked.type.resource.kind
    try:
        value = reading.read(body)
    except reading.BadJson as error:
        raise bad_request(reading.unrecognized(body, kind, str(error))) from None
    if value is None:
        value = {}  # of which Go says nothing
    if not isinstance(value, dict):
        raise bad_request(reading.unrecognized(body, kind, reading.no_object(value)))
    return object_of(value, asked)


def object_of(value: Any, asked: Asked, before: Value | None = None) -> Value:
    """An object of the type that is asked about, with metadata, for its place. Raises Refused.

    `before` is the object as it was kept, where it may have parts in common with that.
    """
    if not isinstance(value, dict):
        raise bad_request("the body of the request was not a JSON object; expected one")
    return placed(_decoded(value, asked, before), asked)


def placed(value: Value, asked: Asked) -> Value:
    """The object with its type and metadata, which fit what is asked. Raises Refused."""
    _check_type(value, asked.type)
    metadata = value.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        raise bad_request("metadata: expected an object")
    _check_place(metadata, asked)
    if asked.namespace:
        metadata["namespace"] = asked.namespace
    value["kind"], value["apiVersion"] = asked.type.resource.kind, asked.type.resource.api_version
    return value


def _decoded(value: Value, asked: Asked, before: Value | None) -> Value:
    """Its fields that the type knows; of the others is told as the client wants it. Raises Refused."""
    wanted = validation(asked)
    decoded, faults = asked.type.schema.decode(value, before)
    if faults and wanted == "Strict":
        raise strictly(asked.type.resource.kind, asked.type.resource.version, faults)
    if wanted == "Warn":
        asked.warnings.extend(faults)
    return decoded


def validation(asked: Asked) -> str:
    """What is to be done about unknown and repeated fields. Raises Refused."""
    wanted = asked.query.get("fieldValidation") or "Warn"
    if wanted not in _VALIDATIONS:
        known = ", ".join(f'"{each}"' for each in ("", *_VALIDATIONS))
        cause = Cause("FieldValueNotSupported", f'Unsupported value: "{wanted}": supported values: {known}', _FIELD)
        raise invalid("meta.k8s.io", "CreateOptions", "", [cause])
    return wanted


def _check_size(body: bytes) -> None:
    if len(body) > MAX_BYTES:
        raise too_large()


def _check_type(value: Value, type_: Type) -> None:
    kind, version = value.get("kind", ""), value.get("apiVersion", "")
    expected = type_.resource
    if version and version != expected.api_version:
        text = f"the API version in the data ({version}) does not match the expected API version"
        raise bad_request(f"{text} ({expected.api_version})")
    if kind and kind != expected.kind:
        raise bad_request(f'{kind} in version "{expected.version}" cannot be handled as a {expected.kind}')


def _check_place(metadata: Value, asked: Asked) -> None:
    namespace, name = metadata.get("namespace") or "", metadata.get("name") or ""
    if namespace and namespace != asked.namespace:
        text = "the namespace of the provided object does not match the namespace sent on the request"
        raise bad_request(text)
    if asked.name and name and name != asked.name and asked.verb != "create":
        text = f"the name of the object ({name}) does not match the name on the URL ({asked.name})"
        raise bad_request(text)


_FIELD = "fieldValidation"
