"""Documentation of a route as data: what `functions/<folder>/openapi.py` declares for its routes.

A type is a msgspec Struct or another annotation that msgspec knows; a tuple of them, of which one fits; or a
schema as a dict, for what a Struct cannot say. The package `openapi` makes the OpenAPI document of these
declarations. No handler imports them, and no zip has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

TimestampText = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""A time in RFC 3339, UTC."""

DayText = Annotated[str, Meta(extra_json_schema={"format": "date"})]

LinkText = Annotated[str, Meta(extra_json_schema={"format": "uri"})]

SecretField = Annotated[str, Meta(extra_json_schema={"format": "password"})]

Schema = Mapping[str, Any]

JSON = "application/json"

Access = Literal["ingest", "read", "admin", "ingest or read", "any key", "access token", "erasure id", "none"]
"""What a caller needs: a key with this scope (`admin` includes all), any valid key, or a person's token.

`erasure id`: the id in the path is enough; a key with `admin` gets more.
"""


class ErrorBody(Struct):
    """The form of every error: branch on `code`, show `error` to people.

    `field` is the path of an invalid field, and `missing` lists all required fields that are missing.
    """

    error: str
    code: str
    request_id: str
    field: str = ""
    missing: list[str] = []


class GatewayMessage(Struct):
    """An error of API Gateway itself: the throttle of the route, a body that is too large, a fault."""

    message: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query, or of the path or a header with `place`. `type` as in the module."""

    name: str
    description: str
    type: Any = str
    place: Literal["query", "path", "header"] = "query"
    required: bool = False
    example: Any = None


@dataclass(frozen=True, slots=True)
class Body:
    """The request's body. `type` by media type; `examples` by media type, the first is a valid request."""

    content: Mapping[str, Any]
    examples: Mapping[str, Any] = field(default_factory=dict)
    required: bool = True

    @classmethod
    def json(cls, type: Any, example: Any, *, required: bool = True) -> "Body":  # noqa: A002 - as in Reply
        """A body in JSON, the usual one."""
        return cls({JSON: type}, {JSON: example}, required)


@dataclass(frozen=True, slots=True)
class Reply:
    """A response with one status. `type`: None for no body. `media`: its content type.

    `or_media`: further content types with their types, which the client asks for by `Accept` or by the
    content type of its request. `headers`: name -> description.
    """

    description: str
    type: Any = None
    example: Any = None
    media: str = JSON
    or_media: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ErrorForm:
    """Errors of a protocol in the form of its client, instead of codes: the type by media type.

    `statuses`: the statuses that they can have, besides those of every route.
    """

    content: Mapping[str, Any]
    statuses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    `id`: camel case, unique in the API; generated clients name their functions after it.
    `access`: see Access. `errors`: codes of functions.shared.error_codes beyond those that every such route
    has; a code with several statuses is written with the one that it has here, as `403 no_destination`.
    `details`: members of an error's body beyond ErrorBody, by code. `page`: the page of docs/ with more.
    """

    id: str
    summary: str
    access: Access
    replies: Mapping[int, Reply]
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    errors: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    error_form: ErrorForm | None = None
    page: str = ""


Operations = Mapping[str, Operation]
"""`<method> <path>` -> its operation. A path has its parameters as `{name}`, as in the topology."""

LOGS_REJECTED = (
    "402 quota_exceeded",
    "402 trial_quota_exceeded",
    "402 trial_ended",
    "402 payment_overdue",
    "402 subscription_ended",
    "402 account_closing",
)
"""The account accepts no logs."""

INVALID_BODY = ("invalid_<field>", "unknown_field", "invalid_body")
"""A body that is decoded into a form (functions.shared.forms)."""


def path_id(description: str, example: str) -> Parameter:
    """The parameter `{id}` of a path."""
    return Parameter("id", description, place="path", required=True, example=example)
