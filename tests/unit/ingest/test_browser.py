"""A person who opens the bare address gets to the dashboard; log clients that ask there notice nothing."""

import pytest

from functions.ingest.browser import is_opened_by_a_browser
from functions.ingest.handler import handler

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


def event(method: str = "GET", accept: str | None = BROWSER, route: str = "ANY /") -> dict[str, object]:
    return {
        "routeKey": route,
        "rawPath": "/",
        "headers": {} if accept is None else {"accept": accept},
        "requestContext": {"requestId": "r-1", "http": {"method": method}},
    }


def test_a_browser_is_sent_to_the_dashboard() -> None:
    response = handler(event(), None)

    assert response["statusCode"] == 303
    assert response["headers"]["location"] == "/search"


@pytest.mark.parametrize(
    "asked",
    [
        event(accept="application/json"),
        event(accept="*/*"),
        event(accept=None),
        event(method="HEAD"),
        event(method="POST"),
        event(route="$default"),
    ],
)
def test_no_log_client_is_treated_as_a_browser(asked: dict[str, object]) -> None:
    assert not is_opened_by_a_browser(asked)
