"""Small functions and a small child for the tests of the local stack."""

import os
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from local.child import configuration


def echo(event: Any, context: Any) -> dict[str, Any]:
    return {
        "event": event,
        "pid": os.getpid(),
        "left_ms": context.get_remaining_time_in_millis(),
        "environment": sorted(os.environ),
    }


def troubled(event: dict[str, Any], _context: Any) -> str:
    if event["do"] == "raise":
        raise ValueError("as asked")
    if event["do"] == "crash":
        os._exit(3)
    time.sleep(event.get("seconds", 0))
    return str(os.getpid())


@dataclass(frozen=True, slots=True)
class Configuration:
    port: int


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(os.getpid()).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Quiet."""


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", configuration(Configuration).port), _Handler).serve_forever()
