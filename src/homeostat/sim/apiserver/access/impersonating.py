"""Acting as somebody else: who may, says it in headers, and everything is then done and judged as that one's doing.

Each thing that is taken on is asked for by itself: the name, every group, every value of what else is known, the uid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from msgspec import Struct

from homeostat.sim.apiserver.access.attributes import Attributes, forbidden
from homeostat.sim.apiserver.access.roles import Roles
from homeostat.sim.apiserver.refusing import bad_request
from homeostat.sim.apiserver.types.user import (
    ACCOUNT,
    ANONYMOUS,
    AUTHENTICATED,
    UNAUTHENTICATED,
    User,
    account_groups,
)

SEPARATOR = "\n"
"""Between the values of a header that was sent more than once; no value can hold it."""
_IDENTITY = "authentication.k8s.io"
_USER, _GROUP, _UID, _EXTRA = "impersonate-user", "impersonate-group", "impersonate-uid", "impersonate-extra-"


class _Worn(Struct, frozen=True):
    """What somebody says that he is."""

    name: str
    groups: tuple[str, ...]
    uid: str
    extra: dict[str, tuple[str, ...]]


def acting(user: User, headers: Mapping[str, str], roles: Roles) -> User:
    """Whom a request is to be judged as. Raises Refused."""
    worn = _worn(headers)
    if worn is None:
        return user
    for wanted in _asked(worn):
        if not roles.allow(user, wanted):
            raise forbidden(user, wanted)
    groups = worn.groups or _groups_of(worn.name)
    of_all = UNAUTHENTICATED if worn.name == ANONYMOUS else AUTHENTICATED
    if not {AUTHENTICATED, UNAUTHENTICATED} & set(groups):
        groups = (*groups, of_all)
    return User(worn.name, groups, worn.uid, worn.extra)


def _worn(headers: Mapping[str, str]) -> _Worn | None:
    extra = {
        unquote(name.removeprefix(_EXTRA)): tuple(value.split(SEPARATOR))
        for name, value in headers.items()
        if name.startswith(_EXTRA)
    }
    groups = tuple(headers[_GROUP].split(SEPARATOR)) if _GROUP in headers else ()
    worn = _Worn(headers.get(_USER, ""), groups, headers.get(_UID, ""), extra)
    if worn.name:
        return worn
    if groups or extra or worn.uid:
        raise bad_request(f"requested [{' '.join(_references(worn))}] without impersonating a user")
    return None


def _asked(worn: _Worn) -> Iterator[Attributes]:
    if worn.name.startswith(f"{ACCOUNT}:"):
        _, _, namespace, name = (*worn.name.split(":"), "", "")[:4]
        yield Attributes(verb="impersonate", resource="serviceaccounts", namespace=namespace, name=name)
    else:
        yield Attributes(verb="impersonate", resource="users", name=worn.name)
    for group in worn.groups:
        yield Attributes(verb="impersonate", resource="groups", name=group)
    for key, values in worn.extra.items():
        for value in values:
            yield Attributes(verb="impersonate", group=_IDENTITY, resource=f"userextras/{key}", name=value)
    if worn.uid:
        yield Attributes(verb="impersonate", group=_IDENTITY, resource="uids", name=worn.uid)


def _references(worn: _Worn) -> Iterator[str]:
    """What is taken on, as Go prints it."""
    yield from (f"{{Group  {group}    }}" for group in worn.groups)
    for key, values in worn.extra.items():
        yield from (f"{{UserExtra  {value}  {_IDENTITY}/v1  {key}}}" for value in values)
    if worn.uid:
        yield f"{{UID  {worn.uid}  {_IDENTITY}/v1  }}"


def _groups_of(name: str) -> tuple[str, ...]:
    parts = name.split(":")
    return account_groups(parts[2]) if name.startswith(f"{ACCOUNT}:") and len(parts) == 4 else ()
