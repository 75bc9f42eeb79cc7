"""Fetching files over HTTP: resumed when they break off, given up soon when nobody answers.

A host that cannot be reached is remembered for the life of a `Fetcher`, so that a machine without internet loses a few
seconds once, not for every file.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import aiohttp

from homeostat.kit.clock import Clock
from homeostat.local.binaries.disk import MIB, Need, clear_errors, require_space
from homeostat.local.binaries.errors import BrokenDownload
from homeostat.local.binaries.mirror import shown
from homeostat.local.steps import Report

CONNECT_S = 3.0
FIRST_ANSWER_S = 5.0  # for the first byte of a host that has not answered before
IDLE_S = 10.0  # without a byte, a connection is given up
ATTEMPTS = 4
SILENCES = 2  # in a row, of a host that was well before
_PAUSE_S = 1.0
_MARGIN_MIB = 64
_RETRIED = {408, 429, 500, 502, 503, 504}
_RANGE_NOT_SATISFIABLE = 416


class Absent(Exception):
    """The host answers and does not have the file."""


class Unreachable(Exception):
    """The host does not answer."""


class _Broke(Exception):
    """One attempt ended early; the next one resumes."""


class _Silent(_Broke):
    """One attempt ended without a single byte."""


class Fetcher:
    """Downloads of one run; to be closed, or used as an asynchronous context manager."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._unreachable: dict[str, str] = {}
        self._well: set[str] = set()

    async def __aenter__(self) -> Fetcher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all connections."""
        if self._session is not None:
            await self._session.close()

    async def text(self, url: str, scratch: Path) -> str:
        """A small file. Raises Absent, Unreachable, BrokenDownload, NoSpace."""
        await self.file(url, scratch, None)
        return _consume(scratch)

    async def file(self, url: str, target: Path, progress: Report | None) -> None:
        """Fetch into a file; what is there already is taken for its beginning. Raises as `text` does."""
        host = urlsplit(shown(url)).netloc
        if host in self._unreachable:
            raise Unreachable(self._unreachable[host])
        silences = 0
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._attempt(url, target, progress)
            except _Broke as broke:
                silences = silences + 1 if isinstance(broke, _Silent) else 0
                if attempt == ATTEMPTS or silences == SILENCES:
                    raise self._giving_up(url, target, str(broke), attempt) from broke
                await self._clock.sleep(_PAUSE_S)
            except Unreachable as error:
                self._unreachable[host] = str(error)
                raise
            else:
                return

    async def _attempt(self, url: str, target: Path, progress: Report | None) -> None:
        start, host = _size(target), urlsplit(shown(url)).netloc
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
        try:
            async with self._clock.timeout(self._patience_s(host)):
                response = await self._open().get(url, headers=headers)
        except TimeoutError as error:  # aiohttp's limit for connections, or ours for the answer
            if isinstance(error, aiohttp.ServerTimeoutError):
                raise Unreachable(f"{host}: no connection within {CONNECT_S:g} s") from error
            raise self._silence(host) from error
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(str(error)) from error
        except aiohttp.ClientError as error:
            raise _Broke(str(error) or type(error).__name__) from error
        async with response:
            if response.status == _RANGE_NOT_SATISFIABLE:  # the beginning is not of this file, or it is all there
                _begin_anew(target)
                raise _Broke("the server does not know the part that is here; beginning anew")
            _check_status(response.status, url)
            await self._receive(response, host, target, start if response.status == 206 else 0, progress)

    async def _receive(
        self, response: aiohttp.ClientResponse, host: str, target: Path, start: int, progress: Report | None
    ) -> None:
        total = start + (response.content_length or 0)
        require_space(target.name, Need(target.parent, (response.content_length or 0) // MIB + _MARGIN_MIB))
        done = start
        with clear_errors(f"{target.name}: downloading"), target.open("r+b" if start else "wb") as out:
            out.seek(start)
            while chunk := await self._chunk(response, host, is_first=done == start):
                out.write(chunk)
                if progress is not None and done // MIB != (done + len(chunk)) // MIB:
                    progress.update(f"downloading {target.name}: {(done + len(chunk)) // MIB} of {total // MIB} MiB")
                done += len(chunk)
            out.truncate()
        if response.content_length is not None and done < total:
            raise _Broke(f"the connection ended after {done} of {total} bytes")

    async def _chunk(self, response: aiohttp.ClientResponse, host: str, *, is_first: bool) -> bytes:
        try:
            async with self._clock.timeout(self._patience_s(host)):
                chunk = await response.content.read(MIB)
        except TimeoutError as error:
            raise self._silence(host) if is_first else _Broke(f"no byte within {IDLE_S:g} s") from error
        except aiohttp.ClientError as error:
            raise _Broke(str(error) or type(error).__name__) from error
        self._well.add(host)
        return chunk

    def _patience_s(self, host: str) -> float:
        return IDLE_S if host in self._well else FIRST_ANSWER_S

    def _silence(self, host: str) -> Unreachable | _Silent:
        kind = _Silent if host in self._well else Unreachable
        return kind(f"{host}: no answer within {self._patience_s(host):g} s")

    def _giving_up(self, url: str, target: Path, why: str, attempts: int) -> Exception:
        begun, host = _size(target), urlsplit(shown(url)).netloc
        if not begun:  # it never gave anything: another source may
            self._unreachable[host] = why if why.startswith(host) else f"{host}: {why}"
            return Unreachable(self._unreachable[host])
        return BrokenDownload(
            f"{shown(url)}: expected the whole file, {why}, {attempts} times; try again (it continues after "
            f"{begun // MIB} MiB), set HOMEOSTAT_MIRROR to another mirror, or give HOMEOSTAT_BINARIES_DIR"
        )

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_S), trust_env=True
            )
        return self._session


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _begin_anew(file: Path) -> None:
    file.unlink(missing_ok=True)


def _consume(file: Path) -> str:
    text = file.read_text(errors="replace")
    file.unlink()
    return text


def _check_status(status: int, url: str) -> None:
    if status in _RETRIED:
        raise _Broke(f"the server answered {status}")
    if status not in (200, 206):
        raise Absent(f"{shown(url)}: the server answered {status}")
