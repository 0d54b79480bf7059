"""A saved search: its value, and the request bodies that make and change it, decoded and validated.

It is what the address of the search page says, with a name: the page of its short link has the same address
again. The query is not parsed here, for the page shows what is wrong with a query. Each rejection is a 400
whose code names the field.
"""

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from functions.accounts.account_forms import Timestamp
from functions.shared.forms import BODY, decoded, invalid

MAX_NAME_CHARACTERS = 100
MAX_QUERY_BYTES = 4096
"""With the other limits: 200 searches, of quotation marks alone, are below the 6 MB of Lambda's response."""

MAX_COLUMNS = 8
MAX_COLUMN_CHARACTERS = 256
DEFAULT_SINCE = "-1h"

_ID = re.compile(r"[0-9a-z]{12}")
_AGO = re.compile(r"-\d{1,4}[smhdw]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

View = Literal["lines", "patterns"]
NameText = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARACTERS)]
QueryText = Annotated[str, Meta(max_length=MAX_QUERY_BYTES)]
RangeText = Annotated[str, Meta(max_length=40)]
Column = Annotated[str, Meta(min_length=1, max_length=MAX_COLUMN_CHARACTERS)]
Columns = Annotated[list[Column], Meta(max_length=MAX_COLUMNS)]


class NewSearchForm(Struct, forbid_unknown_fields=True):
    """`from` and `to`: an age such as `-1h`, or RFC 3339; `to` is null for now."""

    name: NameText
    query: QueryText = ""
    since: RangeText = msgspec.field(name="from", default=DEFAULT_SINCE)
    until: RangeText | None = msgspec.field(name="to", default=None)
    view: View = "lines"
    columns: Columns = []
    compare: bool = False
    wrap: bool = False


class SearchChangesForm(Struct, forbid_unknown_fields=True):
    """Fields that are left out stay as they are."""

    name: NameText | UnsetType = UNSET
    query: QueryText | UnsetType = UNSET
    since: RangeText | UnsetType = msgspec.field(name="from", default=UNSET)
    until: RangeText | UnsetType | None = msgspec.field(name="to", default=UNSET)
    view: View | UnsetType = UNSET
    columns: Columns | UnsetType = UNSET
    compare: bool | UnsetType = UNSET
    wrap: bool | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class SearchState:
    """What the search page shows, as its address has it."""

    name: str = field(repr=False)
    query: str = field(repr=False)
    since: str
    until: str | None
    view: str
    columns: tuple[str, ...]
    compare: bool
    wrap: bool


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """`created_by`: `person:<subject>` or `key:<key_id>`. Timestamps in Unix seconds."""

    search_id: str
    state: SearchState
    created_at: int
    created_by: str
    updated_at: int


def new_search(body: bytes) -> SearchState:
    """`POST /v1/searches`."""
    asked = decoded(body, NewSearchForm)
    return SearchState(**_checked(msgspec.structs.asdict(asked)))


def search_changes(body: bytes) -> dict[str, Any]:
    """`PATCH /v1/searches/{id}`: the new values by the names of SearchState."""
    asked = msgspec.structs.asdict(decoded(body, SearchChangesForm))
    changes = {name: value for name, value in asked.items() if value is not UNSET}
    if not changes:
        raise invalid(BODY, "must have one or more of the fields of a saved search")
    return _checked(changes)


def is_search_id(text: str) -> bool:
    """Whether a saved search can have this id."""
    return _ID.fullmatch(text) is not None


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    """The values with a trimmed name and each column once."""
    if "name" in values:
        values["name"] = _name(values["name"])
    if "query" in values:
        _check_query(values["query"])
    for name, parameter in (("since", "from"), ("until", "to")):
        if values.get(name) is not None:
            _check_time(parameter, values[name])
    if "columns" in values:
        values["columns"] = tuple(dict.fromkeys(values["columns"]))
        if not all(each.isprintable() for each in values["columns"]):
            raise invalid("columns", "must not contain control characters")
    return values


def _name(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise invalid("name", f"must be printable text of 1 to {MAX_NAME_CHARACTERS} characters")
    return text.strip()


def _check_query(text: str) -> None:
    if _CONTROL.search(text):
        raise invalid("query", "must not contain control characters other than tabs and line breaks")
    if len(text.encode()) > MAX_QUERY_BYTES:
        raise invalid("query", f"must be text of at most {MAX_QUERY_BYTES} bytes in UTF-8")


def _check_time(parameter: str, text: str) -> None:
    if _AGO.fullmatch(text):
        return
    try:
        msgspec.convert(text, Timestamp)
    except (msgspec.ValidationError, OverflowError):
        raise invalid(parameter, "must be an age such as -1h, or an RFC 3339 time with a time zone") from None
