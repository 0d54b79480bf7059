"""Match a request to a function by the routes of an HTTP API."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.topology import DEFAULT_ROUTE, UNKNOWN_ROUTES, Function, Route

DEFAULT = Route("ANY", DEFAULT_ROUTE, auth=False)
"""The route of every request that matches no other."""


@dataclass(frozen=True, slots=True)
class Match:
    """A matching route, its function, and the values of its `{parameters}`."""

    function: Function
    route: Route
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def route_key(self) -> str:
        if self.route is DEFAULT:
            return DEFAULT_ROUTE
        return f"{self.route.method} {self.route.path}"


class Routes:
    """All routes of the functions.

    A literal segment takes precedence over a `{parameter}`, and a method over ANY.

    A last `{parameter+}` is the rest of the path, and comes after both.

    `unmatched`: the name of the function that answers all other requests.
    """

    def __init__(self, functions: tuple[Function, ...], unmatched: str = UNKNOWN_ROUTES) -> None:
        routes = [(function, route) for function in functions for route in function.routes]
        self._routes = sorted(routes, key=lambda each: _rank(each[1]))
        (self._default,) = (each for each in functions if each.name == unmatched)

    def match(self, method: str, path: str) -> Match:
        """The match for a request: the default route if no other fits both method and path."""
        for function, route in self._routes:
            if route.method not in (method, "ANY"):
                continue
            parameters = _fit(route.path, path)
            if parameters is not None:
                return Match(function, route, parameters)
        return Match(self._default, DEFAULT)


def _rank(route: Route) -> tuple[int, int, bool]:
    return route.path.count("+}"), route.path.count("{"), route.method == "ANY"


def _fit(pattern: str, path: str) -> dict[str, str] | None:
    segments, given = pattern.split("/"), path.split("/")
    if segments[-1].endswith("+}"):
        given[len(segments) - 1 :] = ["/".join(given[len(segments) - 1 :])]
    if len(segments) != len(given):
        return None
    parameters: dict[str, str] = {}
    for segment, value in zip(segments, given, strict=True):
        if segment.startswith("{") and value:
            parameters[segment[1:-1].removesuffix("+")] = value
        elif segment != value:
            return None
    return parameters
