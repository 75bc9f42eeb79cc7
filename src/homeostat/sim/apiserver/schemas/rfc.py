"""Names as apimachinery's `util/validation` judges them, with its messages."""

from __future__ import annotations

import re

LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
SUBDOMAIN = re.compile(rf"{LABEL.pattern}(?:\.{LABEL.pattern})*")
LABEL_1035 = re.compile(r"[a-z](?:[-a-z0-9]*[a-z0-9])?")
QUALIFIED = re.compile(r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")

_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_LABEL_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_WILDCARD = re.compile(rf"\*\.{SUBDOMAIN.pattern}")
_WILDCARD_TEXT = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', "
    r"regex used for validation is '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


def is_dns_label(text: str) -> bool:
    """Whether it is an RFC 1123 label."""
    return not dns_label_faults(text)


def is_dns_subdomain(text: str) -> bool:
    """Whether it is an RFC 1123 subdomain."""
    return not dns_subdomain_faults(text)


def dns_label_faults(text: str) -> list[str]:
    """What is wrong with it as an RFC 1123 label."""
    # It is told apart which of the two names a text with dots was meant to be.
    return _faults(text, LABEL, 63, "must not contain dots" if SUBDOMAIN.fullmatch(text) else _LABEL_TEXT)


def dns_1035_label_faults(text: str) -> list[str]:
    """What is wrong with it as an RFC 1035 label."""
    return _faults(text, LABEL_1035, 63, _LABEL_1035_TEXT)


def dns_subdomain_faults(text: str, unit: str = "characters") -> list[str]:
    """What is wrong with it as an RFC 1123 subdomain; what it is long of is called in two ways."""
    return _faults(text, SUBDOMAIN, 253, _SUBDOMAIN_TEXT, unit)


def wildcard_faults(text: str) -> list[str]:
    """What is wrong with it as all names below one."""
    return _faults(text, _WILDCARD, 253, _WILDCARD_TEXT)


def _faults(text: str, pattern: re.Pattern[str], limit: int, told: str, unit: str = "characters") -> list[str]:
    faults = [f"must be no more than {limit} {unit}"] if len(text) > limit else []
    return faults if pattern.fullmatch(text) else [*faults, told]
