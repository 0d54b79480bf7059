"""Responses and errors of every route have the same security headers."""

from typing import Any

import pytest

from functions.shared.errors import HttpError
from functions.shared.http import SECURITY_HEADERS, Answer, Event, answer, answering


def respond(event: Event) -> Answer:
    match event["case"]:
        case "ok":
            return answer(200, {"fine": True})
        case "own":
            return answer(200, cache_control="public, max-age=60")
        case "bare":
            return {"statusCode": 204}
        case "refused":
            raise HttpError(404, "not_found", "There is no such thing.")
        case _:
            raise ValueError("a bug")


respond.__module__ = "functions.query.handler"


def headers(case: str) -> dict[str, Any]:
    response: dict[str, Any] = answering(respond)({"case": case}, None)["headers"]
    return response


@pytest.mark.parametrize("case", ["ok", "bare", "refused", "bug"])
def test_every_response_has_the_security_headers(case: str) -> None:
    assert SECURITY_HEADERS.items() <= headers(case).items()
    assert SECURITY_HEADERS.keys() == {
        "cache-control", "strict-transport-security", "x-content-type-options",
    }  # fmt: skip


def test_a_routes_own_header_stays() -> None:
    assert headers("own")["cache-control"] == "public, max-age=60"
    assert headers("own")["x-content-type-options"] == "nosniff"
