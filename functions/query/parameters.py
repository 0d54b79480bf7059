"""Parameters in the URL: `GET /v1/search` has some, every other route of search has none."""

from collections.abc import Mapping

import msgspec

from functions.query.errors import unknown_parameter
from functions.query.request import SearchBody
from functions.shared.forms import decoded, invalid

GET_SEARCH = ("q", "from", "to", "order", "limit", "cursor")


def search_parameters(query: Mapping[str, str]) -> SearchBody:
    """The search in the parameters of a GET; `q` is a query, not only words.

    Raises
    ------
    HttpError: 400 `unknown_parameter`, or `invalid_<parameter>`.
    """
    check_parameters(query, GET_SEARCH)
    body: dict[str, str | int] = {name: value for name, value in query.items() if name not in ("q", "limit")}
    if "limit" in query:
        body["limit"] = _whole(query["limit"])
    if "q" in query:
        body["query"] = query["q"]
    return decoded(msgspec.json.encode(body), SearchBody)


def check_parameters(query: Mapping[str, str], allowed: tuple[str, ...] = ()) -> None:
    """Check the names of the parameters in a URL.

    Raises
    ------
    HttpError: 400 `unknown_parameter`.
    """
    unknown = sorted(query.keys() - set(allowed))
    if unknown:
        raise unknown_parameter(unknown[0], allowed)


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise invalid("limit", "must be a whole number from 1 to 1000")
    return int(text)
