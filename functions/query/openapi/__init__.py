"""Documentation of the search routes; see functions.shared.openapi."""

from dataclasses import replace
from typing import Literal

from functions.query.estimate import EstimatePage
from functions.query.openapi import counts, events, exports, queries, search
from functions.query.openapi.shapes import BudgetProblem
from functions.query.requests.dry_run import DRY_RUN_ROUTES
from functions.query.requests.parameters import DRY_RUN
from functions.shared.openapi import Operation, Operations, Parameter


def _with_cost(operations: Operations) -> Operations:
    """The operations with what most have in common: the budget of rows, and `dry_run` where it is allowed."""
    return {route: _with_dry_run(route, _with_budget(each)) for route, each in operations.items()}


def _with_budget(operation: Operation) -> Operation:
    if "search_budget_exceeded" not in operation.errors:
        return operation
    return replace(operation, details={**operation.details, "search_budget_exceeded": BudgetProblem})


def _with_dry_run(route: str, operation: Operation) -> Operation:
    if route not in DRY_RUN_ROUTES:
        return operation
    whole = operation.replies[200]
    either = replace(
        whole,
        description=f"{whole.description} An estimate of its cost with `dry_run=true`.",
        type=(whole.type, EstimatePage),
    )
    dry_run = Parameter(DRY_RUN, "`true`: estimate what the request would read.", Literal["true", "false"])
    return replace(operation, parameters=(*operation.parameters, dry_run), replies={200: either})


OPERATIONS = _with_cost(
    {
        **search.OPERATIONS,
        **events.OPERATIONS,
        **counts.OPERATIONS,
        **queries.OPERATIONS,
        **exports.OPERATIONS,
    }
)
