"""Parameters in the URL of routes of search: their names, and those of `GET /v1/search`."""

from collections.abc import Mapping

import msgspec

from functions.query.errors import unknown_parameter
from functions.query.requests.request import SearchBody
from functions.shared.forms import decoded, invalid

DRY_RUN = "dry_run"
"""The parameter of the routes in functions.query.requests.dry_run, which takes it out of the parameters."""

GET_SEARCH = ("q", "from", "to", "order", "limit", "cursor", "time_zone")


def search_parameters(query: Mapping[str, str]) -> SearchBody:
    """The search in the parameters of a GET; `q` is a query, not only words.

    Raises
    ------
    HttpError: 400 `unknown_parameter`, or `invalid_<parameter>`.
    """
    check_parameters(query, (*GET_SEARCH, DRY_RUN))
    for name, value in query.items():
        if not is_unicode(value):
            raise invalid(name, "must be text in UTF-8")
    body: dict[str, str | int] = {name: value for name, value in query.items() if name not in ("q", "limit")}
    if "limit" in query:
        body["limit"] = _whole(query["limit"])
    if "q" in query:
        body["query"] = query["q"]
    return decoded(msgspec.json.encode(body), SearchBody)


def check_parameters(query: Mapping[str, str], allowed: tuple[str, ...] = (), *, method: str = "GET") -> None:
    """Check the names of the parameters in the URL of a request with that method.

    Raises
    ------
    HttpError: 400 `unknown_parameter`.
    """
    unknown = sorted(query.keys() - set(allowed))
    if unknown:
        raise unknown_parameter(unknown[0], allowed, method)


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise invalid("limit", "must be a whole number from 1 to 1000")
    return int(text)


def is_unicode(text: str) -> bool:
    """Whether the text has no half of a surrogate pair, which JSON can express and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
