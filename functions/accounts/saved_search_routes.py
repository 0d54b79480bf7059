"""The routes of saved searches: each decodes the request, makes one call and encodes the response."""

from typing import Any, Protocol

import msgspec

from functions.accounts.people import to_rfc3339
from functions.accounts.saved_search import SavedSearch, new_search, search_changes
from functions.accounts.saved_search_store import SavedSearches
from functions.shared.access import Principal
from functions.shared.accounts.audit import origin
from functions.shared.errors import HttpError
from functions.shared.http import Answer, Event, answer, request

READS = frozenset({"GET /v1/searches", "GET /v1/searches/{id}"})
"""They need the scope `read`; changes need `admin`."""


class SearchesService(Protocol):
    """What of the account's service these routes use."""

    @property
    def searches(self) -> SavedSearches: ...


def list_searches(service: SearchesService, caller: Principal, event: Event) -> Answer:
    _check_parameters(event)
    found = [_as_json(each) for each in service.searches.list(caller.tenant)]
    return answer(200, msgspec.json.encode({"searches": found}))  # a third of the bytes of ASCII alone


def read_search(service: SearchesService, caller: Principal, event: Event) -> Answer:
    _check_parameters(event)
    return answer(200, _as_json(service.searches.get(caller.tenant, _id_of(event))))


def save_search(service: SearchesService, caller: Principal, event: Event) -> Answer:
    _check_parameters(event)
    state = new_search(request(event).body)
    return answer(201, _as_json(service.searches.create(caller.tenant, state, origin(event, caller))))


def change_search(service: SearchesService, caller: Principal, event: Event) -> Answer:
    _check_parameters(event)
    changes = search_changes(request(event).body)
    who = origin(event, caller)
    return answer(200, _as_json(service.searches.change(caller.tenant, _id_of(event), changes, who)))


def delete_search(service: SearchesService, caller: Principal, event: Event) -> Answer:
    _check_parameters(event)
    service.searches.delete(caller.tenant, _id_of(event), origin(event, caller))
    return answer(204)


SAVED_SEARCH_ROUTES = {
    "GET /v1/searches": list_searches,
    "POST /v1/searches": save_search,
    "GET /v1/searches/{id}": read_search,
    "PATCH /v1/searches/{id}": change_search,
    "DELETE /v1/searches/{id}": delete_search,
}


def _id_of(event: Event) -> str:
    return str(event["pathParameters"]["id"])


def _check_parameters(event: Event) -> None:
    """These routes have no parameters in the URL."""
    if sent := sorted(request(event).query):
        raise HttpError(
            400, "unknown_parameter", f"This route has no parameter '{sent[0][:100]}': remove it."
        )


def _as_json(search: SavedSearch) -> dict[str, Any]:
    state = search.state
    return {
        "id": search.search_id,
        "path": f"/s/{search.search_id}",
        "name": state.name,
        "query": state.query,
        "from": state.since,
        "to": state.until,
        "view": state.view,
        "columns": list(state.columns),
        "compare": state.compare,
        "wrap": state.wrap,
        "created_at": to_rfc3339(search.created_at),
        "created_by": search.created_by,
        "updated_at": to_rfc3339(search.updated_at),
    }
