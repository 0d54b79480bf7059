"""The bodies of the routes, parsed and validated. Each rejection is a 400 that names the field."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from functions.privacy.erasure.person_rule import MAX_PATH_PARTS
from functions.privacy.erasure.subject import MESSAGE, METADATA, Subject
from functions.shared.errors import PermanentError
from functions.shared.forms import decoded, invalid
from functions.shared.tenancy import TenantId

MAX_FIELD_CHARACTERS = 200
MAX_VALUE_CHARACTERS = 1000
LEAST_MESSAGE_CHARACTERS = 3
"""For `message`: shorter texts occur in everyone's logs."""

Timestamp = Annotated[datetime, Meta(tz=True)]


class ErasureForm(Struct, forbid_unknown_fields=True):
    field: Annotated[str, Meta(max_length=MAX_FIELD_CHARACTERS)] | None = None
    value: Annotated[str, Meta(max_length=MAX_VALUE_CHARACTERS)] | int | float | bool | None = None
    account: bool = False
    confirm: str | None = None


class ClosingForm(Struct, forbid_unknown_fields=True):
    confirm: str | None = None


class ExportPeriodForm(Struct, forbid_unknown_fields=True, rename={"since": "from", "until": "to"}):
    since: Timestamp
    until: Timestamp


class ExportForm(Struct, forbid_unknown_fields=True):
    logs: ExportPeriodForm | None = None


@dataclass(frozen=True, slots=True)
class RequestedPeriod:
    """A period of events, in Unix seconds: from `since` up to, but excluding, `until`."""

    since: int
    until: int


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """What to erase: the rows of `subject`, or with None the whole account, which `confirm` names."""

    subject: Subject | None = field(repr=False)
    confirm: str | None = None


def erasure(body: bytes, tenant: TenantId) -> ErasureRequest:
    """`POST /v1/erasures`: a person by field and value, or the whole account."""
    asked = decoded(body, ErasureForm)
    if asked.account:
        if asked.field is not None or asked.value is not None:
            raise invalid("account", "erases the whole account: send it without 'field' and 'value'")
        return ErasureRequest(None, asked.confirm)
    if asked.field is None:
        raise invalid("field", "is missing: send 'message' or 'metadata.<key>', or instead 'account': true")
    if asked.value is None:
        raise invalid("value", "is missing: send the value that identifies the person")
    value = _text(asked.value)
    if not value:
        raise invalid("value", "must not be empty: it would match every row")
    if asked.field == MESSAGE and len(value) < LEAST_MESSAGE_CHARACTERS:
        raise invalid("value", f"must have {LEAST_MESSAGE_CHARACTERS} characters or more")
    parts = asked.field.removeprefix(METADATA).count(".") + 1
    if asked.field.startswith(METADATA) and parts > MAX_PATH_PARTS:
        raise invalid(
            "field", f"has {parts} parts between dots, more than {MAX_PATH_PARTS}: shorten the path"
        )
    try:
        return ErasureRequest(Subject(tenant, asked.field, value))
    except PermanentError:
        raise invalid("field", "must be 'message' or 'metadata.<key>'") from None


def closing(body: bytes, query: dict[str, str]) -> str | None:
    """`DELETE /v1/account`: the confirmation, from the body or from `?confirm=`."""
    asked = decoded(body, ClosingForm) if body.strip() else ClosingForm()
    return asked.confirm if asked.confirm is not None else query.get("confirm")


def export(body: bytes, now: float) -> RequestedPeriod | None:
    """`POST /v1/account/export`: the period whose events are requested, if any; the body may be empty."""
    asked = decoded(body if body.strip() else b"{}", ExportForm)
    if asked.logs is None:
        return None
    since, until = (int(each.astimezone(UTC).timestamp()) for each in (asked.logs.since, asked.logs.until))
    if since >= until:
        raise invalid("logs.from", "must be before 'logs.to'")
    if since > now:
        raise invalid("logs.from", "must not be in the future")
    if since < 0:
        raise invalid("logs.from", "must not be before 1970")
    return RequestedPeriod(since, until)


def _text(value: str | float | bool) -> str:
    """The value as JSON spells it: 7, 7.5 and true are searched for as text and as themselves."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
