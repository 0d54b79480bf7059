"""The declarations of all folders, matched with the routes of the topology."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec

from functions.shared.openapi import Operation
from infra.topology import FUNCTIONS, Function

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")


class UndocumentedRouteError(Exception):
    """Routes without a declaration, or declarations without a route; the message says what to add."""


@dataclass(frozen=True, slots=True)
class DocumentedRoute:
    """One operation of the document. `function`: the topology's function that answers it."""

    method: str
    path: str
    function: Function
    operation: Operation

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"


def documented_routes(functions: Sequence[Function] = FUNCTIONS) -> list[DocumentedRoute]:
    """All operations, in the order of the topology.

    Raises
    ------
    UndocumentedRouteError
    """
    functions = [_without_pages(each) for each in functions]
    folders = dict.fromkeys(each.folder for each in functions if each.routes)
    declared = {folder: _declared_in(folder) for folder in folders}
    routes = list(_matched(functions, declared))
    _reject_unmatched(functions, declared, routes)
    return routes


def _without_pages(function: Function) -> Function:
    return replace(function, routes=tuple(each for each in function.routes if each.is_api))


def _declared_in(folder: str) -> Mapping[str, Operation]:
    name = f"functions.{folder}.openapi"
    if find_spec(name) is None:
        return {}
    operations: Mapping[str, Operation] = import_module(name).OPERATIONS
    return operations


def _matched(
    functions: Sequence[Function], declared: Mapping[str, Mapping[str, Operation]]
) -> Iterator[DocumentedRoute]:
    """The declarations of each route: one, or several for any method and for the rest of a path."""
    for function in functions:
        exact = {f"{route.method} {route.path}" for route in function.routes}
        for route in function.routes:
            for key, operation in declared[function.folder].items():
                method, _, path = key.partition(" ")
                is_own = key == f"{route.method} {route.path}"
                if is_own or (key not in exact and _covers(route.method, route.path, method, path)):
                    yield DocumentedRoute(method, path, function, operation)


def _covers(route_method: str, route_path: str, method: str, path: str) -> bool:
    """Whether a route of any method, or with `{name+}`, gets requests of `method` and `path`."""
    start = route_path.partition("{")[0]
    is_path = path == route_path or (route_path.endswith("+}") and path.startswith(start))
    return route_method in ("ANY", method) and is_path


def _reject_unmatched(
    functions: Sequence[Function],
    declared: Mapping[str, Mapping[str, Operation]],
    routes: Sequence[DocumentedRoute],
) -> None:
    found = {route.key for route in routes}
    missing = [
        f'add "{route.method} {route.path}": Operation(…) to functions.{function.folder}.openapi'
        for function in functions
        for route in function.routes
        if not any(_covers(route.method, route.path, *key.split(" ")) for key in found)
    ]
    extra = [
        f'remove "{key}" from functions.{folder}.openapi, or add its route to infra/topology/functions'
        for folder, operations in declared.items()
        for key in operations.keys() - found
    ]
    if missing or extra:
        raise UndocumentedRouteError("\n".join([*missing, *sorted(extra)]))
