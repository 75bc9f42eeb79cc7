"""The image cache does not grow without end, and never loses what a host may be laid anew from."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from homeostat.local.hosts.ports import HostSpec
from homeostat.local.images.pruning import prune


def made(path: Path, age: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (1000 - age, 1000 - age))
    return path


def test_the_newest_three_of_each_image_stay(tmp_path: Path) -> None:
    generations = [made(tmp_path / "cache" / f"etcd-3.6.16-{age}.tar", age) for age in range(5)]
    other = made(tmp_path / "cache" / "coredns-1.14.7-9.tar", 9)
    lock = made(tmp_path / "cache" / ".containerd-lock", 9)
    prune(tmp_path / "cache", tmp_path / "state")
    assert [path.exists() for path in generations] == [True, True, True, False, False]
    assert other.exists()
    assert lock.exists()


def test_a_template_stays_while_a_host_of_any_data_centre_was_laid_from_it(tmp_path: Path) -> None:
    cache, state = tmp_path / "cache", tmp_path / "state"
    templates = []
    for age in range(5):
        template = cache / f"containerd-{age}"
        template.mkdir(parents=True)
        os.utime(template, (1000 - age, 1000 - age))
        templates.append(template)
    spec = HostSpec(
        name="x-a1",
        address="10.0.0.1",
        prefix=16,
        gateway="10.0.0.2",
        bridge="b",
        veth="v",
        zone="a",
        role="meta",
        images=str(templates[4]),
    )
    file = state / "x" / "hosts" / "x-a1" / "spec.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(msgspec.json.encode(spec))
    prune(cache, state)
    assert [path.exists() for path in templates] == [True, True, True, False, True]
