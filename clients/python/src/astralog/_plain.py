"""Any Python value as one that JSON has, bounded in size: what an application logs is not under control."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import PurePath
from typing import Any
from uuid import UUID

MAX_TEXT = 65_536
"""Characters of one text."""

MAX_REPR = 2_048
"""Characters of the representation of an object that JSON does not have."""

MAX_DEPTH = 20
MAX_NODES = 10_000
"""Elements of all containers of a record."""

_MAX_BITS = 1_024
"""The limit for a whole number: a longer one does not fit into a double."""

CUT = "…"


class PlainValues:
    """Converts the values of one record, and ends when together they are too many."""

    def __init__(self, max_text: int = MAX_TEXT) -> None:
        self._max_text = max_text
        self._nodes = MAX_NODES

    def of(self, value: Any) -> Any:
        """`value`, or what stands for it. Never raises an Exception."""
        try:
            return self._plain(value, 0)
        except Exception as error:  # an object of the application, which may do anything
            return f"<{type(value).__name__}: {type(error).__name__}>"

    def _plain(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return cut(value, self._max_text)
        if isinstance(value, int):
            return value if value.bit_length() <= _MAX_BITS else bounded_repr(value)
        if isinstance(value, float):
            return value if math.isfinite(value) else str(float(value))
        if isinstance(value, (dict, list, tuple, set, frozenset)):
            return self._container(value, depth)
        return _text_of(value)

    def _container(self, value: Any, depth: int) -> Any:
        if depth >= MAX_DEPTH:
            return CUT
        if isinstance(value, dict):
            return {
                key if isinstance(key, str) else bounded_repr(key): self._plain(each, depth + 1)
                for key, each in list(value.items())[: self._allowance(len(value))]
            }
        return [self._plain(each, depth + 1) for each in list(value)[: self._allowance(len(value))]]

    def _allowance(self, wanted: int) -> int:
        """How many elements of a container still fit."""
        given = min(wanted, self._nodes)
        self._nodes -= given
        return given


def cut(text: str, length: int) -> str:
    """The first `length` characters of a text."""
    return str(text) if len(text) <= length else f"{text[:length]}{CUT}"


def bounded_repr(value: Any) -> str:
    """The representation of any object, of at most MAX_REPR characters."""
    try:
        return cut(repr(value), MAX_REPR)
    except Exception as error:  # as above
        return f"<{type(value).__name__}: {type(error).__name__}>"


_AS_TEXT: tuple[tuple[tuple[type, ...], Callable[[Any], str]], ...] = (
    ((datetime, date, time), lambda value: str(value.isoformat())),
    ((UUID, Decimal, PurePath), str),
)


def _text_of(value: Any) -> str:
    for types, convert in _AS_TEXT:
        if isinstance(value, types):
            return cut(convert(value), MAX_REPR)
    return bounded_repr(value)
