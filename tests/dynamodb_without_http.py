"""DynamoDB requests of tests on moto, without the HTTP request between botocore and moto.

botocore builds a request, signs it and prepares its headers; moto takes it apart, finds the service and the
region by its address, and builds a request of werkzeug's from it. That is half of the CPU time of reading an
item. Here botocore validates and serializes the parameters as always, moto's operation gets the body, and
botocore parses the response that moto serialized. Of an attribute value that is a scalar, such as
`{"S": "a"}`, each looks at the type only and not at all ten members. A client finds its endpoint once.
Handlers of `before-call` and `after-call` run as always, those of `before-send` do not.
tests/contract/test_dynamodb_without_http.py compares both ways.
"""

import json
import os
import threading
from functools import cache
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.endpoint import Endpoint
from botocore.parsers import BaseJSONParser
from botocore.regions import EndpointRulesetResolver
from botocore.serialize import JSONSerializer
from botocore.validate import ParamValidator
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.utils import get_service_model
from moto.dynamodb.responses import DynamoHandler

from local.moto_lookups import ATTRIBUTE_VALUE, is_scalar

SERVICE, OF_AWS, PARTITION = "dynamodb", ".amazonaws.com", "aws"

_one_at_a_time = threading.RLock()
"""moto checks a condition and writes in two steps; DynamoDB does both in one."""

OF_ITEMS = frozenset(
    {
        "BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan",
        "TransactGetItems", "TransactWriteItems", "UpdateItem",
    }
)  # fmt: skip
"""Operations whose parameters have no type besides those of JSON and bytes."""

BYTES = (b'"B"', b'"BS"')

_with_http = Endpoint.make_request
_validate, _serialize = ParamValidator._validate, JSONSerializer._serialize
_parse_structure = BaseJSONParser._handle_structure
_find_endpoint = EndpointRulesetResolver.construct_endpoint


@cache
def install() -> None:
    """Use it for every client of this process; a second call changes nothing."""
    Endpoint.make_request = _make_request
    ParamValidator._validate = _validate_scalars_at_once
    JSONSerializer._serialize = _serialize_scalars_at_once
    BaseJSONParser._handle_structure = _parse_scalars_at_once
    EndpointRulesetResolver.construct_endpoint = _find_endpoint_once


def uninstall() -> None:
    """Let all requests be HTTP requests again, until `install` is called anew."""
    Endpoint.make_request = _with_http
    ParamValidator._validate, JSONSerializer._serialize = _validate, _serialize
    BaseJSONParser._handle_structure = _parse_structure
    EndpointRulesetResolver.construct_endpoint = _find_endpoint
    install.cache_clear()


def _validate_scalars_at_once(self: Any, value: Any, shape: Any, errors: Any, name: str) -> None:
    if shape.name != ATTRIBUTE_VALUE or not is_scalar(value):
        _validate(self, value, shape, errors, name)


def _serialize_scalars_at_once(
    self: Any, serialized: dict[str, Any], value: Any, shape: Any, key: str | None = None
) -> None:
    if key and shape.name == ATTRIBUTE_VALUE and is_scalar(value):
        serialized[key] = value
    else:
        _serialize(self, serialized, value, shape, key)


def _parse_scalars_at_once(self: Any, shape: Any, value: Any) -> Any:
    if shape.name == ATTRIBUTE_VALUE and is_scalar(value):
        return value
    return _parse_structure(self, shape, value)


def _find_endpoint_once(self: Any, operation_model: Any, call_args: Any, request_context: Any) -> Any:
    """The endpoint of all operations of items. Tables are named here and never given as an ARN."""
    if operation_model.service_model.service_name != SERVICE or operation_model.name not in OF_ITEMS:
        return _find_endpoint(self, operation_model, call_args, request_context)
    if not hasattr(self, "endpoint_of_items"):
        self.endpoint_of_items = _find_endpoint(self, operation_model, call_args, request_context)
    return self.endpoint_of_items


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
    handler.params = _parameters(operation, request["body"])
    with _one_at_a_time:
        status, headers, body = handler.call_action()
    return int(status), headers, body


def _parameters(operation: Any, body: bytes) -> dict[str, Any]:
    """The parameters as moto's operation reads them: as they are in the body, and bytes in base64."""
    if operation.name in OF_ITEMS and not any(each in body for each in BYTES):
        parameters: dict[str, Any] = json.loads(body)
        return parameters
    model = get_service_model(SERVICE).operation_model(operation.name)
    parsed: dict[str, Any] = PROTOCOL_PARSERS["json"](model).parse({"body": body})
    return parsed


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
