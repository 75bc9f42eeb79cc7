"""A server that speaks S3, in this process, with a look at what it holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Event, Thread
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from homeostat.kit.clock import SystemClock


class S3Object:
    """One object, used as a path is."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client, self._where = client, {"Bucket": bucket, "Key": key}
        self.key = key
        self.name = key.rpartition("/")[2]

    def read_bytes(self) -> bytes:
        return bytes(self._client.get_object(**self._where)["Body"].read())

    def write_bytes(self, data: bytes) -> None:
        self._client.put_object(**self._where, Body=bytes(data))

    def unlink(self) -> None:
        self._client.delete_object(**self._where)


class Mood:
    """Answers as it is, until it is told to refuse everything, or to keep everybody waiting for a while or for ever."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._refusal: tuple[int, str] | None = None
        self._delay_s = 0.0
        self._is_awake = Event()
        self._is_awake.set()

    def __call__(self, environ: Any, start: Any) -> Any:
        self._is_awake.wait()
        Event().wait(self._delay_s)  # which nobody sets
        if self._refusal is None:
            return self._app(environ, start)
        status, code = self._refusal
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        return Response(f"<Error><Code>{code}</Code></Error>", status, mimetype="application/xml")(environ, start)

    @contextmanager
    def refusing(self, status: int, code: str) -> Iterator[None]:
        """Everything is refused with one error, until the block ends."""
        self._refusal = (status, code)
        try:
            yield
        finally:
            self._refusal = None

    @contextmanager
    def slow(self, delay_s: float) -> Iterator[None]:
        """Every answer comes so much later, until the block ends."""
        self._delay_s = delay_s
        try:
            yield
        finally:
            self._delay_s = 0.0

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Nobody gets an answer before the block ends."""
        self._is_awake.clear()
        try:
            yield
        finally:
            self._is_awake.set()


class S3Server:
    """The server; buckets are made by tests."""

    def __init__(self, endpoint: str, mood: Mood) -> None:
        self.endpoint, self.mood = endpoint, mood
        self.credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret-of-the-test"}
        self._client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self._numbers = count()

    def new_bucket(self) -> str:
        name = f"bucket-{next(self._numbers)}"
        self._client.create_bucket(Bucket=name)
        return name

    def objects(self, bucket: str, below: str = "") -> list[S3Object]:
        listed = self._client.list_objects_v2(Bucket=bucket, Prefix=below).get("Contents", ())
        return [S3Object(self._client, bucket, each["Key"]) for each in listed]

    def object(self, bucket: str, key: str) -> S3Object:
        return S3Object(self._client, bucket, key)

    def uploads(self, bucket: str) -> list[str]:
        """Keys of uploads that were begun and not ended."""
        return [each["Key"] for each in self._client.list_multipart_uploads(Bucket=bucket).get("Uploads", ())]


class TrueTimes:
    """Tells when each upload was begun, where moto tells one fixed time for all: what sweeps looks at it."""

    _BEGUN = re.compile(rb"<UploadId>([^<]+)</UploadId>")
    _LISTED = re.compile(rb"<Upload>.*?</Upload>", re.DOTALL)
    _TIME = re.compile(rb"<Initiated>[^<]*</Initiated>")

    def __init__(self, app: Any) -> None:
        self._app = app
        self._times: dict[bytes, bytes] = {}

    def __call__(self, environ: Any, start: Any) -> Any:
        if "uploads" not in environ["QUERY_STRING"].replace("=", "&").split("&"):
            return self._app(environ, start)
        answer = Response.from_app(self._app, environ, buffered=True)
        content = answer.get_data()
        if environ["REQUEST_METHOD"] == "POST":
            now = f"{SystemClock().now():%Y-%m-%dT%H:%M:%S.000Z}".encode()
            self._times.update(dict.fromkeys(self._BEGUN.findall(content), now))
        answer.set_data(self._LISTED.sub(self._with_time, content))
        return answer(environ, start)

    def _with_time(self, listed: re.Match[bytes]) -> bytes:
        (upload,) = self._BEGUN.findall(listed[0])
        return self._TIME.sub(b"<Initiated>%s</Initiated>" % self._times[upload], listed[0])


@contextmanager
def s3_serving(host: str = "127.0.0.1") -> Iterator[S3Server]:
    """A server on a free port of loopback, or of another address of this machine's, until the block ends."""
    app = Mood(TrueTimes(DomainDispatcherApplication(create_backend_app)))
    server = make_server(host, 0, app, threaded=True, request_handler=MotoRequestHandler)
    serving = Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield S3Server(f"http://{host}:{server.server_address[1]}", app)
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
