"""The filter of a pattern in the query language, and whether it holds for a message. Pure.

A filter is the template's literal text with stars between. It is written, parsed again, and used only if
that gives the same tree.
"""

from functions.query.compile.templates import WILD
from functions.query.language.errors import QuerySyntaxError
from functions.query.language.parser import parse_filter
from functions.query.language.printer import NoTextError, printed_filter
from functions.query.language.syntax_tree import MESSAGE, Equals, Exists, Filter, Like
from functions.query.limits import budget
from functions.shared.errors import HttpError

SHOWN_WILD = "<*>"

MessageFilter = Equals | Like | Exists
"""What a filter of a pattern may be."""


def shown(template: str) -> str:
    """The template for people."""
    return template.replace(WILD, SHOWN_WILD)


def query_of(template: str) -> tuple[str, MessageFilter] | None:
    """The text of a filter that finds the messages of `template`, and its tree; None if it has no text.

    When the language cannot write the whole template, it is a weaker one: the longest literal part.
    """
    parts = tuple(template.split(WILD))
    weaker = Like(MESSAGE, ("", max(parts, key=len), ""))
    for tree in (_exact(parts), weaker):
        text = _written(tree)
        if text is not None:
            return text, tree
    return None


def holds(found: MessageFilter, message: str) -> bool:
    """Whether the message meets the filter, as the engine decides it."""
    match found:
        case Equals(values=values):
            return message in values
        case Exists():
            return message != ""
        case Like(parts=parts):
            return _consists_of(message, parts)


def _exact(parts: tuple[str, ...]) -> MessageFilter:
    if len(parts) == 1:
        return Equals(MESSAGE, parts)
    return Like(MESSAGE, parts) if any(parts) else Exists(MESSAGE)


def _written(tree: MessageFilter) -> str | None:
    try:
        text = printed_filter(tree)
        parsed: Filter = parse_filter(text)
        budget.check(parsed)
    except (NoTextError, QuerySyntaxError, HttpError):
        return None
    return text if parsed == tree else None


def _consists_of(message: str, parts: tuple[str, ...]) -> bool:
    """Whether the parts are in the message in this order, the first at its start and the last at its end."""
    first, *inner, last = parts
    if len(message) < len(first) + len(last) or not message.startswith(first) or not message.endswith(last):
        return False
    at, end = len(first), len(message) - len(last)
    for part in inner:
        found = message.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
