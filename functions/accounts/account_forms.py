"""Request bodies of the routes that need authentication, decoded and validated.

Each rejection is a 400. Its code names the field, `invalid_<field>`; for `unknown_field` the message names
it.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from functions.accounts import forms
from functions.accounts.forms import MAX_NAME_CHARACTERS
from functions.shared.forms import decoded, invalid
from functions.shared.secret_text import SecretText

DEFAULT_PROJECT = "default"
MAX_OVERLAP_HOURS = 168
MAX_EXPIRY_DAYS = 3650
SECONDS_A_DAY = 86_400

_CODE = re.compile(r"[0-9]{6}")

Line = Annotated[str, Meta(max_length=MAX_NAME_CHARACTERS)]
Timestamp = Annotated[datetime, Meta(tz=True)]
Days = Annotated[int, Meta(ge=1, le=MAX_EXPIRY_DAYS)]
EmailText = Annotated[str, Meta(extra_json_schema={"format": "email"})]
CodeText = Annotated[str, Meta(extra_json_schema={"pattern": f"^{_CODE.pattern}$"})]
Scope = Literal["ingest", "read", "admin"]


class NewKeyForm(Struct, forbid_unknown_fields=True):
    scopes: Annotated[list[Scope], Meta(min_length=1)]
    name: Line = ""
    project_id: Line = DEFAULT_PROJECT
    expires_at: Timestamp | None = None
    expires_in_days: Days | None = None


class RotationForm(Struct, forbid_unknown_fields=True):
    overlap_hours: Annotated[int, Meta(ge=0, le=MAX_OVERLAP_HOURS)] = 24
    expires_at: Timestamp | None = None
    expires_in_days: Days | None = None


class AccountChangesForm(Struct, forbid_unknown_fields=True):
    name: Line | None = None
    email: EmailText | None = None
    marketing_opt_in: bool | None = None


class EmailCodeForm(Struct, forbid_unknown_fields=True):
    code: CodeText


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to create; `expires_at` in Unix seconds, None for no expiry."""

    scopes: frozenset[str]
    name: str
    project_id: str
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class Rotation:
    """`overlap_seconds`: how long the old key stays valid. `expires_at`: of the new key; None: as the old
    key."""

    overlap_seconds: int
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class Changes:
    """Requested changes of an account; None leaves a field unchanged."""

    name: str | None = field(repr=False)
    email: str | None = field(repr=False)
    marketing_opt_in: bool | None


def new_key(body: bytes, now: float) -> NewKey:
    """`POST /v1/keys`."""
    asked = decoded(body, NewKeyForm)
    return NewKey(
        scopes=frozenset(asked.scopes),
        name=_printable("name", asked.name),
        project_id=_printable("project_id", asked.project_id) or DEFAULT_PROJECT,
        expires_at=_expiry(asked, now),
    )


def rotation(body: bytes, now: float) -> Rotation:
    """`POST /v1/keys/{id}/rotate`; the body may be empty."""
    asked = decoded(body or b"{}", RotationForm)
    return Rotation(asked.overlap_hours * 3600, _expiry(asked, now))


def changes(body: bytes) -> Changes:
    """`PATCH /v1/account`; an email address is returned in lower case."""
    asked = decoded(body, AccountChangesForm)
    name = None if asked.name is None else _printable("name", asked.name)
    if name == "":
        raise invalid("name", f"must be text of 1 to {MAX_NAME_CHARACTERS} characters")
    email = None if asked.email is None else forms.email_of(json.dumps({"email": asked.email}).encode())
    return Changes(name, email, asked.marketing_opt_in)


def code(body: bytes) -> SecretText:
    """`POST /v1/account/email/confirm`."""
    text = decoded(body, EmailCodeForm).code
    if not _CODE.fullmatch(text):
        raise invalid("code", "must be the mailed code: six digits, as text")
    return SecretText(text)


def parse_timestamp(name: str, text: str) -> datetime:
    """The query parameter `name`, a timestamp in RFC 3339."""
    try:
        return msgspec.convert(text, Timestamp).astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        raise invalid(name, "must be a timestamp in RFC 3339 with a time zone") from None


def number(name: str, text: str, least: int, most: int) -> int:
    """The query parameter `name`, a whole number."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise invalid(name, f"must be a whole number from {least} to {most}")
    return int(text)


def _expiry(asked: NewKeyForm | RotationForm, now: float) -> int | None:
    if asked.expires_at is not None and asked.expires_in_days is not None:
        raise invalid("expires_at", "and 'expires_in_days' cannot both be given")
    if asked.expires_in_days is not None:
        return int(now) + asked.expires_in_days * SECONDS_A_DAY
    if asked.expires_at is None:
        return None
    seconds = int(asked.expires_at.timestamp())
    if not now < seconds <= now + MAX_EXPIRY_DAYS * SECONDS_A_DAY:
        raise invalid("expires_at", f"must be in the future, at most {MAX_EXPIRY_DAYS} days from now")
    return seconds


def _printable(name: str, text: str) -> str:
    if not text.isprintable():
        raise invalid(name, "must not contain control characters")
    return text.strip()
