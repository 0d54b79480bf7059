"""The document: OpenAPI 3.1 as a dict, from documented routes. Pure."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from functions.shared.openapi import ErrorBody, GatewayMessage, Operation, Parameter, Reply
from openapi.declared import DocumentedRoute
from openapi.errors import error_responses
from openapi.schemas import JsonSchema, Schemas
from openapi.shared_responses import share_responses

OPENAPI = "3.1.1"
ROOT = Path(__file__).parents[1]

DESCRIPTION = """\
The HTTP API of AstraLog Cloud: send log events, search them, and manage the account.

- Send an API key in any form of the security schemes. A key has scopes; `admin` includes the others.
- Every error has the form of `ErrorBody`; branch on `code`. Routes of another client's protocol answer in its
  form.
- An unknown path is 404 `not_found`. A wrong method of a path is 405 `method_not_allowed`, with `Allow`.
- 413, 429, 500 and 503 may come from the gateway in the form of `GatewayMessage`: branch on the status.
- Times are RFC 3339 in UTC. The pages that operations name are in the folder `docs/` of the project.
"""

_KEY_SCHEMES = ("bearerKey", "headerKey", "basicKey")
SECURITY_SCHEMES: dict[str, JsonSchema] = {
    "bearerKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, or a person's access token, which has the scope `admin`. The schemes "
        "`Splunk` and `ApiKey` work too.",
    },
    "headerKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "An API key. `DD-API-KEY` and `X-Amz-Firehose-Access-Key` work too.",
    },
    "basicKey": {"type": "http", "scheme": "basic", "description": "An API key as the user or the password."},
    "queryKey": {
        "type": "apiKey",
        "in": "query",
        "name": "key",
        "description": "An API key in the URL can only send logs.",
    },
    "accessToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The access token of `POST /v1/login`.",
    },
}


def document(routes: Sequence[DocumentedRoute], version: str) -> dict[str, Any]:
    """The OpenAPI document of `routes`."""
    operations = [each.operation for each in routes]
    schemas = Schemas(_sent_types(operations), [*_returned_types(operations), GatewayMessage])
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    shared = share_responses(paths)
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "AstraLog Cloud",
            "version": version,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": _tags(routes),
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "responses": {**_other_responses(schemas), **shared},
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _sent_types(operations: Sequence[Operation]) -> Iterator[Any]:
    for each in operations:
        yield from (parameter.type for parameter in each.parameters)
        yield from (each.body.content.values() if each.body else ())


def _returned_types(operations: Sequence[Operation]) -> Iterator[Any]:
    for each in operations:
        yield from each.details.values()
        yield from (each.error_form.content.values() if each.error_form else ())
        for reply in each.replies.values():
            yield from (reply.type, *reply.or_media.values())


def _tags(routes: Sequence[DocumentedRoute]) -> list[dict[str, str]]:
    """One tag for each function, described by the first sentence of its handler's docstring."""
    functions = {route.function.name: route.function for route in routes}
    return [
        {"name": name, "description": _first_line(function.handler.rpartition(".")[0])}
        for name, function in functions.items()
    ]


def _first_line(module: str) -> str:
    source = (ROOT / Path(*module.split("."))).with_suffix(".py").read_text()
    return (ast.get_docstring(ast.parse(source)) or module).splitlines()[0]


def _operation(route: DocumentedRoute, schemas: Schemas) -> dict[str, Any]:
    operation = route.operation
    page = f"Documentation: `docs/{operation.page}`." if operation.page else ""
    shown: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [route.function.name],
        "summary": operation.summary,
        "description": " ".join(part for part in (operation.description, page) if part),
        "security": security(route),
    }
    if operation.parameters:
        shown["parameters"] = [_parameter(each, schemas) for each in operation.parameters]
    if operation.body:
        shown["requestBody"] = {
            "required": operation.body.required,
            "content": {
                media: _media(schemas.of(kind), operation.body.examples.get(media))
                for media, kind in operation.body.content.items()
            },
        }
    replies = {status: _reply(each, schemas) for status, each in operation.replies.items()}
    responses = {**error_responses(operation, schemas), **replies}
    return {**shown, "responses": {str(status): responses[status] for status in sorted(responses)}}


def security(route: DocumentedRoute) -> list[dict[str, list[str]]]:
    """The alternatives of the operation's security; an empty one stands for none."""
    accepts_logs = any(each.protocols for each in route.function.routes)
    match route.operation.access:
        case "none":
            return []
        case "access token":
            return [{"accessToken": []}]
        case "erasure id":
            return [{}, *({scheme: ["admin"]} for scheme in _KEY_SCHEMES)]
        case "any key":
            return [{scheme: []} for scheme in _KEY_SCHEMES]
        case "ingest or read":
            return [{scheme: [scope]} for scope in ("ingest", "read") for scheme in _KEY_SCHEMES]
        case scope:
            schemes = (*_KEY_SCHEMES, "queryKey") if accepts_logs else _KEY_SCHEMES
            return [{scheme: [scope]} for scheme in schemes]


def _parameter(parameter: Parameter, schemas: Schemas) -> dict[str, Any]:
    shown = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.required,
        "schema": schemas.of(parameter.type),
    }
    return shown if parameter.example is None else {**shown, "example": parameter.example}


def _media(schema: JsonSchema, example: Any) -> dict[str, Any]:
    return {"schema": schema} if example is None else {"schema": schema, "example": example}


def _reply(reply: Reply, schemas: Schemas) -> dict[str, Any]:
    shown: dict[str, Any] = {"description": reply.description}
    if reply.headers:
        shown["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in reply.headers.items()
        }
    if reply.type is not None:
        others = {media: {"schema": schemas.of(kind)} for media, kind in reply.or_media.items()}
        shown["content"] = {reply.media: _media(schemas.of(reply.type), reply.example), **others}
    return shown


def _other_responses(schemas: Schemas) -> dict[str, Any]:
    """Responses to requests that match no operation."""

    def form(code: str) -> dict[str, Any]:
        schema = {"allOf": [schemas.of(ErrorBody), {"properties": {"code": {"const": code}}}]}
        return {"application/json": {"schema": schema}}

    allow = {"description": "The methods of the path.", "schema": {"type": "string"}}
    return {
        "NotFound": {"description": "There is no such path.", "content": form("not_found")},
        "MethodNotAllowed": {
            "description": "The path has other methods.",
            "headers": {"Allow": allow},
            "content": form("method_not_allowed"),
        },
    }
