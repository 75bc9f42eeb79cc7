"""What somebody asks for, in the words by which it is allowed or forbidden."""

from __future__ import annotations

from msgspec import Struct

from homeostat.sim.apiserver.refusing import Refused
from homeostat.sim.apiserver.selecting.fields import name_in, read_fields
from homeostat.sim.apiserver.types.routing import Asked
from homeostat.sim.apiserver.types.user import ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED, User

__all__ = ["ANONYMOUS", "AUTHENTICATED", "UNAUTHENTICATED", "Attributes", "User", "attributes_of", "forbidden"]


class Attributes(Struct, frozen=True, kw_only=True):
    """A verb on a resource, or on a path that is none."""

    verb: str
    group: str = ""
    resource: str = ""  # with its subresource, as `pods/log`
    namespace: str = ""
    name: str = ""
    path: str = ""


def attributes_of(asked: Asked) -> Attributes:
    """What a request about objects asks for."""
    resource = asked.type.resource
    plural = f"{resource.plural}/{asked.subresource}" if asked.subresource else resource.plural
    # Of a namespace itself, its name is its namespace.
    is_space = (resource.group, resource.plural) == ("", "namespaces")
    return Attributes(
        verb=asked.verb,
        group=resource.group,
        resource=plural,
        namespace=asked.name if is_space else asked.namespace,
        name=asked.name or _only(asked),
    )


def _only(asked: Asked) -> str:
    """The one object that is read by a selector: who may list or watch it by name may do so that way."""
    if asked.verb not in ("list", "watch"):
        return ""
    try:
        name = name_in(read_fields(asked.query.get("fieldSelector", ""), asked.type.strategy.selectable))
    except Refused:
        return ""  # what makes no sense is told to those who may list all
    return "" if name in (".", "..") or set(name) & {"/", "%"} else name


def forbidden(user: User, wanted: Attributes) -> Refused:
    """The refusal, in the words of a kube-apiserver."""
    if wanted.path:
        text = f'forbidden: User "{user.name}" cannot {wanted.verb} path "{wanted.path}"'
        return Refused(403, "Forbidden", text)
    plural, _, _ = wanted.resource.partition("/")
    qualified = f"{plural}.{wanted.group}" if wanted.group else plural
    about = f'{qualified} "{wanted.name}"' if wanted.name else qualified
    where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    who = f'User "{user.name}" cannot {wanted.verb} resource "{wanted.resource}" in API group "{wanted.group}"'
    return Refused(
        403, "Forbidden", f"{about} is forbidden: {who} {where}", group=wanted.group, kind=plural, name=wanted.name
    )
