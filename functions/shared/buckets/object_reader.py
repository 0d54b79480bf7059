"""Read many small objects of our own bucket at once, in one thread, over kept connections.

obstore takes three times the CPU for an object of 8 KB, most of it to pass work between threads
(docs/adr/0060). This reader knows one response only: the expected object, whole, at the first attempt. All
others it leaves to the caller, to read them by functions.shared.buckets.platform, which retries and
classifies errors.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import lru_cache
from selectors import EVENT_READ, DefaultSelector
from urllib.parse import SplitResult, quote

from functions.shared.aws_signature import NO_BODY_HASH, Signer, endpoint
from functions.shared.buckets.contract import ExpectedObject
from functions.shared.buckets.object_connection import ObjectConnection

CONNECTIONS = 16

STALL_SECONDS = 2.0
"""Without a byte for so long, the reader stops. S3 seldom takes half a second."""

MAX_OBJECT_BYTES = 256 * 1024
"""Larger objects are left to the caller: obstore reads 850 KB with less CPU, and connections keep buffers."""

Wanted = tuple[str, ExpectedObject]
"""The key of an object, and what a notification said of it."""

_Request = tuple[int, bytes, ExpectedObject]
"""The position of an object among those wanted, the request, and the object."""


class ObjectReader:
    """Reads objects of the bucket `name`. Threads may not share it; it connects on first use."""

    def __init__(self, name: str) -> None:
        self._bucket = name
        self._kept: list[ObjectConnection] = []

    def read(self, wanted: Sequence[Wanted]) -> list[bytes | None]:
        """The bodies in order, each with the expected ETag and size.

        None: it was not read, because it is large or for any other reason. Errors of S3 are not raised.
        """
        reading = _Reading(len(wanted), self._requests(wanted))
        self._kept = reading.run(self._connections(len(wanted)))
        return reading.bodies

    def _requests(self, wanted: Sequence[Wanted]) -> Iterator[_Request]:
        headers = {"host": endpoint("s3").netloc, "x-amz-content-sha256": NO_BODY_HASH}
        signer = Signer("s3", headers, os.environ, datetime.now(UTC))
        lines = "".join(f"{name}: {value}\r\n" for name, value in signer.headers.items())
        for position, (key, expected) in enumerate(wanted):
            if expected.size_bytes > MAX_OBJECT_BYTES:
                continue
            folder, _, name = f"/{self._bucket}/{key}".rpartition("/")
            path = f"{_quoted(folder)}/{quote(name)}"
            authorization = signer.authorization("GET", path)
            request = f"GET {path} HTTP/1.1\r\n{lines}authorization: {authorization}\r\n\r\n"
            yield position, request.encode(), expected

    def _connections(self, objects: int) -> list[ObjectConnection]:
        """The kept connections that S3 has not closed, and new ones, opened at the same time."""
        kept = [each for each in self._kept if each.is_open()]
        for ended in self._kept:
            if ended not in kept:
                ended.close()
        missing = min(CONNECTIONS, objects) - len(kept)
        if missing <= 0:
            return kept
        with ThreadPoolExecutor(missing) as pool:
            opened = pool.map(_connected, [endpoint("s3")] * missing)
        return kept + [each for each in opened if each]


class _Reading:
    """One call of `read`: a connection that has received an object asks for the next one."""

    def __init__(self, objects: int, requests: Iterator[_Request]) -> None:
        self.bodies: list[bytes | None] = [None] * objects
        self._requests = requests
        self._selector = DefaultSelector()
        self._busy: set[ObjectConnection] = set()
        self._idle: list[ObjectConnection] = []

    def run(self, connections: Sequence[ObjectConnection]) -> list[ObjectConnection]:
        """Read what can be read; return the connections that can be used again."""
        with self._selector:
            for each in connections:
                self._add(each)
                self._ask_next(each)
            while self._busy and (ready := self._selector.select(STALL_SECONDS)):
                for key, _ in ready:
                    self._receive(key.data)
            for each in self._busy:
                each.close()
        return self._idle

    def _receive(self, connection: ObjectConnection) -> None:
        try:
            if not connection.receive():
                return
        except OSError:
            self._remove(connection).close()
        else:
            self.bodies[connection.position] = connection.body()
            self._ask_next(connection)

    def _ask_next(self, connection: ObjectConnection) -> None:
        """Ask for the next object; a connection is renewed if S3 ends it, but not after an error."""
        request = next(self._requests, None)
        if request is None:
            self._idle.append(self._remove(connection))
            return
        try:
            if connection.is_last:
                self._remove(connection).close()
                connection.open()
                self._add(connection)
            connection.ask(*request)
        except OSError:
            self._remove(connection).close()

    def _add(self, connection: ObjectConnection) -> None:
        self._selector.register(connection.socket, EVENT_READ, connection)
        self._busy.add(connection)

    def _remove(self, connection: ObjectConnection) -> ObjectConnection:
        if connection in self._busy:
            self._selector.unregister(connection.socket)
            self._busy.remove(connection)
        return connection


@lru_cache(maxsize=1024)
def _quoted(folder: str) -> str:
    """`folder`, URI-encoded: the objects of a tenant and a day share it."""
    return quote(folder)


def _connected(address: SplitResult) -> ObjectConnection | None:
    try:
        return ObjectConnection(address)
    except OSError:
        return None
