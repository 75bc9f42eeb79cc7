"""Names and values of labels, as all that carries labels or selects by them judges them.

Annotations and finalizers are named alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import invalid
from homeostat.sim.apiserver.schemas.rfc import QUALIFIED, dns_subdomain_faults

_SAYS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric"
    " character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is"
    " '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_NAME_SAYS = f"name part {_SAYS}"
_KEY_SAYS = f"a valid label key {_SAYS} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
_VALUE_SAYS = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    " '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def label_name_faults(key: str) -> list[str]:
    """What is wrong with the name of a label."""
    if key.count("/") > 1:
        return [_KEY_SAYS]
    prefix, slash, name = key.rpartition("/")
    faults = [f"prefix part {fault}" for fault in dns_subdomain_faults(prefix, "bytes")] if prefix else []
    if slash and not prefix:
        faults.append("prefix part must be non-empty")
    if not name:
        faults.append("name part must be non-empty")
    elif len(name) > 63:
        faults.append("name part must be no more than 63 bytes")
    return faults if QUALIFIED.fullmatch(name) else [*faults, _NAME_SAYS]


def label_value_faults(value: str) -> list[str]:
    """What is wrong with the value of a label."""
    faults = ["must be no more than 63 bytes"] if len(value) > 63 else []
    return faults if not value or QUALIFIED.fullmatch(value) else [*faults, _VALUE_SAYS]


def label_causes(labels: Mapping[str, str], path: str) -> Iterator[Cause]:
    """Faults of labels, all of them at the path of the whole."""
    for key, value in labels.items():
        yield from (invalid(path, key, fault) for fault in label_name_faults(key))
        yield from (invalid(path, value, fault) for fault in label_value_faults(value or ""))


def annotation_causes(names: Iterable[str], path: str) -> Iterator[Cause]:
    """Faults of the names of annotations, which may have large letters everywhere."""
    for name in names:
        yield from (invalid(path, name, fault) for fault in label_name_faults(name.lower()))
