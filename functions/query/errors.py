"""HTTP errors of a search."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from functions.query.language.errors import QuerySyntaxError
from functions.shared.errors import HttpError

QUERY_TOO_HEAVY = "query_too_heavy"


def too_heavy() -> HttpError:
    """The engine stopped the search at one of its limits; a narrower search may succeed."""
    return HttpError(
        400,
        QUERY_TOO_HEAVY,
        "The search takes too much time or memory: narrow 'from' and 'to', name services, or lower 'limit'.",
    )


def too_long() -> HttpError:
    """The statement of a search would be too long to send, or to plan."""
    return HttpError(
        400,
        QUERY_TOO_HEAVY,
        "The query is too long for ClickHouse: use fewer conditions, pipes and extracted fields.",
    )


def too_many_searches() -> HttpError:
    """All slots of the tenant are in use."""
    return HttpError(
        429,
        "too_many_searches",
        "Your account has reached its limit of concurrent searches: wait for one to end, then retry.",
        retry_after_seconds=1,
    )


def budget_exceeded(rows_a_minute: int, seconds: int, *, of_account: bool) -> HttpError:
    """Earlier searches have read more rows than the budget of the account, or of the key, allows."""
    whose = "your account" if of_account else "this key or person"
    return HttpError(
        429,
        "search_budget_exceeded",
        f"Searches of {whose} have read more than {rows_a_minute:,} rows a minute: wait {seconds} seconds. "
        "Then narrow 'from' and 'to', or name services; '?dry_run=true' says what a search would read.",
        retry_after_seconds=seconds,
        details={"budget": "account" if of_account else "key", "rows_a_minute": rows_a_minute},
    )


def search_unavailable() -> HttpError:
    """Our ClickHouse, or a service needed to reach a customer's, is unavailable."""
    return HttpError(
        503, "search_unavailable", "Search is temporarily unavailable: retry.", retry_after_seconds=2
    )


MAX_NAME_CHARACTERS = 100


def unknown_parameter(name: str, allowed: Sequence[str], method: str) -> HttpError:
    """The URL has a parameter that the route does not have."""
    none_are = "Send fields in the JSON body" if method == "POST" else "This route has no parameters"
    may_be = f"Allowed parameters: {', '.join(allowed)}" if allowed else none_are
    return HttpError(
        400,
        "unknown_parameter",
        f"There is an unknown parameter '{name[:MAX_NAME_CHARACTERS]}' in the URL. {may_be}.",
        details={"field": name[:MAX_NAME_CHARACTERS]},
    )


def two_stores() -> HttpError:
    """A BYOC account in the week after its move, whose results cannot be combined."""
    return HttpError(
        409,
        "two_stores",
        "Your logs from before the move to BYOC are still in our ClickHouse, and a result covers one "
        "ClickHouse: send 'store' with 'byoc' for the logs since the move, or 'managed' for those before.",
    )


def invalid_regex() -> HttpError:
    """The engine did not compile an expression, although it is in the subset that we check."""
    return HttpError(
        400,
        "invalid_query",
        "ClickHouse does not compile a regular expression of the query: simplify it.",
        details={"field": "query"},
    )


def invalid_query(fault: QuerySyntaxError, field: str = "query") -> HttpError:
    """The text in `field` is not a query: where, and what may be there."""
    details = {
        "field": field,
        "column": fault.column,
        "expected": list(fault.expected),
        "caret": fault.caret,
    }
    return HttpError(400, "invalid_query", str(fault), details=details)


@contextmanager
def naming_q(route: str) -> Iterator[None]:
    """For a GET, name the parameter `q` in an error about the field `query`, which it stands for."""
    try:
        yield
    except HttpError as fault:
        if route.startswith("GET ") and fault.details.get("field") == "query":
            fault.details = {**fault.details, "field": "q"}
        raise


def cursor_expired() -> HttpError:
    """A tail's cursor that cannot be continued: it is too old, or the account's logs go elsewhere now."""
    return HttpError(
        410,
        "cursor_expired",
        "The cursor is older than a day, or your logs have moved to another ClickHouse: start again without "
        "'cursor', and read what is between with POST /v1/search.",
    )


def too_many_tails() -> HttpError:
    """The account has its maximum of waiting tails."""
    return HttpError(
        429,
        "too_many_tails",
        "Your account has reached its limit of concurrent tails: close one, then retry.",
        retry_after_seconds=2,
    )


def exports_in_progress(limit: int) -> HttpError:
    """The account has its maximum of exports of search results in progress."""
    return HttpError(
        409,
        "export_in_progress",
        f"{limit} exports of this account are in progress, the maximum: wait until one is ready.",
    )


def too_many_exports(limit: int, seconds: int) -> HttpError:
    """The account has requested its maximum of exports of search results in 24 hours."""
    return HttpError(
        429,
        "too_many_exports",
        f"The limit is {limit} exports in 24 hours. Download an existing one, or retry after the number of "
        "seconds in Retry-After.",
        retry_after_seconds=max(1, seconds),
    )
