import threading
import time
from collections.abc import Iterable
from typing import Any

import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client

from local.aws import AtomicWrites, WholeBodies


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


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain"])
def test_a_file_that_curl_puts_with_data_binary_is_stored_whole(kind: str) -> None:
    client = Client(WholeBodies(DomainDispatcherApplication(create_backend_app)))
    signature = (
        "AWS4-HMAC-SHA256 Credential=local/20261129/us-east-1/s3/aws4_request, SignedHeaders=, Signature="
    )
    s3: Any = {"base_url": "http://s3.amazonaws.com", "headers": {"Authorization": signature}}
    client.put("/first-steps", **s3)
    put = client.put("/first-steps/app.log", data=b'{"message": "a=b&c"}\n', content_type=kind, **s3)
    assert put.status_code == 200
    assert client.get("/first-steps/app.log", **s3).data == b'{"message": "a=b&c"}\n'
