"""One kept connection to the service. It follows no redirect, so the key reaches no other host."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from time import monotonic
from typing import Any
from urllib.parse import unquote, urlsplit

from astralog._settings import ROUTE, ApiKey, Endpoint
from astralog._version import __version__

FAILURES = (OSError, HTTPException, ValueError)
"""What a request raises when there is no response: the request may have arrived or not."""

MAX_IDLE_SECONDS = 20
"""A connection that was idle for longer is replaced: the other side may have closed it."""

MAX_RESPONSE_BYTES = 1 << 20


@dataclass(frozen=True)
class Response:
    """The status; seconds of `Retry-After`; the body, and the JSON object in it, empty for any other body."""

    status: int
    retry_after: float | None = None
    document: dict[str, Any] = field(default_factory=dict)
    body: bytes = field(default=b"", compare=False, repr=False)


class Transport:
    """Sends requests, one at a time. `max_response_bytes`: a longer body of a response is not read."""

    def __init__(
        self,
        endpoint: Endpoint,
        key: ApiKey,
        timeout: float,
        context: ssl.SSLContext | None,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
    ) -> None:
        self._endpoint = endpoint
        self._key = key
        self._timeout = timeout
        self._context = context
        self._max_response_bytes = max_response_bytes
        self._connection: HTTPConnection | None = None
        self._used_at = 0.0

    def post(self, body: bytes, encoding: str | None, idempotency_key: str) -> Response:
        """Send a body of NDJSON.

        Raises
        ------
        one of FAILURES: there is no response.
        """
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": idempotency_key}
        if encoding:
            headers["Content-Encoding"] = encoding
        return self._exchange("POST", self._endpoint.path, body, headers)

    def ask(self, method: str, path: str, document: dict[str, Any] | None = None) -> Response:
        """Send a request with a JSON body, or without one, to a path such as `/v1/search`.

        Raises
        ------
        one of FAILURES: there is no response.
        """
        prefix = self._endpoint.path[: -len(ROUTE)]
        body = None if document is None else json.dumps(document).encode()
        return self._exchange(method, prefix + path, body, {"Content-Type": "application/json"})

    def _exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Response:
        own = {
            "Authorization": self._key.authorization(),
            "User-Agent": f"astralog-python/{__version__}",
        }
        try:
            connection = self._open()
            connection.request(method, path, body, {**own, **headers})
            with connection.getresponse() as response:
                found = self._read(response)
        except BaseException:
            self.close()
            raise
        self._used_at = monotonic()
        return found

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> HTTPConnection:
        if monotonic() - self._used_at > MAX_IDLE_SECONDS:
            self.close()
        if self._connection is None:
            self._connection = self._new_connection()
        return self._connection

    def _new_connection(self) -> HTTPConnection:
        endpoint = self._endpoint
        if not endpoint.secure:
            return HTTPConnection(endpoint.host, endpoint.port, timeout=self._timeout)
        if self._context is None:
            self._context = ssl.create_default_context()
        proxy = _proxy_for(endpoint.host)
        if proxy is None:
            return HTTPSConnection(endpoint.host, endpoint.port, timeout=self._timeout, context=self._context)
        host, port, headers = proxy
        connection = HTTPSConnection(host, port, timeout=self._timeout, context=self._context)
        connection.set_tunnel(endpoint.host, endpoint.port, headers)
        return connection

    def _read(self, response: HTTPResponse) -> Response:
        """Read a response whose status is known: a body that cannot be read changes nothing."""
        try:
            body = self._body(response)
        except FAILURES:
            body = None
        if body is None:
            self.close()
        retry_after = seconds_of(response.headers.get("retry-after"))
        return Response(response.status, retry_after, _object_of(body or b""), body or b"")

    def _body(self, response: HTTPResponse) -> bytes | None:
        """The whole body; None if it is too large or takes too long."""
        deadline = monotonic() + self._timeout
        body = b""
        while piece := response.read1(65_536):
            body += piece
            if len(body) > self._max_response_bytes or monotonic() > deadline:
                return None
        return body


def seconds_of(retry_after: str | None) -> float | None:
    """The seconds of a `Retry-After`, a number or a date; None without one that can be read."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        return max((moment - datetime.now(moment.tzinfo and timezone.utc)).total_seconds(), 0.0)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _object_of(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _proxy_for(host: str) -> tuple[str, int, dict[str, str]] | None:
    """Host, port and headers of the proxy that HTTPS_PROXY and NO_PROXY name for `host`."""
    from urllib.request import getproxies, proxy_bypass

    url = getproxies().get("https")
    if not url or proxy_bypass(host):
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if not parts.hostname:
        return None
    headers = {}
    if parts.username:
        from base64 import b64encode

        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers["Proxy-Authorization"] = f"Basic {b64encode(user).decode()}"
    return parts.hostname, parts.port or 8080, headers
