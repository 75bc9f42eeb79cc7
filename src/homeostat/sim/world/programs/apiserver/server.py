"""kube-apiserver as a container.

It ends with an error at flags that it does not know and files that are not what they should be, and when it finds no
etcd for a while at its start. Later it waits: what needs etcd hangs until there is a quorum again or the request's time
is over, and its health says so meanwhile, for liveness as for readiness, as the real one does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import yaml

from homeostat.sim.apiserver.access.attributes import ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED, User
from homeostat.sim.apiserver.answer import Answer, refused, told
from homeostat.sim.apiserver.refusing import Refused as RefusedRequest
from homeostat.sim.apiserver.server import Request
from homeostat.sim.world.hosts.containers import Container
from homeostat.sim.world.network.network import Listener, Refused, Silent, UnknownName
from homeostat.sim.world.network.proving import Pair, Trust, Untrusted
from homeostat.sim.world.programs.apiserver.tenant import Tenant, tenant_of
from homeostat.sim.world.programs.etcd.member import CLIENT_PORT, Member
from homeostat.sim.world.programs.etcd.quorum import Quorum, line_of
from homeostat.sim.world.programs.starting import Ended, Surroundings, check_flags, tell_end, version_of

PORT = 6443
_BEGINS_S = (2.0, 4.0)
_FIRST_S, _AGAIN_S = 20.0, 1.0  # how long etcd is looked for at first, and how often
_REQUEST_S = 60.0  # --request-timeout
_PAIRS = (
    ("tls-cert-file", "tls-private-key-file"),
    ("etcd-certfile", "etcd-keyfile"),
    ("kubelet-client-certificate", "kubelet-client-key"),
    ("proxy-client-cert-file", "proxy-client-key-file"),
)
_FILES = ("service-account-key-file", "service-account-signing-key-file", "audit-policy-file")
_HEALTH = ("/livez", "/readyz", "/healthz")
_ANONYMOUS = User(ANONYMOUS, (UNAUTHENTICATED,))


class Server:
    """A program; clients find it by the network."""

    def __init__(self, container: Container, changed: Callable[[], None], around: Surroundings) -> None:
        self._container, self._changed, self._around = container, changed, around
        self._woken = asyncio.Event()
        self._quorum: Quorum | None = None
        self._etcd: Member | None = None
        self._pairs: dict[str, Pair] = {}
        self._clients: Trust | None = None
        self._etcd_trust: Trust | None = None
        self._is_ending = False
        self._was_well = False
        self.is_hung = False  # a fault: it keeps its port open, and answers nobody
        self.ended: asyncio.Future[None] | None = None  # done when no answer can come any more

    @property
    def host(self) -> str:
        """Where it runs."""
        return self._container.host

    async def run(self) -> int:
        """Live until killed; asked to end, it serves on for a moment, for those who have not heard of it."""
        clock, network = self._around.clock, self._around.network
        try:
            self._check()
            await clock.sleep(self._around.random.uniform(*_BEGINS_S) * self._around.quickness)
            await self._find_etcd()
        except Ended as error:
            return tell_end(self._container, error)
        self.ended = asyncio.get_running_loop().create_future()
        network.listen(self.host, self._container.address, PORT, self)
        network.hear(self.host, self._woken.set)
        try:
            await self._live()
        except asyncio.CancelledError:
            await self._see_off()
        finally:
            network.close(self._container.address, PORT, self)
            network.unhear(self.host, self._woken.set)
            self._let_go()
            self.ended.set_result(None)
        return 0

    def answers(self, port: int, path: str) -> bool:
        """A kubelet's probe, or a balancer's."""
        if port != PORT or self.ended is None or self.ended.done() or self.is_hung:
            return False
        path = path.partition("?")[0]
        return not path or (self._is_well and not (self._is_ending and path == "/readyz"))

    # --- for clients

    def greet(self, certificate: bytes, trusted: Trust | None, name: str) -> User:
        """A handshake: who shows a certificate (or none), whom it trusts, and as whom it reached this server.

        Raises Untrusted when the client does not trust it. A client whom it does not trust is told so by an answer.
        """
        now = self._around.clock.now()
        if trusted is not None:
            trusted.proof(self._pairs["tls-cert-file"].now(), now).check_name(name)
        if not certificate:
            return _ANONYMOUS
        assert self._clients is not None  # noqa: S101  (it listens)
        try:
            proof = self._clients.proof(certificate, now)
        except Untrusted:
            return _NOBODY
        return User(proof.common_name, (*proof.organizations, AUTHENTICATED))

    def tls_material(self) -> tuple[bytes, bytes, bytes]:
        """What it speaks TLS with now, for who serves it on real ports: certificate, key, and authorities of clients.

        Raises Untrusted and FileNotFoundError.
        """
        flag, read = self._container.flag, self._container.files
        certificate = self._pairs["tls-cert-file"].now()
        return certificate, read(flag("tls-private-key-file")), read(flag("client-ca-file"))

    async def answer(self, request: Request, user: User) -> Answer:
        """Answer a request; what needs etcd waits for it."""
        if user is _NOBODY:
            return refused(RefusedRequest(401, "Unauthorized", "Unauthorized"))
        if request.path in _HEALTH:
            return self._health(request.path)
        if request.path == "/version":
            return told(self._version())
        try:
            async with self._around.clock.timeout(_REQUEST_S):
                tenant = await self.tenant()
        except TimeoutError:
            text = "Timeout: request did not complete within requested timeout - context deadline exceeded"
            return refused(RefusedRequest(504, "Timeout", text))
        assert self._quorum is not None  # noqa: S101
        why = self._quorum.alarms.forbid_writes if request.method != "GET" else ""
        if why:
            return refused(RefusedRequest(500, "", why))
        tenant.forget()
        if request.method == "GET" and "/leases" in request.path:
            tenant.freshen()
        return await tenant.server.answer(request, user)

    async def tenant(self) -> Tenant:
        """What is served, when etcd can be used."""
        while not self._is_well:
            await self._around.clock.sleep(_AGAIN_S / 4)
        assert self._quorum is not None  # noqa: S101
        return tenant_of(self._quorum, clock=self._around.clock, random=self._around.random)

    # --- its life

    async def _live(self) -> None:
        while True:
            self._woken.clear()
            is_well = self._is_well
            if is_well != self._was_well:
                self._was_well = is_well
                self._changed()
            if is_well:
                await self._woken.wait()
            else:
                await self._around.clock.sleep(_AGAIN_S)

    async def _see_off(self) -> None:
        """Not ready, and served on for as long as it is told to."""
        self._is_ending = True
        self._changed()
        delay = self._container.flag("shutdown-delay-duration", "0s")
        await self._around.clock.sleep(float(delay.rstrip("s") or 0))

    async def _find_etcd(self) -> None:
        clock = self._around.clock
        until = clock.monotonic() + _FIRST_S
        while not self._is_well:
            if clock.monotonic() > until:
                raise Ended("error building core storage: context deadline exceeded")
            await clock.sleep(_AGAIN_S)

    # --- etcd

    @property
    def _is_well(self) -> bool:
        """Whether it reaches a member that follows a leader; connections are kept while they hold."""
        if self._etcd is None or not self._is_linked(self._etcd):
            self._etcd = self._dial_etcd()
            if self._etcd is not None and self._etcd.quorum is not self._quorum:
                self._let_go()
                self._quorum = self._etcd.quorum
                self._quorum.hear(self._woken.set)
        return self._etcd is not None

    def _let_go(self) -> None:
        if self._quorum is not None:
            self._quorum.unhear(self._woken.set)

    def _is_linked(self, member: Member) -> bool:
        return member.is_led and not member.is_hung and self._around.network.joins(self.host, member.host)

    def _dial_etcd(self) -> Member | None:
        for url in self._container.flag("etcd-servers").split(","):
            parts = urlsplit(url)
            name = parts.hostname or ""
            try:
                found = self._around.network.dial(self.host, name, parts.port or CLIENT_PORT, self._is_usable)
                assert isinstance(found, Member)  # noqa: S101
                assert self._etcd_trust is not None  # noqa: S101  (files were checked)
                found.greet(self._pairs["etcd-certfile"].now(), self._etcd_trust, name)
            except (Refused, Silent, UnknownName, Untrusted):
                continue
            return found
        return None

    def _is_usable(self, listener: Listener) -> bool:
        return isinstance(listener, Member) and self._is_linked(listener)

    # --- what it was given

    def _check(self) -> None:
        container = self._container
        check_flags(container, "kube-apiserver", line_of(version_of(container)))
        try:
            for certificate, key in _PAIRS:
                self._pairs[certificate] = Pair(container.files, container.flag(certificate), container.flag(key))
                self._pairs[certificate].now()
            self._clients = Trust(container.files(container.flag("client-ca-file")))
            self._etcd_trust = Trust(container.files(container.flag("etcd-cafile")))
            Trust(container.files(container.flag("requestheader-client-ca-file")))
            for name in _FILES:
                if container.flag(name):
                    container.files(container.flag(name))
            if path := container.flag("encryption-provider-config"):
                _check_encryption(container.files(path))
        except FileNotFoundError as error:
            raise Ended(f"open {error}: no such file or directory") from error
        except Untrusted as error:
            raise Ended(str(error)) from error

    def _version(self) -> dict[str, str]:
        version = version_of(self._container)
        major, minor, *_ = version.split(".")
        emulated = self._container.flag("emulated-version", f"{major}.{minor}").rpartition("=")[2].rpartition(":")[2]
        emulated_major, _, emulated_minor = emulated.partition(".")
        return {
            "major": major,
            "minor": minor,
            "emulationMajor": emulated_major,
            "emulationMinor": emulated_minor,
            "gitVersion": f"v{version}",
            "platform": "simulated",
        }

    def _health(self, path: str) -> Answer:
        is_well = self._is_well and not (self._is_ending and path == "/readyz")
        body = b"ok" if is_well else b"[-]etcd failed: reason withheld\n"
        return Answer(200 if is_well else 500, body, "text/plain; charset=utf-8")


_NOBODY = User("", ())


def _check_encryption(content: bytes) -> None:
    try:
        found = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise Ended(f"error while parsing file: {error}") from error
    if not isinstance(found, dict) or found.get("kind") != "EncryptionConfiguration":
        raise Ended("error while parsing file: no kind EncryptionConfiguration is registered")
