"""An S3 of one file on disk and of counted rows: nothing of either is held, and gigabytes pass through."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from backports import zstd

_RANGE = re.compile(r"bytes=(\d+)-(\d+)")
_NUMBER = re.compile(rb'"metadata":\{"n":(\d+)')
ETAG = '"0123456789abcdef"'


@dataclass
class FileS3:
    """`seen` counts each row by its number; `keys` are those of the staged objects, and of checkpoints."""

    file: Path
    rows: int
    seen: bytearray = field(init=False)
    keys: dict[str, bytes] = field(default_factory=dict)
    staged: list[str] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.seen = bytearray(self.rows)

    def put(self, key: str, body: bytes) -> bool:
        """Whether the key was free."""
        with self.lock:
            if key in self.keys:
                return False
            self.keys[key] = b"" if "/staged/" in key else body
            if "/staged/" in key:
                self.staged.append(key)
                for number in _NUMBER.findall(zstd.decompress(body)):
                    self.seen[int(number)] += 1
            return True


@contextmanager
def serving(file_s3: FileS3) -> Iterator[str]:
    """Serve `file_s3` on loopback; yields the endpoint's URL."""
    handler = type("Handler", (_Requests,), {"file_s3": file_s3})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    file_s3: FileS3

    def do_GET(self) -> None:
        key = self._key
        if "list-type" in self.path:
            found = "".join(
                f"<Contents><Key>{each.partition('/')[2]}</Key><ETag>{ETAG}</ETag><Size>1</Size>"
                "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
                for each in self.file_s3.keys
                if "/uploads/" in each
            )
            self._answer(
                200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode()
            )
        elif key.startswith("drop/"):
            start, end = map(int, _RANGE.fullmatch(self.headers["Range"]).groups())  # type: ignore[union-attr]
            size = self.file_s3.file.stat().st_size
            with self.file_s3.file.open("rb") as file:
                file.seek(start)
                body = file.read(end - start + 1)
            self._answer(206, body, **{"Content-Range": f"bytes {start}-{start + len(body) - 1}/{size}"})
        elif key in self.file_s3.keys:
            self._answer(200, self.file_s3.keys[key])
        else:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def do_HEAD(self) -> None:
        self._answer(200 if self._key in self.file_s3.keys or self._key.startswith("drop/") else 404, b"")

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_free = self.file_s3.put(self._key, body)
        self._answer(
            200 if is_free else 412, b"" if is_free else b"<Error><Code>PreconditionFailed</Code></Error>"
        )

    def do_POST(self) -> None:
        keys = re.findall(rb"<Key>(.*?)</Key>", self.rfile.read(int(self.headers["Content-Length"])))
        deleted = b"".join(b"<Deleted><Key>%b</Key></Deleted>" % key for key in keys)
        self._answer(200, b"<DeleteResult>%b</DeleteResult>" % deleted)

    def do_DELETE(self) -> None:
        self._answer(204, b"")

    def log_message(self, *_arguments: object) -> None:
        """No process reads it."""

    @property
    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).lstrip("/")

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        named = {"ETag": ETAG, "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", **headers}
        for name, value in named.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()
