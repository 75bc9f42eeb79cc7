"""The files that a script sees: those of its mounts, its last words, and what it has made elsewhere itself."""

from __future__ import annotations

from homeostat.sim.world.hosts.containers import Container, Disk

_LAST_WORDS = "message"  # where a container's termination message lies on its disk


class Files:
    """By absolute paths."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._own: dict[str, str] = {}  # goes with the container

    def read(self, path: str) -> str | None:
        """What is in a file; None where there is none."""
        found = self._disk(path)
        if found is not None:
            disk, name = found
            kept = disk.content.get(name)
            return kept if isinstance(kept, str) else None
        if path in self._own:
            return self._own[path]
        try:
            return self._container.files(path).decode(errors="replace")
        except FileNotFoundError:
            return None

    def has(self, path: str) -> bool:
        """Whether there is a file, or a directory."""
        return path == "/" or path.rstrip("/") in self._container.disks or self.read(path) is not None

    def write(self, path: str, text: str, *, adds: bool) -> None:
        """Make a file, or add to it."""
        text = (self.read(path) or "") + text if adds else text
        found = self._disk(path)
        if found is None:
            self._own[path] = text
        else:
            disk, name = found
            disk.content[name] = text

    def _disk(self, path: str) -> tuple[Disk, str] | None:
        """The innermost disk that a path lies on, and its name there."""
        for mount, disk in sorted(self._container.disks.items(), key=lambda each: -len(each[0])):
            if path == mount:
                return disk, _LAST_WORDS
            if path.startswith(f"{mount.rstrip('/')}/"):
                return disk, path.removeprefix(mount).lstrip("/")
        return None
