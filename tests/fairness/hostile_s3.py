"""A customer's bucket that turns hostile: the stack's S3 behind a relay that lists one prefix for ever.

A destination is accepted only after it was tested, so the relay is honest until `turn_hostile`.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

KEYS_A_PAGE = 1000
NOT_RELAYED = frozenset(
    {"connection", "transfer-encoding", "content-length", "content-encoding", "date", "server"}
)


class HostileS3(ThreadingHTTPServer):
    """`endless_prefix`: listings below it never end once the bucket is hostile."""

    daemon_threads = True

    def __init__(self, upstream: str, endless_prefix: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.endless_prefix = endless_prefix
        self.pages = count()
        self.is_hostile = threading.Event()
        self.client = httpx.Client(timeout=60)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def turn_hostile(self) -> None:
        self.is_hostile.set()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that stops reading an endless listing is not reported."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def endless_page(self, prefix: str) -> bytes:
        """A full page of keys that were never there, and the promise of another."""
        number = next(self.pages)
        keys = "".join(
            f"<Contents><Key>{prefix}{number:09d}-{each:04d}.zst</Key>"
            "<LastModified>2026-11-01T00:00:00.000Z</LastModified>"
            '<ETag>"0"</ETag><Size>10</Size><StorageClass>STANDARD</StorageClass></Contents>'
            for each in range(KEYS_A_PAGE)
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>b</Name><Prefix>{prefix}</Prefix><KeyCount>{KEYS_A_PAGE}</KeyCount>"
            f"<MaxKeys>{KEYS_A_PAGE}</MaxKeys><IsTruncated>true</IsTruncated>"
            f"<NextContinuationToken>page-{number}</NextContinuationToken>{keys}</ListBucketResult>"
        ).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HostileS3

    def _relay(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        prefix = query.get("prefix", [""])[0]
        is_listing = self.command == "GET" and "list-type" in query
        if self.server.is_hostile.is_set() and is_listing and self.server.endless_prefix in prefix:
            self._send(200, {"Content-Type": "application/xml"}, self.server.endless_page(prefix))
            return
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = self.server.client.request(
            self.command, self.server.upstream + self.path, content=body, headers=dict(self.headers.items())
        )
        headers = {name: value for name, value in answer.headers.items() if name not in NOT_RELAYED}
        length = answer.headers.get("content-length") if self.command == "HEAD" else None
        self._send(answer.status_code, headers, answer.content, length)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _relay  # noqa: N815

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""

    def _send(self, status: int, headers: dict[str, str], body: bytes, length: str | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def hostile_s3(upstream: str, endless_prefix: str) -> Iterator[HostileS3]:
    """Run one until the end of the block."""
    server = HostileS3(upstream, endless_prefix)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        server.client.close()
