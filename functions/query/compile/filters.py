"""Compile a filter to SQL that is 1 or 0 for every row and never NULL.

Each condition names the expression that an index answers, if there is one, and the exact check: words and
equal messages by the words of the message, metadata by its tokens, trace ids by their bloom filter.
"""

from collections.abc import Mapping

from functions.query.bindings import Bindings
from functions.query.compile import columns, metadata, outputs, words
from functions.query.compile.text_match import TextCheck, like_check, regex_check
from functions.query.language.literals import CONSTANTS, number
from functions.query.language.syntax_tree import (
    AllOf,
    AnyOf,
    ContainsText,
    ContainsWordLike,
    ContainsWords,
    Equals,
    Everything,
    Exists,
    Filter,
    InRange,
    Like,
    Loose,
    MatchesRegex,
    Negation,
    Value,
)
from functions.query.tokens import Scalar

NO_OUTPUTS: Mapping[str, outputs.Output] = {}


def sql(found: Filter, bindings: Bindings, known: Mapping[str, outputs.Output] = NO_OUTPUTS) -> str:
    """The SQL of a filter; `known` are the outputs of earlier pipes."""
    match found:
        case Everything():
            return "(1 = 1)"
        case AllOf():
            return f"({' AND '.join(sql(each, bindings, known) for each in found.operands)})"
        case AnyOf():
            return f"({' OR '.join(sql(each, bindings, known) for each in found.operands)})"
        case Negation():
            return f"(NOT {sql(found.operand, bindings, known)})"
        case ContainsWords():
            return words.contains(found.text, bindings)
        case ContainsWordLike():
            return words.contains_like(found.parts, bindings)
        case _:
            return _condition(found, bindings, known)


def _condition(
    found: Equals | InRange | Exists | Like | MatchesRegex | ContainsText,
    bindings: Bindings,
    known: Mapping[str, outputs.Output],
) -> str:
    match found.field.kind:
        case "output":
            return outputs.condition(found, known[found.field.name], bindings)
        case "column":
            return columns.condition(found, bindings)
        case "path":
            return _of_path(found, bindings)


def _of_path(
    found: Equals | InRange | Exists | Like | MatchesRegex | ContainsText, bindings: Bindings
) -> str:
    key = found.field.name
    match found:
        case Equals():
            return metadata.equals_any(key, scalars(found.values), bindings)
        case InRange():
            return metadata.is_between(key, found.low, found.high, bindings)
        case Exists():
            return metadata.exists(key, bindings)
        case ContainsText():
            return metadata.contains(key, found.text, bindings)
        case Like():
            words = metadata.like_words(found.parts)
            return metadata.matches(key, text_check(found, bindings), bindings, words)
        case MatchesRegex():
            return metadata.matches(key, text_check(found, bindings), bindings)


def text_check(found: Like | MatchesRegex, bindings: Bindings) -> TextCheck:
    """SQL of a text that matches, as a function of the SQL of the text."""
    if isinstance(found, Like):
        return like_check(found.parts, bindings)
    return regex_check(found.pattern, ignore_case=found.ignore_case, bindings=bindings)


def scalars(values: tuple[Value, ...]) -> list[Scalar]:
    """The values of one JSON type each: a loose one is two."""
    found: list[Scalar] = []
    for value in values:
        if isinstance(value, Loose):
            found.append(CONSTANTS[value.text] if value.text in CONSTANTS else number(value.text))
            found.append(value.text)
        else:
            found.append(value)
    return found
