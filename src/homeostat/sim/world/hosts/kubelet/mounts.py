"""The volumes of one Pod: files of Secrets, ConfigMaps, tokens and of what is known of the Pod itself, and disks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from homeostat.sim.world.hosts.containers import Disk
from homeostat.sim.world.hosts.kubelet import variables
from homeostat.sim.world.hosts.kubelet.sources import Content, Key
from homeostat.sim.world.hosts.kubelet.spec import ContainerSpec, Files, Mount, TokenSource, Volume, WholePod
from homeostat.sim.world.hosts.kubelet.tokens import tokens_of
from homeostat.sim.world.hosts.kubelet.variables import CONFIG_MAP, SECRET, Place

DiskOf = Callable[[Volume, str], Disk]  # of a volume, and of a part of it


class Mounts:
    """What is seen of volumes; contents are put in by whoever reads them, and may be put in anew."""

    def __init__(self, pod: WholePod, place: Place, disk_of: DiskOf) -> None:
        self._pod = pod
        self.place = place
        self._disk_of = disk_of
        self._volumes = {volume.name: volume for volume in pod.spec.volumes}
        self.contents: dict[Key, Content] = {}
        self.tokens: Mapping[TokenSource, bytes] = {}

    def missing(self) -> str:
        """Why volumes cannot be mounted yet, as a kubelet words it; empty when they can."""
        for volume in self._pod.spec.volumes:
            for kind, files in _files_of(volume):
                name = _name_of(files)
                content = self.contents.get((kind, self._pod.metadata.namespace, name))
                if files.optional:
                    continue
                prefix = f'MountVolume.SetUp failed for volume "{volume.name}" : '
                if content is None:
                    return f'{prefix}{kind} "{name}" not found'
                for item in files.items:
                    if item.key not in content.entries:
                        return f"{prefix}references non-existent {_spoken(kind)} key: {item.key}"
        return ""

    def files(self, container: ContainerSpec) -> Callable[[str], bytes]:
        """How a program reads a file that is mounted; raises FileNotFoundError."""
        mounts = sorted(container.volume_mounts, key=lambda mount: -len(mount.mount_path))

        def read(path: str) -> bytes:
            for mount in mounts:
                at = mount.mount_path.rstrip("/")
                if path == at or path.startswith(f"{at}/"):
                    rest = path[len(at) + 1 :]
                    inside = "/".join(part for part in (mount.sub_path, rest) if part)
                    found = self._read(self._volumes[mount.name], inside, container)
                    if found is not None:
                        return found
            raise FileNotFoundError(path)

        return read

    def disks(self, container: ContainerSpec) -> dict[str, Disk]:
        """The disks that a container sees, by where it sees them."""
        return {mount.mount_path: self._disk(mount) for mount in container.volume_mounts if self._has_disk(mount)}

    def _disk(self, mount: Mount) -> Disk:
        return self._disk_of(self._volumes[mount.name], mount.sub_path)

    def _has_disk(self, mount: Mount) -> bool:
        volume = self._volumes.get(mount.name)
        return volume is not None and has_disk(volume)

    def _read(self, volume: Volume, path: str, container: ContainerSpec) -> bytes | None:
        for kind, files in _files_of(volume):
            content = self.contents.get((kind, self._pod.metadata.namespace, _name_of(files)))
            entries: Mapping[str, bytes] = content.entries if content is not None else {}
            key = next((item.key for item in files.items if item.path == path), None) if files.items else path
            if key is not None and key in entries:
                return entries[key]
        for source in tokens_of(volume):
            if source.path == path and source in self.tokens:
                return self.tokens[source]
        for files in _of_the_pod(volume):
            for item in files.items:
                if item.path != path:
                    continue
                if item.field_ref is not None:
                    return variables.field(item.field_ref, self._pod, self.place).encode()
                if item.resource_field_ref is not None:
                    return variables.resource(item.resource_field_ref, container, self.place).encode()
        return None


def sources_of(pod: WholePod) -> list[Key]:
    """The objects whose contents a Pod mounts, each once."""
    namespace = pod.metadata.namespace
    found = ((kind, namespace, _name_of(files)) for volume in pod.spec.volumes for kind, files in _files_of(volume))
    return list(dict.fromkeys(found))


def has_disk(volume: Volume) -> bool:
    """Whether programs may write to it."""
    kinds = (volume.secret, volume.config_map, volume.projected, volume.downward_api)
    return all(kind is None for kind in kinds)


def _files_of(volume: Volume) -> Iterator[tuple[str, Files]]:
    if volume.secret is not None:
        yield SECRET, volume.secret
    if volume.config_map is not None:
        yield CONFIG_MAP, volume.config_map
    for source in volume.projected.sources if volume.projected is not None else ():
        if source.secret is not None:
            yield SECRET, source.secret
        if source.config_map is not None:
            yield CONFIG_MAP, source.config_map


def _of_the_pod(volume: Volume) -> Iterator[Files]:
    if volume.downward_api is not None:
        yield volume.downward_api
    for source in volume.projected.sources if volume.projected is not None else ():
        if source.downward_api is not None:
            yield source.downward_api


def _name_of(files: Files) -> str:
    return files.secret_name or files.name


def _spoken(kind: str) -> str:
    return "secret" if kind == SECRET else "config"
