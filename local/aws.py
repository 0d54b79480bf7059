"""The `aws` child: moto's server, made as atomic as the services it stands for.

Its state lives in memory and dies with it. moto checks a DynamoDB condition and then writes, on as many
threads as there are requests, so two conditional writes can both succeed; the real service lets one win.
Those requests therefore pass one at a time, and so do S3's conditional PUTs and Cognito's. What was mailed
is shown at GET /_mail (local.mail).
"""

import os
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from local import cognito, mail, mail_feedback, transactions
from local.child import configuration
from local.naming import LOOPBACK

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass(frozen=True, slots=True)
class Configuration:
    port: int


class AtomicWrites:
    """WSGI middleware that serialises what the real services do atomically."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application
        self._dynamodb = threading.Lock()
        self._conditional_put = threading.Lock()
        self._cognito = threading.Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        with self._turn(environ):
            return self._application(environ, start_response)

    def _turn(self, environ: "WSGIEnvironment") -> AbstractContextManager[Any]:
        if environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB_"):
            return self._dynamodb
        if environ.get("HTTP_X_AMZ_TARGET", "").startswith("AWSCognitoIdentityProviderService."):
            return self._cognito
        if environ["REQUEST_METHOD"] == "PUT" and environ.keys() & {"HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH"}:
            return self._conditional_put
        return nullcontext()


class _Quiet(MotoRequestHandler):  # type: ignore[misc]  # moto has no types
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """A line a request would bury what is worth reading."""


def main() -> None:
    port = configuration(Configuration).port
    outbox = mail.Outbox()
    transactions.install()
    mail.install(outbox)
    cognito.install(outbox)
    os.environ["MOTO_PORT"] = str(port)
    application = mail.ShowMail(
        AtomicWrites(DomainDispatcherApplication(create_backend_app)),
        outbox,
        mail_feedback.teller(f"http://{LOOPBACK}:{port}"),
    )
    make_server(LOOPBACK, port, application, threaded=True, request_handler=_Quiet).serve_forever()


if __name__ == "__main__":
    main()
