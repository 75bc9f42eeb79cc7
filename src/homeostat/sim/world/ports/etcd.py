"""The operator's port `Etcd` over a world: members are reached by name, and prove who they are as real ones do."""

from __future__ import annotations

from collections.abc import Callable

from homeostat.kit.clock import Clock
from homeostat.operators.cluster.ports import EtcdAccess, EtcdRefused, MemberSeen, Unreachable
from homeostat.sim.world.network.network import OUTSIDE, Network, Refused, Silent, UnknownName
from homeostat.sim.world.network.proving import Trust, Untrusted, check_pair
from homeostat.sim.world.programs.etcd.data import CORRUPT
from homeostat.sim.world.programs.etcd.member import CLIENT_PORT, PEER_PORT, Member
from homeostat.sim.world.programs.etcd.quorum import Belonging, NoLeader, Quorum, Refusal

ASK_S, CHANGE_S = 3.0, 10.0  # how long a silent member is waited for, and a change


class Reaching:
    """How members are reached from outside. Shared by all ports that do."""

    def __init__(self, network: Network, clock: Clock) -> None:
        self._network, self.clock = network, clock

    async def members(self, access: EtcdAccess) -> dict[str, Member]:
        """Those that answer, by host; silence of any costs as long as it is waited for. Raises Unreachable."""
        try:
            trusted = Trust(access.ca)
            check_pair(access.certificate, access.key)
        except Untrusted as error:
            raise Unreachable(f"etcd: the certificates to reach it with are unusable: {error}") from error
        found, is_slow = dict[str, Member](), False
        for host in sorted(set(access.hosts.values())):
            try:
                member = self._network.dial(OUTSIDE, host, CLIENT_PORT)
            except Silent:
                is_slow = True
                continue
            except (Refused, UnknownName):
                continue
            if not isinstance(member, Member):
                continue
            if member.is_hung:
                is_slow = True
                continue
            try:
                member.greet(access.certificate, trusted, host)
            except Untrusted:
                continue
            found[host] = member
        await self.clock.sleep(ASK_S if is_slow else 0)
        return found

    async def led(self, access: EtcdAccess) -> dict[str, Member]:
        """Those that answer and follow a leader, or lead. Raises Unreachable when there are none."""
        found = {host: each for host, each in (await self.members(access)).items() if each.is_led}
        if not found:
            raise Unreachable("etcd: no member answers")
        return found

    async def voter(self, access: EtcdAccess, what: str) -> Member:
        """One that can be asked for changes. Raises Unreachable."""
        try:
            found = await self.led(access)
        except Unreachable:
            found = {}
        for member in found.values():
            if not member.belonging.is_learner:
                return member
        among = ", ".join(sorted(access.hosts.values()))
        raise Unreachable(f"etcd: no member of {among} is well, so {what} cannot be asked for")


def ask(member: Member, what: str, change: Callable[[Quorum], None]) -> None:
    """Let a member do something with its cluster. Raises EtcdRefused and Unreachable."""
    try:
        change(member.quorum)
    except Refusal as error:
        raise EtcdRefused(f"etcd at {member.name}: {what}: {error}") from error
    except NoLeader as error:
        raise Unreachable(f"etcd at {member.name}: {what}: {error}") from error


class WorldEtcd:
    """Satisfies the operator's port `Etcd`."""

    def __init__(self, reaching: Reaching) -> None:
        self._reaching = reaching

    async def members(self, access: EtcdAccess) -> tuple[MemberSeen, ...]:
        """All members of the list, each as it answers itself."""
        found = await self._reaching.members(access)
        led = next((each for each in found.values() if each.is_led and not each.belonging.is_learner), None)
        if led is None:
            raise Unreachable("etcd: no member answers")
        by_url = {each.own_url: each for each in found.values()}
        return tuple(_seen(each, by_url.get(each.peer_url)) for each in sorted(led.quorum.members.values(), key=_order))

    async def remove(self, access: EtcdAccess, member_id: int) -> None:
        """Have no such member."""
        member = await self._reaching.voter(access, "cluster/member/remove")
        if member_id in member.quorum.members:
            ask(member, "cluster/member/remove", lambda quorum: quorum.remove(member_id))

    async def add_learner(self, access: EtcdAccess, host: str) -> None:
        """Have a member at this host, without a vote."""
        member = await self._reaching.voter(access, "cluster/member/add")
        url, moment = f"https://{host}:{PEER_PORT}", f"{self._reaching.clock.now().timestamp():.0f}"
        if any(each.peer_url == url for each in member.quorum.members.values()):
            return

        def add(quorum: Quorum) -> None:
            quorum.add_learner(url, moment)

        ask(member, "cluster/member/add", add)

    async def promote(self, access: EtcdAccess, member_id: int) -> None:
        """Give a learner its vote."""
        member = await self._reaching.voter(access, "cluster/member/promote")
        ask(member, "cluster/member/promote", lambda quorum: quorum.promote(member_id))

    async def move_leader(self, access: EtcdAccess, member_id: int) -> None:
        """Let another member with a vote lead."""
        member = await self._reaching.voter(access, "maintenance/transfer-leadership")
        ask(member, "maintenance/transfer-leadership", lambda quorum: quorum.move_leader(member_id))


def _order(member: Belonging) -> int:
    return member.id


def _seen(member: Belonging, found: Member | None) -> MemberSeen:
    is_mine = found is not None and found.running is not None and found.running.id == member.id
    is_led = is_mine and found is not None and found.is_led
    accused = found is not None and any(
        each.kind == CORRUPT and each.member_id == member.id for each in found.quorum.alarms.raised
    )
    return MemberSeen(
        id=member.id,
        name=member.name,
        host=(member.peer_url.partition("://")[2]).partition(":")[0],
        is_learner=member.is_learner,
        is_well=is_led and not accused,
        is_level=is_led and found is not None and found.running is not None and found.running.is_level,
        is_leader=is_led and found is not None and found.quorum.leader == member.id,
        is_accused=is_led and accused,
    )
