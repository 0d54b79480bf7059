"""An API client that behaves as senders should: it waits for Retry-After, and retries."""

import contextlib
import json
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

MAX_ATTEMPTS = 20
TIMEOUT_SECONDS = 35
PAUSE_SECONDS = 0.5
TRY_AGAIN = (429, 500, 502, 503, 504)


class ApiError(Exception):
    """The API rejected a request permanently, or for too long; the message holds its response."""


class Client:
    """One connection with one key. `retries` counts requests that were sent again."""

    def __init__(self, api: str, key: str) -> None:
        self._connection = HTTPConnection(urlsplit(api).netloc, timeout=TIMEOUT_SECONDS)
        self._headers = {"Authorization": f"Bearer {key}"}
        self.retries = 0

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """The JSON of a 2xx. Retries after 429, 5xx and lost connections: give an Idempotency-Key.

        Raises
        ------
        ApiError: another status, or no success in MAX_ATTEMPTS.
        """
        said = ""
        for _ in range(MAX_ATTEMPTS):
            pause = PAUSE_SECONDS
            try:
                self._connection.request("POST", path, body, {**self._headers, **headers})
                answer = self._connection.getresponse()
                text = answer.read().decode()
            except (OSError, HTTPException) as fault:
                self._connection.close()
                said = repr(fault)
            else:
                said = f"{answer.status}: {text[:500]}"
                if answer.status in (200, 202):
                    accepted: dict[str, Any] = json.loads(text)
                    return accepted
                if answer.status not in TRY_AGAIN:
                    break
                pause = _pause(answer.getheader("Retry-After"))
            self.retries += 1
            time.sleep(pause)
        raise ApiError(f"POST {path} failed with {said}")

    def close(self) -> None:
        self._connection.close()


def _pause(retry_after: str | None) -> float:
    with contextlib.suppress(TypeError, ValueError):
        return max(0.0, float(retry_after or PAUSE_SECONDS))
    return PAUSE_SECONDS
