"""The same files give the same image, byte for byte, and its digests are what a registry would say."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from pathlib import Path

from tests.support.clock import ManualClock

from homeostat.local.images.archive import write_archive, write_layer, write_tree_layer
from homeostat.local.images.building import ensure_binary_image
from homeostat.local.images.catalogue import Image


def program(path: Path, *, seconds: int, mode: int = 0o755, content: str = "a program") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(mode)
    os.utime(path, (seconds, seconds))
    return path


def archive(directory: Path, source: Path) -> Path:
    layer = write_layer({"usr/local/bin/etcd": source}, directory / "layer.tar")
    target = directory / "image.tar"
    write_archive(["x/etcd:1"], [layer], target, entrypoint=["etcd"], env={"PATH": "/bin"}, architecture="amd64")
    return target


def test_neither_time_nor_owner_nor_mode_nor_place_of_a_file_reaches_the_image(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    one = archive(first, program(first / "etcd", seconds=1000))
    other = archive(second, program(second / "elsewhere" / "etcd", seconds=2000, mode=0o700))
    assert one.read_bytes() == other.read_bytes()


def test_another_content_is_another_image(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    one = archive(first, program(first / "etcd", seconds=1))
    other = archive(second, program(second / "etcd", seconds=1, content="b program"))
    assert one.read_bytes() != other.read_bytes()


def test_a_tree_gives_the_same_layer_in_whatever_order_it_was_written(tmp_path: Path) -> None:
    for name, order in (("first", ("a.py", "b.py")), ("second", ("b.py", "a.py"))):
        for file in order:
            program(tmp_path / name / "pkg" / file, seconds=5, mode=0o644, content=file)
    layers = [write_tree_layer(tmp_path / name, "opt", tmp_path / f"{name}.tar") for name in ("first", "second")]
    assert layers[0].digest == layers[1].digest


def test_the_archive_names_layer_and_configuration_by_their_digests(tmp_path: Path) -> None:
    with tarfile.open(archive(tmp_path / "x", program(tmp_path / "x" / "etcd", seconds=1))) as tar:
        held = {member.name: tar.extractfile(member) for member in tar}
        content = {name: file.read() for name, file in held.items() if file is not None}
    (manifest,) = json.loads(content["manifest.json"])
    configuration = json.loads(content[manifest["Config"]])
    assert manifest["Config"] == f"{hashlib.sha256(content[manifest['Config']]).hexdigest()}.json"
    (layer,) = manifest["Layers"]
    assert configuration["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(content[layer]).hexdigest()}"]
    assert manifest["RepoTags"] == ["x/etcd:1"]


async def test_an_image_is_built_once_and_again_when_its_program_changes(tmp_path: Path) -> None:
    source = program(tmp_path / "etcd", seconds=1)
    image = Image("etcd", ("1",), {"usr/local/bin/etcd": source}, ("etcd",))
    cache, clock = tmp_path / "cache", ManualClock()
    first = (await ensure_binary_image(image, cache, clock=clock)).archive
    written = first.stat().st_mtime_ns
    assert (await ensure_binary_image(image, cache, clock=clock)).archive == first
    assert first.stat().st_mtime_ns == written
    program(source, seconds=2, content="a newer program")
    assert (await ensure_binary_image(image, cache, clock=clock)).archive != first
    assert {path.suffix for path in cache.iterdir()} == {".tar", ".lock"}
