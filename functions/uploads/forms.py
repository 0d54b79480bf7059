"""Validate the requests to the routes of uploads."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta, Struct

from functions.shared.errors import HttpError
from functions.shared.forms import decoded, invalid

MAX_FILE_BYTES = 5 * 1024**3
"""The most that S3 accepts in one PUT."""

MAX_FILENAME_BYTES = 700
"""S3 limits a key to 1,024 bytes, which include the tenant's prefix and an id."""

MAX_PAGE, DEFAULT_PAGE = 100, 50

_NUMBER = re.compile(r"[0-9]{1,9}")
_ID = re.compile(r"[0-9a-z]{26}")


class UploadForm(Struct, forbid_unknown_fields=True):
    filename: Annotated[str, Meta(extra_json_schema={"minLength": 1})]
    size: Annotated[int, Meta(extra_json_schema={"minimum": 1, "maximum": MAX_FILE_BYTES})]
    original: Literal["delete", "keep"] | None = None


class UploadSettingsForm(Struct, forbid_unknown_fields=True):
    original: Literal["delete", "keep"]


@dataclass(frozen=True, slots=True)
class Announced:
    """A file that will be put; `original`: whether it is kept, None for the account's choice."""

    filename: str
    size_bytes: int
    original: str | None


def announced(body: bytes) -> Announced:
    """The body of POST /v1/uploads.

    Raises
    ------
    HttpError: 400, or 413 for a file that is too large.
    """
    asked = decoded(body, UploadForm)
    if asked.size < 1:
        raise invalid("size", "must be the file's size in bytes, 1 or more")
    if asked.size > MAX_FILE_BYTES:
        raise HttpError(413, "payload_too_large", "A file may have at most 5 GiB. Split or compress it.")
    return Announced(_name(asked.filename), asked.size, asked.original)


def originals(body: bytes) -> str:
    """The body of PUT /v1/uploads/settings: whether originals are kept."""
    return decoded(body, UploadSettingsForm).original


def page(query: dict[str, str]) -> tuple[int, str | None]:
    """How many uploads to list, and the id before which they end."""
    text, cursor = query.get("limit", str(DEFAULT_PAGE)), query.get("cursor")
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= MAX_PAGE:
        raise invalid("limit", f"must be a number from 1 to {MAX_PAGE}")
    if cursor is not None and not _ID.fullmatch(cursor):
        raise invalid("cursor", "must be the next_cursor of a previous page")
    return int(text), cursor


def is_id(text: str) -> bool:
    return bool(_ID.fullmatch(text))


def _name(filename: str) -> str:
    """The name for a key and a URL: without parts that an HTTP client would resolve away."""
    parts = [part for part in filename.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    name = "/".join(parts)
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        raise invalid("filename", "must be text") from None
    if not name or length > MAX_FILENAME_BYTES or any(ord(each) < 32 or ord(each) == 127 for each in name):
        raise invalid(
            "filename", f"must be a name of 1 to {MAX_FILENAME_BYTES} bytes, without control characters"
        )
    return name
