"""HTTP errors of a search."""

from functions.shared.errors import RefusalError


def invalid(name: str, wrong: str) -> RefusalError:
    """The error for an invalid field `name`; `wrong` completes the sentence."""
    return RefusalError(400, "invalid_request", f"'{name}' {wrong}.")


def too_heavy() -> RefusalError:
    """The engine stopped the search at one of its limits; a narrower search may succeed."""
    return RefusalError(
        400,
        "query_too_heavy",
        "The search takes too much time or memory: narrow 'from' and 'to', name services, or lower 'limit'.",
    )


def too_many_searches() -> RefusalError:
    """All slots of the tenant are in use."""
    return RefusalError(
        429,
        "too_many_searches",
        "Your account has reached its limit of concurrent searches: wait for one to end, then retry.",
        retry_after_seconds=1,
    )


def search_unavailable() -> RefusalError:
    """Our ClickHouse, or a service needed to reach a customer's, is unavailable."""
    return RefusalError(
        503, "search_unavailable", "Search is temporarily unavailable: retry.", retry_after_seconds=2
    )
