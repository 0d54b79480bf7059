"""Reads events: searches page by page, tables, and tails, with retries."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Callable
from urllib.parse import urlencode

from astralog._settings import ApiKey, Endpoint
from astralog._transport import FAILURES, Response, Transport

PAGE_EVENTS = 1000
TRIES = 5
MAX_WAIT_SECONDS = 30.0
MAX_RESPONSE_BYTES = 256 << 20
"""More than a response of the service has."""

_PAGE = frozenset({"events", "next_cursor"})
_TABLE = frozenset({"columns", "rows", "truncated"})
_TAIL = frozenset({"events", "cursor"})
"""What a response has."""

Event = dict[str, Any]


class ReadError(Exception):
    """The service rejected the request, or did not answer it after TRIES tries.

    Attributes
    ----------
    status: the HTTP status; None without a response.
    document: the JSON object of the response, with `error` and `code`; empty without one.
    """

    def __init__(self, message: str, status: int | None, document: dict[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.document = document


class Reader:
    """Reads with a key of the scope `read`. Numbers that are not whole are Decimals, with the digits sent.

    `notify` gets a line for each retry.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        key: ApiKey,
        timeout: float = 40.0,
        notify: Callable[[str], None] = lambda _line: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._endpoint = endpoint
        self._transport = Transport(endpoint, key, timeout, None, MAX_RESPONSE_BYTES)
        self._notify = notify
        self._sleep = sleep

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def search(self, asked: dict[str, Any], limit: int | None) -> Iterator[Event]:
        """The events of the body `asked` of `POST /v1/search`, `limit` at most; None for all."""
        cursor, left = None, limit
        while left is None or left > 0:
            size = PAGE_EVENTS if left is None else min(left, PAGE_EVENTS)
            page = self._read(_PAGE, "POST", "/v1/search", {**asked, "limit": size, "cursor": cursor})
            yield from page["events"]
            cursor = page["next_cursor"]
            if cursor is None:
                return
            left = None if left is None else left - len(page["events"])

    def stats(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The table of the body `asked` of `POST /v1/stats`."""
        return self._read(_TABLE, "POST", "/v1/stats", asked)

    def tail(self, query: str) -> Iterator[Event]:
        """Events as they are stored, from now on, each once; it does not end by itself."""
        asked = {"q": query} if query else {}
        while True:
            page = self._read(_TAIL, "GET", f"/v1/tail?{urlencode(asked)}")
            yield from page["events"]
            asked["cursor"] = page["cursor"]

    def _read(
        self, names: frozenset[str], method: str, path: str, document: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The response of one request, which has `names`; it is repeated while that may help."""
        for attempt in range(TRIES):
            response = self._try(method, path, document)
            if response.status == 200:
                return self._parsed(response, names)
            passes = response.status in (0, 429) or response.status >= 500
            if not passes or attempt == TRIES - 1:
                break
            seconds = min(response.retry_after or 0.5 * 2**attempt, MAX_WAIT_SECONDS)
            self._notify(f"{_sentence(response, self._endpoint)} Trying again in {seconds:g} s.")
            self._sleep(seconds)
        raise ReadError(_sentence(response, self._endpoint), response.status or None, response.document)

    def _parsed(self, response: Response, names: frozenset[str]) -> dict[str, Any]:
        try:
            found = json.loads(response.body, parse_float=Decimal)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not names <= found.keys():
            raise ReadError(f"{self._endpoint} is not AstraLog: check ASTRALOG_URL.", response.status, {})
        return found

    def _try(self, method: str, path: str, document: dict[str, Any] | None) -> Response:
        """The response; one with the status 0 if there is none."""
        try:
            return self._transport.ask(method, path, document)
        except FAILURES:
            return Response(0)


def _sentence(response: Response, endpoint: Endpoint) -> str:
    if not response.status:
        return f"{endpoint} does not answer."
    error = response.document.get("error") or response.document.get("message")
    return str(error) if error else f"{endpoint} answered {response.status}."
