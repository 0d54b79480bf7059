"""A proxy on loopback that answers some requests itself, as a busy service does, and passes on the rest."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

LOST = -1
"""Instead of a status: the request is passed on, and the connection closed without an answer."""


@dataclass
class RefusingProxy:
    """`url`: where clients send. `refused`: statuses that were answered here. `passed`: those from behind."""

    url: str
    refused: list[int] = field(default_factory=list)
    passed: list[int] = field(default_factory=list)


@contextmanager
def refusing(behind: str, statuses: dict[int, int]) -> Iterator[RefusingProxy]:
    """Answer the POST of each number in `statuses`, counted from 0, with that status; pass on the others."""
    lock = threading.Lock()
    seen = iter(range(1_000_000))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            with lock:
                status = statuses.get(next(seen))
            if status and status != LOST:
                proxy.refused.append(status)
                self._answer(status, b"", {"retry-after": "1"})
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            response = httpx.post(behind + self.path, content=body, headers=headers, timeout=30)
            proxy.passed.append(response.status_code)
            if status == LOST:
                self.close_connection = True
                return
            kept = {
                name: response.headers[name]
                for name in ("content-type", "retry-after")
                if name in response.headers
            }
            self._answer(response.status_code, response.content, kept)

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """The test's output is for the test."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        proxy = RefusingProxy(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
