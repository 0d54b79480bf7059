"""Match a request to a function by the routes of an HTTP API."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.topology import Function, Route


@dataclass(frozen=True, slots=True)
class Match:
    """A matching route, its function, and the values of its `{parameters}`."""

    function: Function
    route: Route
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def route_key(self) -> str:
        return f"{self.route.method} {self.route.path}"


class Routes:
    """All routes of the functions; a literal segment takes precedence over a `{parameter}`."""

    def __init__(self, functions: tuple[Function, ...]) -> None:
        routes = [(function, route) for function in functions for route in function.routes]
        self._routes = sorted(routes, key=lambda each: each[1].path.count("{"))

    def match(self, method: str, path: str) -> Match | None:
        """The match for a request; None if no route fits both method and path."""
        for function, route in self._routes:
            if route.method not in (method, "ANY"):
                continue
            parameters = _fit(route.path, path)
            if parameters is not None:
                return Match(function, route, parameters)
        return None


def _fit(pattern: str, path: str) -> dict[str, str] | None:
    segments, given = pattern.split("/"), path.split("/")
    if len(segments) != len(given):
        return None
    parameters: dict[str, str] = {}
    for segment, value in zip(segments, given, strict=True):
        if segment.startswith("{") and value:
            parameters[segment[1:-1]] = value
        elif segment != value:
            return None
    return parameters
