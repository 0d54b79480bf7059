"""The routes of search that a module of their own answers."""

import pytest

from functions.query.requests.route_call import answer_of
from infra.topology import function

OF_THE_HANDLER = {"POST /v1/search", "POST /v1/search/export", "POST /v1/query/format"}


def posted_routes() -> set[str]:
    routes = {f"{each.method} {each.path}" for each in function("query").routes}
    return {each for each in routes if each.startswith("POST ")} - OF_THE_HANDLER


@pytest.mark.parametrize("route", sorted(posted_routes()))
def test_a_posted_route_is_answered_by_the_module_of_its_name(route: str) -> None:
    answer = answer_of(route)
    assert answer.__module__ == f"functions.query.{route.rpartition('/')[2]}"
    assert f"`{route}`" in (answer.__doc__ or "")
