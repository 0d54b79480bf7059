"""Values as they are written, by the type of their field."""

import math
import re

from functions.query import times
from functions.query.language.scanner import Scanner
from functions.query.language.scope import AnyType
from functions.query.language.syntax_tree import Loose, Ordered, Value

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
CONSTANTS = {"true": True, "false": False, "null": None}
TIME = "an RFC 3339 time such as 2026-11-23T10:00:00Z"


def number(text: str) -> int | float | None:
    """The number that JSON reads in `text`; None for other text, and beyond 64 bits or a double."""
    found = _NUMBER.fullmatch(text)
    if not found:
        return None
    if found[1] is None and found[2] is None:
        whole = int(text) if len(text) <= 20 else 2**64
        return whole if -(2**63) <= whole < 2**64 else None
    value = float(text)
    return value if math.isfinite(value) else None


def is_loose(text: str) -> bool:
    """Whether JSON reads something else than text in `text`."""
    return text in CONSTANTS or number(text) is not None


def is_beyond_numbers(text: str) -> bool:
    """Whether `text` is written as a number that is none: beyond 64 bits or a double."""
    return _NUMBER.fullmatch(text) is not None and number(text) is None


def value(scanner: Scanner, text: str, quoted: bool, kind: AnyType, at: int) -> Value:
    """The value that an equal field has."""
    if kind == "time":
        return time(scanner, text, at)
    if kind == "number":
        return _number_or_fail(scanner, text, at)
    return Loose(text) if kind is None and not quoted and is_loose(text) else text


def ordered(scanner: Scanner, text: str, quoted: bool, kind: AnyType, at: int) -> Ordered:
    """The value with which a field is compared: a number without quotes compares with numbers."""
    if kind == "time":
        return time(scanner, text, at)
    if kind == "number":
        return _number_or_fail(scanner, text, at)
    if kind is not None or quoted:
        return text
    if is_beyond_numbers(text):
        scanner.fail("a number of at most 64 bits", "quotes around a text", at=at)
    as_number = number(text)
    return text if as_number is None else as_number


def time(scanner: Scanner, text: str, at: int) -> int:
    """Nanoseconds since 1970."""
    try:
        return times.parse(text)
    except ValueError:
        scanner.fail(TIME, at=at)


def _number_or_fail(scanner: Scanner, text: str, at: int) -> int | float:
    found = number(text)
    if found is None:
        scanner.fail("a number", at=at)
    return found
