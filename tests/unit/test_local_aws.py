import threading
import time
from collections.abc import Iterable
from typing import Any

import pytest

from local.aws import AtomicWrites


class Crowd:
    """A WSGI application that remembers how many were in it at once."""

    def __init__(self) -> None:
        self.most = 0
        self._inside = 0
        self._lock = threading.Lock()

    def __call__(self, _environ: dict[str, Any], _start_response: Any) -> Iterable[bytes]:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        time.sleep(0.05)
        with self._lock:
            self._inside -= 1
        return [b""]


def most_at_once(environ: dict[str, str]) -> int:
    crowd = Crowd()
    application: Any = AtomicWrites(crowd)  # type: ignore[arg-type]
    threads = [threading.Thread(target=application, args=(environ, None)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return crowd.most


@pytest.mark.parametrize(
    "environ",
    [
        {"REQUEST_METHOD": "POST", "HTTP_X_AMZ_TARGET": "DynamoDB_20120810.PutItem"},
        {"REQUEST_METHOD": "PUT", "HTTP_IF_NONE_MATCH": "*"},
    ],
)
def test_conditional_writes_pass_one_at_a_time(environ: dict[str, str]) -> None:
    assert most_at_once(environ) == 1


def test_everything_else_passes_together() -> None:
    assert most_at_once({"REQUEST_METHOD": "GET"}) > 1
