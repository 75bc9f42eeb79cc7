"""Every part has one name, and the name leads to its log."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeostat.local.logs import Source, UnknownPart, find, host_command, parts
from homeostat.local.plan import plan

KNOWN = parts(plan("shop", 0, 3), Path("/state/shop"))


def test_names_of_parts_are_unique() -> None:
    names = [part.name for part in KNOWN]
    assert len(set(names)) == len(names)


def test_a_unit_of_a_host_is_read_from_that_hosts_journal() -> None:
    part = find("kubelet@shop-b1", KNOWN)
    assert (part.source, part.host) == (Source.JOURNAL, "shop-b1")
    assert host_command(part, tail=5, follow=True) == "journalctl --no-pager --lines 5 --unit kubelet --follow"


def test_a_master_of_a_business_cluster_is_a_part_without_being_listed() -> None:
    assert find("cluster/demo/apiserver", KNOWN).target == "default/name=demo-apiserver"
    assert find("cluster/shop/demo/etcd", KNOWN).target == "shop/name=demo-etcd"


def test_an_unknown_part_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownPart, match=r"expected one of up, console/shop-control"):
        find("kubelt", KNOWN)
