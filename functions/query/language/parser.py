"""Parse the text of a query.

    level:error "timed out" | stats count() as n by service | sort -n

Everything is bounded before it is read: the text, its conditions, nesting, values, expressions and pipes. The
time is linear in the text.
"""

import re

from functions.query.language.errors import QuerySyntaxError
from functions.query.language.filter_parser import FilterParser
from functions.query.language.pipe_parser import PipeParser
from functions.query.language.scanner import Scanner
from functions.query.language.scope import Scope
from functions.query.language.syntax_tree import EVERYTHING, Filter, PatternsPipe, Pipe, Query

_SURROGATE = re.compile("[\ud800-\udfff]")

MAX_CHARACTERS = 8192
MAX_PIPES = 16


def parse(text: str, *, pipes: bool = True) -> Query:
    """The tree of `text`; an empty text finds everything. `pipes`: whether there may be any.

    Raises
    ------
    QuerySyntaxError: with the column, and what is expected there.
    """
    return _parsed(text, pipes=pipes)[0]


def scope_behind(text: str) -> Scope:
    """The fields that a pipe behind `text` can name.

    Raises
    ------
    QuerySyntaxError: as `parse` does.
    """
    return _parsed(text, pipes=True)[1]


def _parsed(text: str, *, pipes: bool) -> tuple[Query, Scope]:
    if len(text) > MAX_CHARACTERS:
        raise QuerySyntaxError(text, MAX_CHARACTERS, [f"at most {MAX_CHARACTERS:,} characters"])
    half = _SURROGATE.search(text)
    if half:
        raise QuerySyntaxError(text, half.start(), ["a whole character"], "half of a surrogate pair")
    scanner = Scanner(text)
    filters = FilterParser(scanner)
    parser = PipeParser(scanner, filters)
    scanner.blanks()
    found = _filter(scanner, filters, parser)
    following: list[Pipe] = []
    while scanner.take("|"):
        if not pipes:
            scanner.fail("the end", at=scanner.at - 1, reason="pipes belong to POST /v1/stats")
        if len(following) == MAX_PIPES:
            scanner.fail(f"at most {MAX_PIPES} pipes", at=scanner.at - 1)
        if following and isinstance(following[-1], PatternsPipe):
            scanner.fail("the end", at=scanner.at - 1, reason="patterns is the last pipe")
        following.append(parser.parse())
    return Query(found, tuple(following)), parser.scope


def parse_filter(text: str) -> Filter:
    """The filter of `text`, which has no pipes; an empty text finds everything.

    Raises
    ------
    QuerySyntaxError: as `parse` does, and at a pipe.
    """
    query = parse(text, pipes=False)
    return query.filter


def _filter(scanner: Scanner, filters: FilterParser, parser: PipeParser) -> Filter:
    if scanner.ended or scanner.peek() == "|":
        return EVERYTHING
    return filters.parse(parser.scope)
