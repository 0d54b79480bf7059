"""The parameter `dry_run` in a URL: the routes that have it, and its value."""

from functions.query.requests.parameters import DRY_RUN
from functions.query.requests.url_bodies import POSTED
from functions.shared.forms import invalid
from functions.shared.http import Event, Request

DRY_RUN_ROUTES = frozenset(
    {
        "GET /v1/search",
        "POST /v1/search",
        "POST /v1/stats",
        "POST /v1/histogram",
        "POST /v1/fields",
        "POST /v1/patterns",
        *POSTED,
    }
)
"""Their responses to a dry run are functions.query.estimate.EstimatePage."""


def without_dry_run(asked: Request, route: str) -> tuple[Request, bool]:
    """The request without the parameter, and whether it is true, on the routes that have it.

    Raises
    ------
    HttpError: 400 `invalid_dry_run`.
    """
    if DRY_RUN not in asked.query or route not in DRY_RUN_ROUTES:
        return asked, False
    others = dict(asked.query)
    value = others.pop(DRY_RUN)
    if value not in ("true", "false"):
        raise invalid(DRY_RUN, "must be true or false")
    return asked._replace(query=others), value == "true"


def is_dry_run(event: Event) -> bool:
    """Whether a request of a route that has the parameter reads no rows."""
    return (
        event["routeKey"] in DRY_RUN_ROUTES
        and (event.get("queryStringParameters") or {}).get(DRY_RUN) == "true"
    )
