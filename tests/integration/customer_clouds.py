"""Customers' clouds to test against: moto's S3 that can reject requests, and our own stores beside it."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from local import roles

CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}


@dataclass
class OwnClouds:
    """`refuses`: action -> the status and code it is answered with. `slow`: actions that take 60 seconds.
    `lost`: actions that are done, and then answered with 500. `expired`: access key ids of sessions that have
    ended.
    """

    url: str = ""
    refuses: dict[str, tuple[int, str]] = field(default_factory=dict)
    slow: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    expired: set[str] = field(default_factory=set)
    honours_conditions: bool = True
    asked: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(service, endpoint_url=self.url, **CREDENTIALS)
        return self._clients[service]

    def keys(self, bucket: str) -> list[str]:
        listed = self.client("s3").list_objects_v2(Bucket=bucket)
        return [each["Key"] for each in listed.get("Contents", ())]

    def well(self) -> None:
        """Refuse nothing any more."""
        self.refuses.clear()
        self.slow.clear()
        self.lost.clear()
        self.expired.clear()
        self.honours_conditions = True


class _Face:
    """WSGI middleware in front of moto."""

    def __init__(self, clouds: OwnClouds) -> None:
        self._clouds = clouds
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        action, clouds = _action(environ), self._clouds
        # Only what a customer's key signs is theirs; the tests look by another.
        if action is None or "Credential=test/" in environ.get("HTTP_AUTHORIZATION", ""):
            return self._moto(environ, start_response)
        clouds.asked.append(action)
        if any(f"Credential={key_id}/" in environ["HTTP_AUTHORIZATION"] for key_id in clouds.expired):
            return _refused(start_response, 400, "ExpiredToken")
        if action in clouds.slow:
            clouds.ended.wait(60)
        if action in clouds.refuses:
            return _refused(start_response, *clouds.refuses[action])
        if not clouds.honours_conditions:
            for header in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH"):
                environ.pop(header, None)
        if action in clouds.lost:
            list(self._moto(environ, lambda *_: None))
            return _refused(start_response, 500, "InternalError")
        return self._moto(environ, start_response)


def _action(environ: dict[str, Any]) -> str | None:
    if "/s3/aws4_request" not in environ.get("HTTP_AUTHORIZATION", ""):
        return None
    of_object = "/" in environ["PATH_INFO"].strip("/")
    match environ["REQUEST_METHOD"]:
        case "PUT":
            return "s3:PutObject"
        case "GET" | "HEAD":
            return "s3:GetObject" if of_object else "s3:ListBucket"
        case "POST" | "DELETE":
            return "s3:DeleteObject"
        case _:
            return None


def _refused(start_response: Any, status: int, code: str) -> list[bytes]:
    body = f"<Error><Code>{code}</Code><Message>canary-of-s3</Message></Error>".encode()
    headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
    start_response(f"{status} Refused", headers)
    return [body]


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def own_clouds() -> Iterator[OwnClouds]:
    """An S3, DynamoDB, KMS, IAM and STS until the end of the block; roles trust whom their policies name."""
    roles.install()
    clouds = OwnClouds()
    server = make_server("127.0.0.1", 0, _Face(clouds), threaded=True, request_handler=_Quiet)
    clouds.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield clouds
    finally:
        clouds.ended.set()
        time.sleep(0)
        server.shutdown()
        thread.join()
