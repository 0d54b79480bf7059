"""The request of `GET /v1/tail`: a filter, a cursor and how long to wait."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from functions.query.language.syntax_tree import Filter
from functions.query.limits import budget
from functions.query.requests.parameters import check_parameters
from functions.query.requests.request import FilterBody, all_of, json_filters, query_filter
from functions.shared.forms import decoded, invalid
from functions.shared.tenancy import TenantId

LISTS = ("projects", "services", "levels")
PARAMETERS = ("q", *LISTS, "cursor", "wait", "limit")

MAX_WAIT_SECONDS = 10
MAX_EVENTS = 1000
DEFAULT_EVENTS = 500
MAX_CURSOR_CHARACTERS = 4096


@dataclass(frozen=True, slots=True)
class TailRequest:
    """A validated request. `digest` identifies tenant and filter; `wait`: in seconds."""

    filter: Filter
    digest: str
    cursor: str | None
    wait: int
    limit: int


def tail_request(query: Mapping[str, str], tenant: TenantId) -> TailRequest:
    """The request in the parameters of a URL.

    Raises
    ------
    HttpError: 400 `unknown_parameter`, `invalid_<parameter>` or `invalid_query`.
    """
    check_parameters(query, PARAMETERS)
    cursor = query.get("cursor") or None
    if cursor and len(cursor) > MAX_CURSOR_CHARACTERS:
        raise invalid("cursor", "must be the 'cursor' of a response of this route")
    lists = {name: query[name].split(",") for name in LISTS if query.get(name)}
    body = decoded(
        msgspec.json.encode({**lists, **({"query": query["q"]} if "q" in query else {})}), FilterBody
    )
    conditions = json_filters(body)
    if body.query is not None:
        conditions.append(query_filter(body.query))
    found = all_of(conditions)
    budget.check(found)
    asked = msgspec.json.encode([str(tenant), body], order="deterministic")
    return TailRequest(
        filter=found,
        digest=hashlib.sha256(asked).hexdigest()[:16],
        cursor=cursor,
        wait=_whole(query, "wait", 0, MAX_WAIT_SECONDS, MAX_WAIT_SECONDS),
        limit=_whole(query, "limit", 1, MAX_EVENTS, DEFAULT_EVENTS),
    )


def _whole(query: Mapping[str, str], name: str, least: int, most: int, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and least <= int(text) <= most):
        raise invalid(name, f"must be a whole number from {least} to {most}")
    return int(text)
