"""Documentation of the routes of saved searches."""

from typing import Any

from msgspec import Struct, field

from functions.accounts.saved_search import NewSearchForm, SearchChangesForm, View
from functions.shared.openapi import (
    INVALID_BODY,
    Body,
    Operation,
    Operations,
    Reply,
    TimestampText,
    path_id,
)


class SavedSearchReply(Struct):
    """A saved search. `path`: its short link, a page of the dashboard. `created_by`: as in the audit trail.

    `from` and `to`: an age such as `-1h`, or RFC 3339; `to` is null for now.
    """

    id: str
    path: str
    name: str
    query: str
    since: str = field(name="from")
    until: str | None = field(name="to")
    view: View
    columns: list[str]
    compare: bool
    wrap: bool
    created_at: TimestampText
    created_by: str
    updated_at: TimestampText


class SavedSearchList(Struct):
    """All saved searches of the account, by name."""

    searches: list[SavedSearchReply]


_SEARCH_STATE: dict[str, Any] = {
    "name": "Declined payments",
    "query": 'service:payment "declined by the bank"',
    "from": "-24h",
    "to": None,
    "view": "lines",
    "columns": ["order"],
    "compare": False,
    "wrap": False,
}
_SAVED_SEARCH: dict[str, Any] = {
    "id": "4k7ctw8n2xqz",
    "path": "/s/4k7ctw8n2xqz",
    **_SEARCH_STATE,
    "created_at": "2026-11-30T10:00:00Z",
    "created_by": "person:5f0c9c1e-7d55-4a52-9a67-2f0e6a1d3b8c",
    "updated_at": "2026-11-30T10:00:00Z",
}
_SEARCH_ID = path_id("The saved search's id.", "4k7ctw8n2xqz")
_SEARCHES_PAGE = "account.md#saved-searches"

OPERATIONS: Operations = {
    "GET /v1/searches": Operation(
        "listSavedSearches",
        "List saved searches",
        "read",
        {200: Reply("All saved searches, by name.", SavedSearchList, {"searches": [_SAVED_SEARCH]})},
        errors=("unknown_parameter",),
        page=_SEARCHES_PAGE,
    ),
    "POST /v1/searches": Operation(
        "saveSearch",
        "Save a search",
        "admin",
        {201: Reply("The saved search.", SavedSearchReply, _SAVED_SEARCH)},
        body=Body.json(NewSearchForm, _SEARCH_STATE),
        errors=(*INVALID_BODY, "unknown_parameter", "too_many_saved_searches"),
        page=_SEARCHES_PAGE,
    ),
    "GET /v1/searches/{id}": Operation(
        "readSavedSearch",
        "Read a saved search",
        "read",
        {200: Reply("The saved search.", SavedSearchReply, _SAVED_SEARCH)},
        parameters=(_SEARCH_ID,),
        errors=("unknown_parameter", "not_found"),
        page=_SEARCHES_PAGE,
    ),
    "PATCH /v1/searches/{id}": Operation(
        "changeSavedSearch",
        "Rename or change a saved search",
        "admin",
        {200: Reply("The changed search.", SavedSearchReply, _SAVED_SEARCH)},
        parameters=(_SEARCH_ID,),
        body=Body.json(SearchChangesForm, {"name": "Declined payments, all shops"}),
        errors=(*INVALID_BODY, "unknown_parameter", "not_found"),
        page=_SEARCHES_PAGE,
    ),
    "DELETE /v1/searches/{id}": Operation(
        "deleteSavedSearch",
        "Delete a saved search",
        "admin",
        {204: Reply("The saved search is deleted.")},
        parameters=(_SEARCH_ID,),
        errors=("unknown_parameter", "not_found"),
        page=_SEARCHES_PAGE,
    ),
}
