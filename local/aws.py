"""The `aws` child: moto's server, with the atomicity of the services it imitates.

Its state is in memory and ends with the process. moto checks a DynamoDB condition and then writes, on as many
threads as there are requests, so two conditional writes can both succeed; the real service lets one win.
So these requests are serialised, as are S3's conditional PUTs and Cognito's. GET /_mail shows the mails
(local.mail), GET /_requests the number of requests (local.request_counts).
"""

import os
import threading
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from local import cognito, mail, mail_feedback, moto_lookups, queues, roles, transactions
from local.child import configuration
from local.endpoints import Endpoints
from local.naming import LOOPBACK
from local.request_counts import CountRequests
from local.stack_outputs import DescribeStacks, outputs

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass(frozen=True, slots=True)
class Configuration:
    """`services`: URLs of our API and of Stripe, for the outputs of the stacks; empty for a server alone."""

    port: int
    services: dict[str, str] = field(default_factory=dict)


class AtomicWrites:
    """WSGI middleware that serialises requests that are atomic in the real services."""

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


class WholeBodies:
    """WSGI middleware that keeps the body of a PUT of the type that `curl --data-binary` sends.

    moto reads such a body as a form and stores an object of 0 bytes; S3 stores the bytes.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        is_form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
        if environ["REQUEST_METHOD"] == "PUT" and is_form:
            environ = {**environ, "CONTENT_TYPE": "application/octet-stream"}
        return self._application(environ, start_response)


class _Quiet(MotoRequestHandler):  # type: ignore[misc]  # moto has no types
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: one line per request would hide the useful lines."""

    def handle_one_request(self) -> None:
        """Handle a request, and note what it cost."""
        began = time.thread_time()
        super().handle_one_request()
        self.server.app.note(time.thread_time() - began)


def main() -> None:
    config = configuration(Configuration)
    port = config.port
    outbox = mail.Outbox()
    queues.install()
    moto_lookups.install()
    transactions.install()
    roles.install()
    mail.install(outbox)
    cognito.install(outbox)
    os.environ["MOTO_PORT"] = str(port)
    endpoint = f"http://{LOOPBACK}:{port}"
    application = mail.ShowMail(
        DescribeStacks(
            WholeBodies(AtomicWrites(DomainDispatcherApplication(create_backend_app))),
            outputs(Endpoints(endpoint, config.services)) if config.services else {},
        ),
        outbox,
        mail_feedback.event_publisher(endpoint),
    )
    counting = CountRequests(application)
    make_server(LOOPBACK, port, counting, threaded=True, request_handler=_Quiet).serve_forever()


if __name__ == "__main__":
    main()
