"""A small `POST /v1/drain` on the loopback address that can be set to fail."""

import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "ak_test_0123456789"

NO_LINGER = struct.pack("ii", 1, 0)
"""Closing a socket with this set resets the connection."""


class DrainService(ThreadingHTTPServer):
    """`faults` says what the next requests meet; without any, all goes well.

    `reset`: the connection is reset before the body is read · `lost`: the events are stored, and the
    connection is closed without an answer · `garbage`: an answer that is not HTTP · `slow`: stored, and
    answered after `slow_seconds` · a number, or a number and a `Retry-After`: answered with that, and nothing
    is stored.
    """

    daemon_threads = True

    def __init__(self, *, max_events: int = 1_000_000) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.max_events = max_events
        self.slow_seconds = 0.5
        self.faults: list[Any] = []
        self.bodies: dict[str, bytes] = {}
        self.events: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.connections: set[tuple[str, int]] = set()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def messages(self) -> list[str]:
        return [event["message"] for event in self.events]

    def store(self, key: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """What the service documents: once for a key, event by event."""
        events = [json.loads(line) for line in body.splitlines()]
        with self.lock:
            if len(events) > self.max_events:
                return 413, {"code": "too_many_events", "error": "Send fewer events."}
            good = [event for event in events if event["message"] != "bad"]
            if key not in self.bodies:
                self.bodies[key] = body
                self.events += good
            if self.bodies[key] != body:
                return 409, {"code": "idempotency_key_reused"}
        errors = [{"index": 0, "code": "message_missing", "reason": "no"}] * (len(events) - len(good))
        document = {"accepted": len(good), "rejected": len(errors), "errors": errors}
        return (202, document) if good else (400, {**document, "code": "all_rejected"})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: DrainService

    def do_POST(self) -> None:
        service = self.server
        with service.lock:
            fault = service.faults.pop(0) if service.faults else None
            service.headers.append({name.lower(): value for name, value in self.headers.items()})
            service.times.append(time.monotonic())
            service.connections.add(self.client_address)
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            self.close_connection = True
            return None
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers["content-encoding"] == "gzip":
            body = gzip.decompress(body)
        if self.path != "/v1/drain" or self.headers["authorization"] != f"Bearer {KEY}":
            return self._answer(401, {"code": "invalid_key", "error": "The key is unknown."})
        if fault == "garbage":
            self.wfile.write(b"not HTTP at all\r\n\r\n")
            self.close_connection = True
            return None
        if fault is not None and fault not in ("lost", "slow"):
            status, retry_after = fault if isinstance(fault, tuple) else (fault, None)
            return self._answer(status, {"code": "fault", "error": "As the test wants."}, retry_after)
        status, document = service.store(self.headers["idempotency-key"], body)
        if fault == "lost":
            self.close_connection = True
            return None
        if fault == "slow":
            time.sleep(service.slow_seconds)
        return self._answer(status, document)

    def _answer(self, status: int, document: dict[str, Any], retry_after: str | None = None) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        if retry_after is not None:
            self.send_header("Retry-After", retry_after)
        if 300 <= status < 400:
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """The test's output is for the test."""


class QuietService(DrainService):
    """Clients that go away are not a failure of the test."""

    def handle_error(self, *_arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def drain_service(**settings: Any) -> Iterator[DrainService]:
    """Serve until the end of the block."""
    with QuietService(**settings) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
