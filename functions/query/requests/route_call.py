"""A request to a route of search, with what the route may use, and where it is answered.

`POST /v1/<name>` and `POST /v1/query/<name>` are answered by the function `answer` of functions.query.<name>.
The module is imported at the first request to its route, so a search loads none of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from functions.query.results.cursor import Store
from functions.shared.access import Principal

if TYPE_CHECKING:
    from functions.query.event_context import Run
    from functions.query.searching.search_stores import RunIn


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteCall:
    """`body`: JSON. `run_in`: runs a statement in one store of the caller.

    `events_of`: runs a statement of events in the named store, or in all stores of the caller. `dry_run`:
    whether only the cost is wanted, on the routes that have it (functions.query.requests.dry_run).
    """

    body: bytes
    caller: Principal
    run_in: "RunIn"
    events_of: "Callable[[Store | None], Run]"
    dry_run: bool


Answer = Callable[[RouteCall], bytes]
"""Makes the JSON response; raises HttpError as the handler documents."""


def answer_of(route: str) -> Answer:
    """What answers `route`, one of the topology, which names a module."""
    name = route.rpartition("/")[2]
    answer: Answer = import_module(f"functions.query.{name}").answer
    return answer
