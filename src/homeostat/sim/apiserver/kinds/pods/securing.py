"""What is wrong with the security contexts of a Pod and of its containers.

Of `pkg/apis/core/validation`; not judged are the options of Windows, and what a namespace of users goes with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import (
    InOrder,
    at_index,
    child,
    duplicate,
    invalid,
    not_supported,
    required,
    too_long,
)
from homeostat.sim.apiserver.types.type import Value

_IDENTITY_SAYS = "must be between 0 and 2147483647, inclusive"
_LOCAL, _PROFILES = "Localhost", ("Localhost", "RuntimeDefault", "Unconfined")
_LONGEST_PATH = 4095
_SYSCTL = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_LONGEST_SYSCTL = 253
_SYSCTL_SAYS = f"must have at most {_LONGEST_SYSCTL} characters and match regex ^{_SYSCTL}$"
# Which of the host's a Pod sets when it shares them with the host.
_SHARED = (
    ("hostNetwork", re.compile(r"net\.")),
    ("hostIPC", re.compile(r"kernel\.(sem$|shm|msg)|fs\.mqueue\.")),
)
_CHOICES = (
    ("supplementalGroupsPolicy", ("Merge", "Strict")),
    ("seLinuxChangePolicy", ("Recursive",)),
)
_MOUNTS = ("Default", "Unmasked")
_SHOWN = (
    *("capabilities", "privileged", "seLinuxOptions", "windowsOptions", "runAsUser", "runAsGroup", "runAsNonRoot"),
    *("readOnlyRootFilesystem", "allowPrivilegeEscalation", "procMount", "seccompProfile", "appArmorProfile"),
)
_PARTS: dict[str, tuple[tuple[str, ...], str | None]] = {
    "Capabilities": (("add", "drop"), None),
    "SELinuxOptions": (("user", "role", "type", "level"), ""),
    "SeccompProfile": (("type", "localhostProfile"), None),
    "AppArmorProfile": (("type", "localhostProfile"), None),
}


def pod_causes(spec: Value, path: str) -> Iterator[Cause]:
    """Faults of what holds for all containers."""
    context, place = spec.get("securityContext") or {}, child(path, "securityContext")
    yield from _of_identities(context, place, "fsGroup", "runAsUser", "runAsGroup")
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        if not _is_identity(group):
            yield invalid(at_index(child(place, "supplementalGroups"), index), group, _IDENTITY_SAYS)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        said = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(child(place, "shareProcessNamespace"), True, said)
    yield from _of_sysctls(spec, context, child(place, "sysctls"))
    yield from _of_choice(context, place, "fsGroupChangePolicy", ("Always", "OnRootMismatch"))
    yield from _of_profiles(context, place)
    for name, choices in _CHOICES:
        yield from _of_choice(context, place, name, choices)


def container_causes(container: Value, path: str, *, host_users: bool) -> Iterator[Cause]:
    """Faults of what holds for one container."""
    context, place = container.get("securityContext") or {}, child(path, "securityContext")
    yield from _of_identities(context, place, "runAsUser", "runAsGroup")
    yield from _of_choice(context, place, "procMount", _MOUNTS)
    if host_users and context.get("procMount") == "Unmasked":
        yield invalid(child(place, "procMount"), "Unmasked", "`hostUsers` must be false to use `Unmasked`")
    yield from _of_seccomp(context.get("seccompProfile"), child(place, "seccompProfile"))
    if context.get("allowPrivilegeEscalation") is False:
        said = "cannot set `allowPrivilegeEscalation` to false and "
        if context.get("privileged"):
            yield invalid(place, _as_struct(context), f"{said}`privileged` to true")
        for each in (context.get("capabilities") or {}).get("add") or ():
            if each == "CAP_SYS_ADMIN":
                yield invalid(place, _as_struct(context), f"{said}`capabilities.Add` CAP_SYS_ADMIN")
    yield from _of_armor(context.get("appArmorProfile"), child(place, "appArmorProfile"))


def _of_identities(context: Value, path: str, *names: str) -> Iterator[Cause]:
    for name in names:
        number = context.get(name)
        if number is not None and not _is_identity(number):
            yield invalid(child(path, name), number, _IDENTITY_SAYS)


def _is_identity(number: int) -> bool:
    return 0 <= number < 2**31


def _of_choice(context: Value, path: str, name: str, choices: tuple[str, ...]) -> Iterator[Cause]:
    if context.get(name) is not None and context[name] not in choices:
        yield not_supported(child(path, name), context[name], choices)


def _of_sysctls(spec: Value, context: Value, path: str) -> Iterator[Cause]:
    seen = set[str]()
    for index, each in enumerate(context.get("sysctls") or ()):
        place, name = child(at_index(path, index), "name"), each.get("name", "")
        if not name:
            yield required(place)
        elif len(name) > _LONGEST_SYSCTL or not re.fullmatch(_SYSCTL, name):
            yield invalid(place, name, _SYSCTL_SAYS)
        elif name in seen:
            yield duplicate(place, name)
        seen.add(name)
        for field, shared in _SHARED:
            if spec.get(field) and shared.match(_with_dots(name)):
                yield invalid(place, name, f"may not be specified when '{field}' is true")
                break


def _with_dots(name: str) -> str:
    """A name may be parted by slashes; then dots stand for slashes in it."""
    first = re.search(r"[./]", name)
    return name.translate(str.maketrans("./", "/.")) if first and first[0] == "/" else name


def _of_profiles(context: Value, path: str) -> Iterator[Cause]:
    yield from _of_seccomp(context.get("seccompProfile"), child(path, "seccompProfile"))
    yield from _of_armor(context.get("appArmorProfile"), child(path, "appArmorProfile"))


def _of_seccomp(profile: Value | None, path: str) -> Iterator[Cause]:
    if profile is None:
        return
    yield from _of_kind(profile, path, "seccompProfile")
    local, place = profile.get("localhostProfile"), child(path, "localhostProfile")
    if profile.get("type") != _LOCAL:
        if local is not None:
            shown = InOrder(Type=profile.get("type", ""), LocalhostProfile=local)
            yield invalid(place, shown, f"can only be set when seccomp type is {_LOCAL}")
    elif local is None:
        yield required(place, f"must be set when seccomp type is {_LOCAL}")
    else:
        if local.startswith("/"):
            yield invalid(place, local, "must be a relative path")
        if ".." in local.split("/"):
            yield invalid(place, local, "must not contain '..'")


def _of_armor(profile: Value | None, path: str) -> Iterator[Cause]:
    if profile is None:
        return
    local, place = profile.get("localhostProfile"), child(path, "localhostProfile")
    if profile.get("type") == _LOCAL:
        if not local:
            yield required(place, f"must be set when AppArmor type is {_LOCAL}")
            return
        if local.strip() != local:
            yield invalid(place, local, "must not be padded with whitespace")
        if len(local.encode()) > _LONGEST_PATH:
            yield too_long(place, _LONGEST_PATH)
    elif profile.get("type") in _PROFILES:
        if local is not None:
            yield invalid(place, local, f"can only be set when AppArmor type is {_LOCAL}")
    else:
        yield from _of_kind(profile, path, "appArmorProfile")


def _of_kind(profile: Value, path: str, name: str) -> Iterator[Cause]:
    if not profile.get("type"):
        yield required(child(path, "type"), f"type is required when {name} is set")
    elif profile["type"] not in _PROFILES:
        yield not_supported(child(path, "type"), profile["type"], _PROFILES)


def _as_struct(given: Any) -> Any:
    """A context as Go shows it."""
    shown = InOrder({_go(name): given.get(name) for name in _SHOWN})
    for name, (parts, missing) in _PARTS.items():
        if shown[name] is not None:
            shown[name] = InOrder({_go(part): shown[name].get(part, missing) for part in parts})
    return shown


def _go(name: str) -> str:
    return "SELinuxOptions" if name == "seLinuxOptions" else name[0].upper() + name[1:]
