"""ClickHouse's HTTP interface as values: credentials, settings, parameters, statuses, summary."""

import base64
import binascii
import json
from collections.abc import Mapping

from local.engine import Outcome
from local.statement import NOT_IMPLEMENTED, StatementRefusedError

AUTHENTICATION_FAILED = 516
DEFAULT_USER = "default"
DEFAULT_FORMAT = "TabSeparated"
PARAMETER_PREFIX = "param_"
FORM = "multipart/form-data"
MAX_FIELD_BYTES = 128 * 1024
"""`http_max_field_value_size`: the limit of one value in a form or in the URL."""

READONLY = 164
POCO_EXCEPTION = 1000
QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING = 216

_NOT_SETTINGS = frozenset(
    {
        "query", "database", "default_format", "user", "password", "wait_end_of_query", "buffer_size",
        "session_id", "session_timeout", "session_check", "query_id", "quota_key", "role", "compress",
        "decompress", "stacktrace", "client_protocol_version", "send_progress_in_http_headers",
        "http_headers_progress_interval_ms", "enable_http_compression",
    }
)  # fmt: skip
"""The interface's own parameters, and settings that do not matter for a plain, unbuffered response.
Anything else goes to the engine, which rejects unknown settings."""

_COMPRESSIONS = {"": "none", "identity": "none", "gzip": "gzip", "deflate": "deflate", "zstd": "zstd"}

_CODES_BY_STATUS = {
    400: {6, 25, 26, 27, 36, 38, 41, 53, 62, 69, 72, 117, 457},
    401: {194},
    403: {192, 193, AUTHENTICATION_FAILED},
    404: {46, 47, 50, 56, 60, 63, 73, 78, 81, 115},
    501: {NOT_IMPLEMENTED},
}
_STATUS_BY_CODE = {code: status for status, codes in _CODES_BY_STATUS.items() for code in codes}


def status_of(code: int) -> int:
    """The HTTP status of ClickHouse for an exception with that code."""
    return _STATUS_BY_CODE.get(code, 500)


def credentials(headers: Mapping[str, str], query: Mapping[str, str]) -> tuple[str, str]:
    """User and password of a request: Basic, X-ClickHouse-User/-Key, or the URL; `default` if absent."""
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return user, password
    return (
        headers.get("X-ClickHouse-User") or query.get("user") or DEFAULT_USER,
        headers.get("X-ClickHouse-Key") or query.get("password") or "",
    )


def settings(
    query: Mapping[str, str], *, may_write: bool, profile_readonly: str | None = None
) -> dict[str, str]:
    """The engine's settings in a URL. GET requests may not write, as in ClickHouse.

    Raises
    ------
    StatementRefusedError: the user's profile is readonly, and the request sets another value.
    """
    named = {
        name: value
        for name, value in query.items()
        if name not in _NOT_SETTINGS and not name.startswith(PARAMETER_PREFIX)
    }
    if profile_readonly is None:
        return named if may_write else {"readonly": "2", **named}
    if named.get("readonly", profile_readonly) != profile_readonly:
        raise StatementRefusedError(READONLY, "Cannot modify 'readonly' setting in readonly mode")
    return {**named, "readonly": profile_readonly}


def parameters(query: Mapping[str, str]) -> dict[str, str]:
    """The values bound to a statement's `{name:Type}`, in the escaped text form of the request."""
    return {
        name.removeprefix(PARAMETER_PREFIX): value
        for name, value in query.items()
        if name.startswith(PARAMETER_PREFIX)
    }


def compression(content_encoding: str) -> str:
    """ClickHouse's name for the compression of a body.

    Raises
    ------
    StatementRefusedError: the encoding is not supported here.
    """
    name = _COMPRESSIONS.get(content_encoding.lower())
    if name is None:
        raise StatementRefusedError(NOT_IMPLEMENTED, f"Content-Encoding {content_encoding} is not supported")
    return name


def summary(outcome: Outcome) -> str:
    """The header X-ClickHouse-Summary; all its values are strings."""
    return json.dumps(
        {
            "read_rows": str(outcome.rows_read),
            "read_bytes": "0",
            "written_rows": str(outcome.rows_written),
            "written_bytes": "0",
            "total_rows_to_read": "0",
            "result_rows": "0",
            "result_bytes": str(len(outcome.body)),
            "elapsed_ns": str(int(outcome.elapsed_seconds * 1e9)),
        },
        separators=(",", ":"),
    )
