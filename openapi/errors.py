"""The error responses of an operation: its own codes and those that every route of its kind has."""

import re
from collections import defaultdict

from functions.shared.error_codes import ERROR_CODES, INVALID_FIELD
from functions.shared.openapi import JSON, Access, ErrorBody, GatewayMessage, Operation
from openapi.schemas import JsonSchema, Schemas

GATEWAY_STATUSES = (413, 429, 500, 503)
"""Statuses with which API Gateway also answers by itself."""

RETRY_STATUSES = (429, 503)
RETRY_AFTER = {"description": "Seconds to wait, where a retry helps.", "schema": {"type": "integer"}}

_STATUS_AND_CODE = re.compile(r"(\d{3}) (.+)")

EVERYWHERE = ("payload_too_large", "internal_error", "try_again")
_KEY = ("unauthorized", "key_expired", "too_many_attempts")

OF_ACCESS: dict[Access, tuple[str, ...]] = {
    "ingest": (*_KEY, "forbidden_scope"),
    "read": (*_KEY, "forbidden_scope"),
    "admin": (*_KEY, "forbidden_scope"),
    "ingest or read": (*_KEY, "forbidden_scope"),
    "erasure id": (*_KEY, "forbidden_scope"),
    "any key": _KEY,
    "access token": (*_KEY, "sign_in_required"),
    "none": (),
}
"""What a caller needs -> the codes of a caller that does not have it."""


def codes_by_status(operation: Operation) -> dict[int, list[str]]:
    """Status -> codes, of all errors in the API's own form.

    Raises
    ------
    KeyError: a code is not in the table of error codes.
    """
    found: defaultdict[int, list[str]] = defaultdict(list)
    for each in (*OF_ACCESS[operation.access], *EVERYWHERE, *operation.errors):
        explicit = _STATUS_AND_CODE.fullmatch(each)
        code = explicit[2] if explicit else each
        (status,) = (int(explicit[1]),) if explicit else ERROR_CODES[code].statuses
        if code not in found[status]:
            found[status].append(code)
    return dict(found)


def error_responses(operation: Operation, schemas: Schemas) -> dict[int, JsonSchema]:
    """Status -> response object."""
    if operation.error_form is not None:
        statuses = sorted({*operation.error_form.statuses, *GATEWAY_STATUSES})
        own = {media: schemas.of(kind) for media, kind in operation.error_form.content.items()}
        return {
            status: _response("Rejected, in the form of the client.", status, own, schemas)
            for status in statuses
        }
    responses = {429: _response("Too many requests.", 429, {}, schemas)}
    for status, codes in codes_by_status(operation).items():
        schema = _schema(operation, codes, schemas)
        named = ", ".join(f"`{code}`" for code in codes)
        responses[status] = _response(f"{named}.", status, {JSON: schema}, schemas)
    return responses


def _response(description: str, status: int, content: dict[str, JsonSchema], schemas: Schemas) -> JsonSchema:
    if status in GATEWAY_STATUSES:
        ours = content.get(JSON)
        gateway = schemas.of(GatewayMessage)
        content = {**content, JSON: {"anyOf": [ours, gateway]} if ours else gateway}
    response: JsonSchema = {"description": description}
    if status in RETRY_STATUSES:
        response["headers"] = {"Retry-After": RETRY_AFTER}
    if content:
        response["content"] = {media: {"schema": schema} for media, schema in content.items()}
    return response


def _schema(operation: Operation, codes: list[str], schemas: Schemas) -> JsonSchema:
    """ErrorBody with one of the codes, and with the members that some of them have."""
    plain = [code for code in codes if code not in operation.details]
    options = [_with_code(_code_schema(plain), {}, schemas)] if plain else []
    options += [
        _with_code({"const": code}, schemas.members(operation.details[code]), schemas)
        for code in codes
        if code in operation.details
    ]
    return options[0] if len(options) == 1 else {"anyOf": options}


def _with_code(code: JsonSchema, members: JsonSchema, schemas: Schemas) -> JsonSchema:
    properties = {"code": code, **members.get("properties", {})}
    more = {"required": members["required"]} if "required" in members else {}
    return {"allOf": [schemas.of(ErrorBody), {"type": "object", "properties": properties, **more}]}


def _code_schema(codes: list[str]) -> JsonSchema:
    named = [code for code in codes if code != INVALID_FIELD]
    pattern = {"pattern": "^" + INVALID_FIELD.replace("<field>", "[a-z_]+") + "$"}
    if len(named) == len(codes):
        return {"enum": named}
    return {"anyOf": [{"enum": named}, pattern]} if named else pattern
