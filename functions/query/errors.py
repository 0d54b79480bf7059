"""HTTP errors of a search."""

from collections.abc import Sequence

from functions.query.language.errors import QuerySyntaxError
from functions.shared.errors import HttpError


def too_heavy() -> HttpError:
    """The engine stopped the search at one of its limits; a narrower search may succeed."""
    return HttpError(
        400,
        "query_too_heavy",
        "The search takes too much time or memory: narrow 'from' and 'to', name services, or lower 'limit'.",
    )


def too_long() -> HttpError:
    """The statement of a search would be too long to send, or to plan."""
    return HttpError(
        400,
        "query_too_heavy",
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


def search_unavailable() -> HttpError:
    """Our ClickHouse, or a service needed to reach a customer's, is unavailable."""
    return HttpError(
        503, "search_unavailable", "Search is temporarily unavailable: retry.", retry_after_seconds=2
    )


MAX_NAME_CHARACTERS = 100


def unknown_parameter(name: str, allowed: Sequence[str]) -> HttpError:
    """The URL has a parameter that the route does not have."""
    may_be = f"Allowed parameters: {', '.join(allowed)}" if allowed else "Send fields in the JSON body"
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
