"""Requests that match no route: 405 with `Allow` for a known path, 404 for any other.

A path that a known sender uses by default gets the route to use instead.

An HTTP API treats a wrong method like an unknown path, and sends both to its `$default` route. The routes of
the topology, which no function can import, come as a setting of one line (docs/adr/0030).
"""

from msgspec import Struct

from functions.shared.errors import HttpError
from functions.shared.http import Event

ANY = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
"""The methods of a route of any method."""


class RouteTable(Struct, frozen=True):
    """The methods of each path of the API; a `{parameter}` matches one segment, a `{parameter+}` the rest."""

    methods: dict[tuple[str, ...], tuple[str, ...]]

    @classmethod
    def parse(cls, text: str) -> "RouteTable":
        """Read `<path>=<method>,<method>` entries, separated by spaces."""
        entries = (entry.partition("=") for entry in text.split())
        return cls({tuple(path.split("/")): _methods(methods) for path, _, methods in entries})

    def allowed(self, path: str) -> list[str]:
        """The methods of `path`, sorted; empty for an unknown path."""
        segments = path.split("/")
        return sorted(
            {
                method
                for pattern, methods in self.methods.items()
                if _matches(pattern, segments)
                for method in methods
            }
        )


def _methods(text: str) -> tuple[str, ...]:
    methods = text.split(",")
    return ANY if "ANY" in methods else tuple(methods)


def unmatched(event: Event, table: RouteTable) -> HttpError:
    """The error for a request that matches no route."""
    path = event.get("rawPath", "/")
    allowed = table.allowed(path)
    if not allowed:
        return HttpError(404, "not_found", f"There is no route at this path: {_instead_of(path)}.")
    methods = " or ".join(allowed)
    return HttpError(
        405, "method_not_allowed", f"This path does not support the method. Use {methods}.", allow=allowed
    )


_OTLP = "send logs to /v1/logs (OTLP)"
_DATADOG = "only logs are accepted, at /api/v2/logs"
_PROMETHEUS = "metrics are not accepted; send logs to /v1/drain or /v1/logs"
_DRAIN = "send JSON to /v1/drain"

_INSTEAD: dict[str, str] = {
    "/v1/traces": f"traces are not accepted; {_OTLP}",
    "/v1/metrics": f"metrics are not accepted; {_OTLP}",
    "/v1/profiles": f"profiles are not accepted; {_OTLP}",
    "/v1development/profiles": f"profiles are not accepted; {_OTLP}",
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export": f"gRPC is not supported; {_OTLP}",
    "/otlp/v1/logs": _OTLP,
    "/api/v1/push": _PROMETHEUS,
    "/api/v1/write": _PROMETHEUS,
    "/write": _PROMETHEUS,
    "/api/v2/write": _PROMETHEUS,
    "/api/v1/series": _DATADOG,
    "/api/v2/series": _DATADOG,
    "/api/beta/sketches": _DATADOG,
    "/api/v1/check_run": _DATADOG,
    "/api/v1/events": _DATADOG,
    "/api/v0.2/traces": _DATADOG,
    "/intake": _DATADOG,
    "/intake/": _DATADOG,
    "/intake/v2/events": f"Elastic APM is not supported; {_OTLP}",
    "/gelf": f"{_DRAIN}, which reads GELF",
    "/insert/jsonline": _DRAIN,
    "/log/v1": _DRAIN,
    "/logs": _DRAIN,
    "/drain": "the path is /v1/drain",
    "/v1/drain/": "the path is /v1/drain, without a slash at its end",
    "/v1/logs/": "the path is /v1/logs, without a slash at its end",
    "/v1/journald": "the path is /v1/journald/upload; systemd-journal-upload adds /upload by itself",
    "/upload": "set the URL of systemd-journal-upload to end in /v1/journald",
}
"""Paths that senders of logs, metrics and traces use by default -> what to use here."""


def _instead_of(path: str) -> str:
    return _INSTEAD.get(path, "check it in the API reference")


def _matches(pattern: tuple[str, ...], segments: list[str]) -> bool:
    if pattern[-1].endswith("+}"):
        rest = "/".join(segments[len(pattern) - 1 :])
        segments = [*segments[: len(pattern) - 1], rest]
    return len(pattern) == len(segments) and all(
        bool(given) if part.startswith("{") else part == given
        for part, given in zip(pattern, segments, strict=True)
    )
