"""An answer that is passed on as it is: for answers of which a test changes one thing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from homeostat.kube.transport import Response


class Passing:
    """Satisfies Response by another one."""

    def __init__(self, inner: Response) -> None:
        self._inner = inner

    @property
    def status(self) -> int:
        return self._inner.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._inner.headers

    async def read(self) -> bytes:
        return await self._inner.read()

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner.chunks():
            yield chunk

    async def close(self) -> None:
        await self._inner.close()
