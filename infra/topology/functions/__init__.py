"""All functions: one module for each folder below the project's `functions/`, with the same name.

In order of deployment, which is also that of their tests and of the templates.
"""

from dataclasses import replace

from infra.topology.functions import (
    accounts,
    billing,
    destinations,
    ingest,
    migrate,
    notices,
    page,
    privacy,
    quarantine,
    query,
    retention,
    sync,
    uploads,
)
from infra.topology.functions.ingest import UNKNOWN_ROUTES
from infra.topology.shape import Function, Throttle
from infra.topology.throttles import PROBE

DEFAULT_ROUTE = "$default"
"""The key of the catch-all route."""

_ALL: tuple[Function, ...] = (
    *accounts.FUNCTIONS,
    *destinations.FUNCTIONS,
    *billing.FUNCTIONS,
    *notices.FUNCTIONS,
    *ingest.FUNCTIONS,
    *sync.FUNCTIONS,
    *query.FUNCTIONS,
    *quarantine.FUNCTIONS,
    *retention.FUNCTIONS,
    *privacy.FUNCTIONS,
    *uploads.FUNCTIONS,
    *migrate.FUNCTIONS,
    *page.FUNCTIONS,
)

_ROUTES = [route for each in _ALL for route in each.routes if route.is_api]

_METHODS = {
    path: ",".join(sorted(route.method for route in _ROUTES if route.path == path))
    for path in sorted({route.path for route in _ROUTES})
}

FUNCTIONS: tuple[Function, ...] = tuple(
    replace(each, settings={**each.settings, "routes": " ".join(f"{p}={m}" for p, m in _METHODS.items())})
    if each.name == UNKNOWN_ROUTES
    else each
    for each in _ALL
)
"""All functions. The one that answers unmatched requests gets all routes of the API as a setting."""


def throttles() -> dict[str, Throttle]:
    """Route key -> throttle, of the routes that have their own, including `$default`."""
    named = {
        f"{route.method} {route.path}": route.throttle
        for each in FUNCTIONS
        for route in each.routes
        if route.throttle
    }
    return {DEFAULT_ROUTE: PROBE, **named}


def function(name: str) -> Function:
    """The function of that name."""
    return next(each for each in FUNCTIONS if each.name == name)
