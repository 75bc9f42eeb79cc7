"""Snapshots in a bucket of a store that speaks S3.

    <prefix>/<namespace>/<name>/<uid>/<id>/{snapshot.age,manifest-...json}

The bytes are an upload in parts, which appears when it is completed; the manifest comes after it, so what a listing
shows with a manifest is whole. Both are written on the condition that nothing of that name is there, which the store
itself checks. Nothing here relies on the order in which a store shows things of different names.

Credentials are found as all of AWS' own tools find them: in the environment, in mounted files, by the identity of the
Pod or the machine. They are never part of an address or a message.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import cache
from typing import Any

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import create_loader

from homeostat.operators.cluster.backup.errors import AlreadyExists, SnapshotNotFound, StoreWrong
from homeostat.operators.cluster.backup.listing import DATA_NAME, File, is_manifest
from homeostat.operators.cluster.backup.manifest import ClusterRef
from homeostat.providers.snapshots.address import BucketAddress
from homeostat.providers.snapshots.s3_errors import is_missing, is_taken, told

_MIB = 1024 * 1024
_SMALLEST_PART, _MOST_PARTS = 8 * _MIB, 9000  # S3 takes 5 MiB or more, and 10,000 parts
_READ_BYTES = 1 * _MIB
_IF_NEW = {"IfNoneMatch": "*"}


class Bucket:
    """Satisfies `Place`. Connects at the first call."""

    def __init__(self, address: BucketAddress) -> None:
        self._address = address
        self._open = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._made: Any = None  # botocore makes its clients at run time, without types

    @property
    def where(self) -> str:
        """As the protocol says."""
        at = f" at {self._address.endpoint}" if self._address.endpoint else ""
        return f"bucket {'/'.join(part for part in (self._address.bucket, self._address.prefix) if part)}{at}"

    def part_bytes(self, stored_bytes: int) -> int:
        """As the protocol says."""
        return max(_SMALLEST_PART, -(-stored_bytes // _MOST_PARTS // _MIB) * _MIB + _MIB)

    async def close(self) -> None:
        """As the protocol says."""
        await self._open.aclose()

    async def files(self, cluster: ClusterRef, snapshot: str = "") -> tuple[File, ...]:
        """As the protocol says."""
        start = self.key(cluster, snapshot)
        found = []
        async with self.calling("listing snapshots") as client:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=self._address.bucket, Prefix=start)
            async for page in pages:
                for each in page.get("Contents", ()):
                    owner, _, name = each["Key"].removeprefix(self.key(cluster)).partition("/")
                    if name:
                        found.append(File(owner, name, each["Size"]))
        return tuple(found)

    async def begin(self, cluster: ClusterRef, snapshot: str) -> BucketUpload:
        """As the protocol says."""
        doing = f"beginning snapshot {snapshot}"
        if await self.files(cluster, snapshot):
            raise AlreadyExists(doing, self.where, "something of that id is there")
        key = self.key(cluster, snapshot, DATA_NAME)
        async with self.calling(doing) as client:
            begun = await client.create_multipart_upload(Bucket=self._address.bucket, Key=key)
        return BucketUpload(self, self.key(cluster, snapshot), begun["UploadId"])

    async def read(self, cluster: ClusterRef, snapshot: str, name: str, limit: int) -> bytes:
        """As the protocol says."""
        content = bytearray()
        async for part in self.stream(cluster, snapshot, name):
            content += part
            if len(content) >= limit:
                break
        return bytes(content[:limit])

    async def stream(self, cluster: ClusterRef, snapshot: str, name: str) -> AsyncGenerator[bytes, None]:
        """As the protocol says."""
        key = self.key(cluster, snapshot, name)
        async with self.calling(f"reading {name} of snapshot {snapshot}") as client:
            body = (await client.get_object(Bucket=self._address.bucket, Key=key))["Body"]
            try:
                while part := await body.read(_READ_BYTES):
                    yield part
            finally:
                body.close()

    async def remove(self, cluster: ClusterRef, snapshot: str) -> None:
        """As the protocol says: manifests first, for without one nothing looks sound."""
        files = await self.files(cluster, snapshot)
        async with self.calling(f"deleting snapshot {snapshot}") as client:
            for file in sorted(files, key=lambda each: not is_manifest(each.name)):
                key = self.key(cluster, snapshot, file.name)
                await client.delete_object(Bucket=self._address.bucket, Key=key)

    async def sweep(self, cluster: ClusterRef, before: datetime) -> None:
        """As the protocol says."""
        async with self.calling("sweeping what was never ended") as client:
            listed = client.get_paginator("list_multipart_uploads")
            async for page in listed.paginate(Bucket=self._address.bucket, Prefix=self.key(cluster)):
                for each in page.get("Uploads", ()):
                    if each["Initiated"] < before:
                        await client.abort_multipart_upload(
                            Bucket=self._address.bucket, Key=each["Key"], UploadId=each["UploadId"]
                        )

    async def try_out(self, name: str, content: bytes) -> int | None:
        """As the protocol says; a bucket does not tell how much room it has."""
        where = {"Bucket": self._address.bucket, "Key": self._below(name)}
        doing = "trying the store out"
        async with self.calling(doing) as client:
            await client.put_object(**where, Body=content)
            try:
                body = (await client.get_object(**where))["Body"]
                try:
                    is_same = await body.read() == content
                finally:
                    body.close()
                if not is_same:
                    raise StoreWrong(doing, self.where, "it gives other bytes back than it was given")
            finally:
                await client.delete_object(**where)
        return None

    @asynccontextmanager
    async def calling(self, doing: str) -> AsyncIterator[Any]:
        """The client; what goes wrong with it is told in our own terms."""
        try:
            yield await self._client()
        except (BotoCoreError, ClientError) as error:
            if is_missing(error):
                raise SnapshotNotFound(doing, self.where, "it is not there") from error
            if is_taken(error):
                raise AlreadyExists(doing, self.where, "something of that id is there") from error
            raise told(error, doing, self.where) from error
        except RecursionError as error:  # the library follows a redirect to where it comes from until the stack ends
            raise StoreWrong(doing, self.where, "it leads from one address to another without an end") from error
        except TimeoutError:
            raise
        except (OSError, aiohttp.ClientError) as error:
            raise told(error, doing, self.where) from error

    def key(self, cluster: ClusterRef, snapshot: str = "", name: str = "") -> str:
        """Where a file is; without a name, what all of a snapshot's files, or of a cluster's, begin with."""
        parts = (cluster.namespace, cluster.name, cluster.uid, *((snapshot, name) if snapshot else ("",)))
        return self._below("/".join(parts))

    @property
    def name(self) -> str:
        """The bucket."""
        return self._address.bucket

    def _below(self, path: str) -> str:
        return f"{self._address.prefix}/{path}" if self._address.prefix else path

    async def _client(self) -> Any:
        async with self._opening:
            if self._made is None:
                config = AioConfig(
                    connect_timeout=10,
                    read_timeout=30,
                    retries={"mode": "standard", "max_attempts": 3},
                    s3={"addressing_style": self._address.style},
                    # Stores beside Amazon's do not know the newer checksums; age and the manifest have their own.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                )
                session = get_session()
                session.register_component("data_loader", _descriptions())
                making = session.create_client(
                    "s3",
                    region_name=self._address.region or None,
                    endpoint_url=self._address.endpoint or None,
                    config=config,
                )
                self._made = await self._open.enter_async_context(making)
        return self._made


@cache
def _descriptions() -> Any:
    """What the library knows of S3, read from its files once in a process: that takes most of a client's making."""
    return create_loader()


