"""`POST /v1/query/format`: a query as a person reads it, with the same meaning."""

import re
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from functions.query.errors import invalid_query
from functions.query.language.errors import QuerySyntaxError
from functions.query.language.parser import MAX_CHARACTERS, parse
from functions.query.language.printer import printed
from functions.query.language.syntax_tree import Query
from functions.shared.forms import decoded

LINE_CHARACTERS = 80
"""A longer query has one line for each pipe."""

_QUOTED_PATH = re.compile(r'"(/[\w./-]+)"')


class FormatBody(Struct, forbid_unknown_fields=True):
    """The request body."""

    query: Annotated[str, Meta(max_length=MAX_CHARACTERS)] = ""


class FormattedQuery(Struct):
    """The same query, formatted."""

    query: str


def format_answer(content: bytes) -> bytes:
    """The JSON response to the body `content`; a query that would become too long stays as it is.

    Raises
    ------
    HttpError: 400 `invalid_query` with the column, `unknown_field` or `invalid_body`.
    """
    text = decoded(content or b"{}", FormatBody).query
    try:
        query = parse(text)
    except QuerySyntaxError as error:
        raise invalid_query(error) from error
    shown = formatted(query)
    return msgspec.json.encode(FormattedQuery(shown if len(shown) <= MAX_CHARACTERS else text))


def formatted(query: Query) -> str:
    """The text of `query`, which is that of a text, with paths as they are written: `path:/health*`."""
    text = printed(query)
    if len(text) > LINE_CHARACTERS:
        text = printed(query, "\n| ")
    bare = _QUOTED_PATH.sub(r"\1", text)
    return bare if _parses_as(bare, query) else text


def _parses_as(text: str, query: Query) -> bool:
    """A slash may begin an expression, which only the text behind it decides."""
    try:
        return parse(text) == query
    except QuerySyntaxError:
        return False
