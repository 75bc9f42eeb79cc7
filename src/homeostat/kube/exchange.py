"""One call of the client, through its attempts: rate limit, timeout, retry, observation, typed errors.

Between the verbs (which know Kubernetes) and the transport (which knows bytes). Time and chance are passed in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.errors import (
    ApiError,
    BadCredentials,
    ConnectionFailed,
    KubeError,
    TimedOut,
    UntrustedServer,
    from_answer,
)
from homeostat.kube.limiting import RateLimit
from homeostat.kube.observing import Observation, Observer
from homeostat.kube.retrying import Retries
from homeostat.kube.transport import Request, Response, Transport

# A refusal explains itself in a few kilobytes; whatever holds the line open after its head is not worth waiting for.
_ERROR_BODY_TIMEOUT_S = 10.0


class Call(Struct, frozen=True, kw_only=True):
    """A request with what the client knows about it."""

    verb: str
    resource: str
    doing: str  # begins every error message: "create configmaps shop/web"
    request: Request
    idempotent: bool
    retries: Retries | None = None  # None takes the client's own


class Exchange:
    """Sends calls through a transport until they succeed or should not be tried again."""

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Clock,
        random: Random,
        retries: Retries,
        observer: Observer,
        limit: RateLimit | None,
    ) -> None:
        self.clock = clock
        self._transport = transport
        self._random = random
        self._retries = retries
        self._observer = observer
        self._limit = limit

    async def send(self, call: Call) -> bytes:
        """The body of the answer. Raises KubeError."""
        attempt = 0
        while True:
            try:
                return await self._attempt(call, attempt)
            except KubeError as error:
                delay_s = self._delay_s(call, error, attempt)
                if delay_s is None:
                    raise
            await self.clock.sleep(delay_s)
            attempt += 1

    async def open(self, call: Call) -> Response:
        """The answer with its body still to come, for streams: the caller reads `flow` and closes it."""
        attempt = 0
        while True:
            try:
                return await self._open_once(call, attempt)
            except KubeError as error:
                delay_s = self._delay_s(call, error, attempt)
                if delay_s is None:
                    raise
            await self.clock.sleep(delay_s)
            attempt += 1

    async def close(self) -> None:
        """Close the transport."""
        await self._transport.close()

    async def flow(self, call: Call, response: Response) -> AsyncIterator[bytes]:
        """The chunks of an opened answer. Raises TimedOut when none comes within the call's idle timeout."""
        idle_s = call.request.idle_timeout_s
        timeout = self.clock.timeout
        advance = aiter(response.chunks()).__anext__
        while True:
            try:
                async with timeout(idle_s):
                    chunk = await advance()
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise TimedOut(
                    f"{call.doing}: heard nothing for {idle_s:g} s, taking the connection for dead"
                ) from error
            except ConnectionFailed as error:
                raise _named(error, call) from error
            yield chunk

    def _delay_s(self, call: Call, error: KubeError, attempt: int) -> float | None:
        """How long until the next attempt; None when there is none.

        Who asks raises the error itself: a frame that an error passes through and that names it makes a cycle of both,
        and with the error its answer and its request stay in memory until the garbage collector comes.
        """
        retries = call.retries or self._retries
        return retries.delay_s(error, attempt, idempotent=call.idempotent, random=self._random)

    async def _attempt(self, call: Call, attempt: int) -> bytes:
        note = await self._begin(call, attempt)
        timeout_s = call.request.timeout_s
        try:
            async with self.clock.timeout(timeout_s):
                response = await self._transport.send(call.request)
                try:
                    body = await response.read()
                finally:
                    await response.close()
        except TimeoutError as error:
            note("timeout")
            raise TimedOut(f"{call.doing}: no answer within {timeout_s:g} s") from error
        except (ConnectionFailed, BadCredentials) as error:
            note(_code_of(error))
            raise _named(error, call) from error
        note(str(response.status))
        if response.status >= 300:
            raise from_answer(response.status, response.headers, body, call.doing)
        return body

    async def _open_once(self, call: Call, attempt: int) -> Response:
        note = await self._begin(call, attempt)
        idle_s = call.request.idle_timeout_s
        try:
            async with self.clock.timeout(idle_s):
                response = await self._transport.send(call.request)
        except TimeoutError as error:
            note("timeout")
            raise TimedOut(f"{call.doing}: no answer within {idle_s:g} s") from error
        except (ConnectionFailed, BadCredentials) as error:
            note(_code_of(error))
            raise _named(error, call) from error
        note(str(response.status))
        if response.status >= 300:
            raise await self._refusal(call, response)
        return response

    async def _refusal(self, call: Call, response: Response) -> ApiError:
        """The error of a stream that did not begin; its explanation is read, but not waited for at any price."""
        body = b""
        try:
            async with self.clock.timeout(_ERROR_BODY_TIMEOUT_S):
                body = await response.read()
        except (TimeoutError, ConnectionFailed) as error:
            body = f"the explanation did not arrive: {error}".encode()
        finally:
            await response.close()
        return from_answer(response.status, response.headers, body, call.doing)

    async def _begin(self, call: Call, attempt: int) -> Callable[[str], None]:
        """Wait for the rate limit and start the watch; the returned function notes how the attempt ended."""
        if self._limit:
            await self._limit.wait()
        began = self.clock.monotonic()

        def note(code: str) -> None:
            seconds = self.clock.monotonic() - began
            self._observer(Observation(call.verb, call.resource, code, seconds, retry=attempt > 0))

        return note


def _code_of(error: KubeError) -> str:
    match error:
        case UntrustedServer():
            return "untrusted"
        case BadCredentials():
            return "credentials"
        case ConnectionFailed(sent=False):
            return "refused"
        case _:
            return "cut"


def _named(error: KubeError, call: Call) -> KubeError:
    """The same error with what we were doing in front of its message."""
    message = f"{call.doing}: {error}"
    match error:
        case UntrustedServer() | BadCredentials():
            return type(error)(message)
        case ConnectionFailed():
            return type(error)(message, sent=error.sent)
        case _:
            return error