class BucketUpload:
    """Satisfies `Upload`."""

    def __init__(self, bucket: Bucket, start: str, upload: str) -> None:
        self._bucket, self._start, self._upload = bucket, start, upload
        self._parts: list[dict[str, Any]] = []
        self._is_completed = False

    async def write(self, part: bytes) -> None:
        """As the protocol says."""
        number = len(self._parts) + 1
        async with self._bucket.calling("writing a snapshot") as client:
            done = await client.upload_part(**self._where, UploadId=self._upload, PartNumber=number, Body=part)
        self._parts.append({"PartNumber": number, "ETag": done["ETag"]})

    async def commit(self, manifest_name: str, manifest: bytes) -> None:
        """As the protocol says."""
        async with self._bucket.calling("ending a snapshot") as client:
            parts = {"Parts": self._parts}
            await client.complete_multipart_upload(
                **self._where, UploadId=self._upload, MultipartUpload=parts, **_IF_NEW
            )
            self._is_completed = True
            key = self._start + manifest_name
            await client.put_object(Bucket=self._bucket.name, Key=key, Body=manifest, **_IF_NEW)

    async def abandon(self) -> None:
        """As the protocol says."""
        async with self._bucket.calling("abandoning a snapshot") as client:
            if self._is_completed:
                await client.delete_object(**self._where)
            else:
                await client.abort_multipart_upload(**self._where, UploadId=self._upload)

    @property
    def _where(self) -> dict[str, str]:
        return {"Bucket": self._bucket.name, "Key": self._start + DATA_NAME}
