"""An in-memory S3 in a separate process: PUT, GET and DeleteObjects, for any bucket.

It answers thousands of requests a second, so a round of a thousand objects takes less than a second.
"""

import re
from contextlib import AbstractContextManager
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from urllib.parse import unquote, urlsplit

from bench.s3_process import s3_process

_KEY = re.compile(r"<Key>(.*?)</Key>")
_objects: dict[str, bytes] = {}


def memory_s3() -> AbstractContextManager[str]:
    """Serve on loopback until the block ends; yields the endpoint's URL."""
    return s3_process(_serve)


def _serve(parent: Connection) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Requests) as server:
        parent.send(server.server_address[1])
        server.serve_forever()


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_PUT(self) -> None:
        body = self._body()
        _objects[self._path] = body
        self._answer(200, b"", ETag=_etag(body))

    def do_GET(self) -> None:
        body = _objects.get(self._path)
        if body is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._answer(200, body, **{"ETag": _etag(body), "Last-Modified": self.date_time_string()})

    def do_POST(self) -> None:
        keys = _KEY.findall(self._body().decode())
        bucket = self._path.rstrip("/")
        for key in keys:
            _objects.pop(f"{bucket}/{key}", None)
        deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        self._answer(200, f"<DeleteResult>{deleted}</DeleteResult>".encode())

    def log_message(self, *_arguments: object) -> None:
        """Log nothing: a log line would cost more than the request."""

    @property
    def _path(self) -> str:
        return unquote(urlsplit(self.path).path)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def _etag(body: bytes) -> str:
    return f'"{md5(body, usedforsecurity=False).hexdigest()}"'
