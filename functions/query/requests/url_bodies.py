"""`GET` of stats, histogram, fields and patterns: parameters in the URL instead of the fields of a JSON body.

`q` is the `query` of the body. A list has commas. Conditions and lists of a search are in `q`.
"""

from collections.abc import Mapping

import msgspec

from functions.query.requests.parameters import DRY_RUN, check_parameters, is_unicode
from functions.shared.forms import invalid
from functions.shared.http import Request

POSTED: Mapping[str, str] = {
    f"GET {path}": f"POST {path}" for path in ("/v1/stats", "/v1/histogram", "/v1/fields", "/v1/patterns")
}
"""A route that is asked by parameters -> the route whose body they stand for."""

_ALL = ("q", "from", "to", "time_zone", "store")

PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "GET /v1/stats": _ALL,
    "GET /v1/histogram": (*_ALL, "interval", "split_by", "groups"),
    "GET /v1/fields": (*_ALL, "fields", "values"),
    "GET /v1/patterns": (*_ALL, "limit", "compare_from", "compare_to"),
}

_NUMBERS = frozenset({"groups", "values", "limit"})
_LISTS = frozenset({"fields"})


def posted(asked: Request, route: str) -> tuple[Request, str]:
    """The request as it would be posted, and its route; other requests as they are.

    Raises
    ------
    HttpError: 400 `unknown_parameter`, or `invalid_<parameter>`.
    """
    if route not in POSTED:
        return asked, route
    check_parameters(asked.query, (*PARAMETERS[route], DRY_RUN))
    fields = {"query" if name == "q" else name: _value(name, text) for name, text in asked.query.items()}
    return asked._replace(query={}, body=msgspec.json.encode(fields)), POSTED[route]


def _value(name: str, text: str) -> str | int | list[str]:
    if not is_unicode(text):
        raise invalid(name, "must be text in UTF-8")
    if name in _LISTS:
        return text.split(",")
    if name in _NUMBERS and text.isascii() and text.isdigit() and len(text) <= 4:
        return int(text)
    return text
