"""Requests that match no route: 405 with `Allow` for a known path, 404 for any other.

An HTTP API treats a wrong method like an unknown path, and sends both to its `$default` route. The routes of
the topology, which no function can import, come as a setting of one line (docs/adr/0030).
"""

from dataclasses import dataclass

from functions.shared.errors import HttpError
from functions.shared.http import Event


@dataclass(frozen=True, slots=True)
class RouteTable:
    """The methods of each path of the API; a `{parameter}` matches one segment, a `{parameter+}` the rest."""

    methods: dict[tuple[str, ...], tuple[str, ...]]

    @classmethod
    def parse(cls, text: str) -> "RouteTable":
        """Read `<path>=<method>,<method>` entries, separated by spaces."""
        entries = (entry.partition("=") for entry in text.split())
        return cls({tuple(path.split("/")): tuple(methods.split(",")) for path, _, methods in entries})

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


def unmatched(event: Event, table: RouteTable) -> HttpError:
    """The error for a request that matches no route."""
    allowed = table.allowed(event.get("rawPath", "/"))
    if not allowed:
        return HttpError(404, "not_found", "There is no route at this path: check it in the API reference.")
    methods = " or ".join(allowed)
    return HttpError(
        405, "method_not_allowed", f"This path does not support the method. Use {methods}.", allow=allowed
    )


def _matches(pattern: tuple[str, ...], segments: list[str]) -> bool:
    if pattern[-1].endswith("+}"):
        rest = "/".join(segments[len(pattern) - 1 :])
        segments = [*segments[: len(pattern) - 1], rest]
    return len(pattern) == len(segments) and all(
        bool(given) if part.startswith("{") else part == given
        for part, given in zip(pattern, segments, strict=True)
    )
