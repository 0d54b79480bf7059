"""A small S3 on the loopback address that can be set to fail: conditional PUT, GET, HEAD and DELETE."""

import hashlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NO_LINGER = struct.pack("ii", 1, 0)
"""Closing a socket with this set resets the connection."""


class FaultyS3(ThreadingHTTPServer):
    """`faults` says what the next requests meet, the last one again and again; without any, all goes well.

    `silent`: never answered · `reset`: the connection is reset before the body is read · `cut`: the answer
    stops inside its headers · `lost`: the object is stored, and the connection closed without an answer ·
    `conflict`: a PUT is answered 409 and stores nothing, a GET goes well · a number: answered with that
    status, and nothing is stored.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.faults: list[str | int] = []
        self.requests = 0
        self.lock = threading.Lock()
        self.ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def staged(self) -> list[str]:
        """The paths of the staged objects it holds, the bucket's name included."""
        return [path for path in self.objects if "/staged/v1/" in path]

    def next_fault(self) -> str | int | None:
        with self.lock:
            self.requests += 1
            if len(self.faults) > 1:
                return self.faults.pop(0)
            return self.faults[0] if self.faults else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyS3

    def do_PUT(self) -> None:
        fault = self.server.next_fault()
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers["content-length"]))
        if isinstance(fault, int) or fault == "conflict":
            self._answer(fault if isinstance(fault, int) else 409)
        elif fault in ("silent", "cut"):
            self._never_answer(begin=fault == "cut")
        else:
            status = self._store(body)
            if fault == "lost":
                self.close_connection = True
                return
            self._answer(status, body)

    def do_GET(self) -> None:
        fault = self.server.next_fault()
        body = self.server.objects.get(self.path)
        if isinstance(fault, int):
            self._answer(fault)
        elif fault in ("silent", "cut"):
            self._never_answer(begin=fault == "cut")
        else:
            self._answer(404 if body is None else 200, body or b"")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        fault = self.server.next_fault()
        if isinstance(fault, int):
            self._answer(fault)
        else:
            self.server.objects.pop(self.path, None)
            self._answer(204)

    def do_POST(self) -> None:
        """DeleteObjects, which this S3 does not know."""
        fault = self.server.next_fault()
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(fault if isinstance(fault, int) else 501)

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""

    def _store(self, body: bytes) -> int:
        with self.server.lock:
            if self.headers.get("if-none-match") == "*" and self.path in self.server.objects:
                return 412
            self.server.objects[self.path] = body
            return 200

    def _never_answer(self, *, begin: bool) -> None:
        if begin:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nETag:")
            self.wfile.flush()
        else:
            self.server.ended.wait()
        self.close_connection = True

    def _answer(self, status: int, body: bytes = b"") -> None:
        """`body` is what the object holds; it is sent for a GET."""
        self.send_response(status)
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("Last-Modified", "Mon, 23 Nov 2026 10:00:00 GMT")
        self.send_header("Content-Length", "0" if self.command == "PUT" else str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@contextmanager
def faulty_s3() -> Iterator[FaultyS3]:
    """Run one until the end of the block."""
    server = FaultyS3()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
