"""DynamoDB requests of tests on moto, without the HTTP request between botocore and moto.

botocore builds a request, signs it and prepares its headers; moto takes it apart, finds the service and the
region by its address, and builds a request of werkzeug's from it. That is half of the CPU time of reading an
item. Here botocore validates and serializes the parameters as always, moto's operation gets the body, and
botocore parses the response that moto serialized. Handlers of `before-call` and `after-call` run as always,
those of `before-send` do not. tests/contract/test_dynamodb_without_http.py compares both ways.
"""

import os
import threading
from functools import cache
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.endpoint import Endpoint
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.utils import get_service_model
from moto.dynamodb.responses import DynamoHandler

SERVICE, OF_AWS, PARTITION = "dynamodb", ".amazonaws.com", "aws"

_one_at_a_time = threading.RLock()
"""moto checks a condition and writes in two steps; DynamoDB does both in one."""

_with_http = Endpoint.make_request


@cache
def install() -> None:
    """Use it for every client of this process; a second call changes nothing."""
    Endpoint.make_request = _make_request


def uninstall() -> None:
    """Let all requests be HTTP requests again, until `install` is called anew."""
    Endpoint.make_request = _with_http
    install.cache_clear()


def _make_request(self: Endpoint, operation: Any, request: dict[str, Any]) -> tuple[AWSResponse, Any]:
    if not _is_simple(operation, request):
        answer: tuple[AWSResponse, Any] = _with_http(self, operation, request)
        return answer
    status, headers, body = _respond(operation, request)
    response = AWSResponse(request["url"], status, headers, MockRawResponse(body))
    return response, _parsed(self, operation, response)


def _is_simple(operation: Any, request: dict[str, Any]) -> bool:
    """Whether moto is active and reads nothing of the request but operation, region and parameters."""
    return (
        operation.service_model.service_name == SERVICE
        and botocore_stubber.enabled
        and OF_AWS in request["url"]
        and "MOTO_ACCOUNT_ID" not in os.environ
    )


def _respond(operation: Any, request: dict[str, Any]) -> tuple[int, dict[str, str], bytes | str]:
    """The status, headers and body of moto's response."""
    handler = DynamoHandler()
    handler.headers = request["headers"]
    handler.querystring = handler.uri_match = {}
    handler.response_headers = {"server": "amazon.com"}
    handler.region, handler.partition = request["context"]["client_region"], PARTITION
    handler.current_account = DEFAULT_ACCOUNT_ID
    model = get_service_model(SERVICE).operation_model(operation.name)
    handler.params = PROTOCOL_PARSERS["json"](model).parse({"body": request["body"]})
    with _one_at_a_time:
        status, headers, body = handler.call_action()
    return int(status), headers, body


def _parsed(endpoint: Endpoint, operation: Any, response: AWSResponse) -> Any:
    """The response as a client returns it, or as its error shows it."""
    received = {
        "headers": response.headers,
        "status_code": response.status_code,
        "context": {"operation_name": operation.name},
        "body": response.content,
    }
    parser = endpoint._response_parser_factory.create_parser(operation.service_model.resolved_protocol)
    parsed = parser.parse(received, operation.output_shape)
    if response.status_code >= 300:
        endpoint._add_modeled_error_fields(received, parsed, operation, parser)
    parsed["ResponseMetadata"]["RetryAttempts"] = 0
    return parsed
