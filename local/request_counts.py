"""What the local AWS has answered: GET /_requests, JSON of the requests and processor seconds by operation.

    {"UpdateItem": {"requests": 3, "seconds": 0.004}, …}

An operation is that of the API of its service (`UpdateItem`, `SendMessage`), or `S3 <method>`: REST services.
Seconds are processor time of the request's own thread, from reading it to the end of its answer: what it
waits for does not count. They are noted when the answer is sent, so the last ones may be missing.
"""

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/_requests"


class CountRequests:
    """WSGI middleware that counts requests and their time, and shows both."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application
        self._requests: Counter[str] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._thread = threading.local()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] == PATH:
            start_response("200 OK", [("content-type", "application/json")])
            return [self._shown()]
        self._thread.operation = operation(environ)
        with self._lock:
            self._requests[self._thread.operation] += 1
        return self._application(environ, start_response)

    def note(self, seconds: float) -> None:
        """Note what this thread has used for its request; nothing if that was not counted."""
        if name := self._thread.__dict__.pop("operation", ""):
            with self._lock:
                self._seconds[name] += seconds

    def _shown(self) -> bytes:
        with self._lock:
            shown = {
                name: {"requests": number, "seconds": round(self._seconds[name], 6)}
                for name, number in self._requests.items()
            }
        return json.dumps(shown).encode()


def operation(environ: "WSGIEnvironment") -> str:
    """The operation that the request names, `S3 <method>` when it names none."""
    target: str = environ.get("HTTP_X_AMZ_TARGET", "")
    return target.rpartition(".")[2] if target else f"S3 {environ['REQUEST_METHOD']}"
