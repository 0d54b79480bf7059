"""DynamoDB as threads find it: each call takes place at one moment, which moto's transactions do not."""

from threading import Lock
from typing import Any


class SerialClient:
    """`client`, a boto3 client, one call at a time; between two calls the order is open."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = Lock()

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def alone(**parameters: Any) -> Any:
            with self._lock:
                return call(**parameters)

        return alone
