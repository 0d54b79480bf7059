"""Requests to the deployed API."""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from local.naming import LOOPBACK

TIMEOUT_SECONDS = 60
WAIT_SECONDS = 45.0
POLL_SECONDS = 0.3

T = TypeVar("T")


class RehearsalError(Exception):
    """A promise was not kept; the message says which."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and decoded JSON body; the text if it is not JSON."""

    status: int
    body: Any


class Api:
    """The API at `url`, reached through the proxy at `port` with the API's name as Host."""

    def __init__(self, url: str, port: int) -> None:
        self.url = url
        self._host = urlsplit(url).netloc
        self._port = port
        self.server_errors = 0

    def ask(
        self,
        route: str,
        token: str = "",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request, `METHOD /path`; a body that is not bytes goes as JSON."""
        method, path = route.split(" ", 1)
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Host": self._host, "Content-Type": "application/json", **(headers or {})}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, content, sent)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        self.server_errors += answer.status >= 500
        try:
            return Answer(answer.status, json.loads(text) if text else None)
        except ValueError:
            return Answer(answer.status, text)

    def done(self, route: str, token: str = "", body: Any = None, **headers: str) -> Any:
        """The body of a request that must succeed.

        Raises
        ------
        RehearsalError: the status is not 2xx.
        """
        answer = self.ask(route, token, body, headers)
        expect(answer.status < 300, f"{route} answered {answer.status}: {str(answer.body)[:300]}")
        return answer.body


def expect(condition: object, otherwise: str) -> None:
    """Raise RehearsalError with the sentence `otherwise` unless `condition` holds."""
    if not condition:
        raise RehearsalError(otherwise)


def wait_for(what: str, found: Callable[[], T], seconds: float = WAIT_SECONDS) -> T:
    """The first true result of `found`, called again and again.

    Raises
    ------
    RehearsalError: there is none after `seconds`; `what` names it.
    """
    deadline = time.monotonic() + seconds
    while not (result := found()):
        if time.monotonic() > deadline:
            raise RehearsalError(f"{what}: not within {seconds:.0f} s")
        time.sleep(POLL_SECONDS)
    return result
