"""Data of etcd that is spoilt in the file of one member, under it, as disks do: what to run on its host."""

from __future__ import annotations


def database(directory: str) -> str:
    """The file of a member, by where its volume lies."""
    return f"{directory}/data/member/snap/db"


def garbled(file: str) -> str:
    """Leave garbage where a database was; the process that has it open does not see it before it starts again."""
    new = f"{file}.new"
    return f"head -c 65536 /dev/urandom > {new} && chown --reference={file} {new} && mv {new} {file}"


def changed(file: str, old: str, new: str) -> str:
    """Write over a word in the file that a member has open, wherever it stands, with one that is as long."""
    places = f"grep -obUaF {old} {file} | cut -d: -f1"
    write = f"printf %s {new} | dd of={file} bs=1 seek=$at conv=notrunc status=none"
    return f"for at in $({places}); do {write} || exit 1; done; ! grep -qUaF {old} {file}"
