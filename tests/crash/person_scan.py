"""Which rows mention a person, found another way than the service does: the tests' referee.

A parser that reads character by character, keeps every one of several equal keys and goes to any depth. Whole
numbers are compared exactly, others as doubles. Text that it cannot read mentions whatever it contains.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

ROWS_AT_ONCE = 50_000
"""Rows whose scalars are remembered: the same rows are held against each subject."""

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


class UnreadableError(Exception):
    """The text is no JSON."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar: `text` decoded when it `is_string`, else as it stands. `path` has None for an array."""

    path: tuple[str | None, ...]
    text: str
    is_string: bool


def mentioned(field: str, value: str, message: str, metadata: bytes) -> bool:
    """Whether a row certainly mentions the person."""
    return _mentioned(field, value, message, metadata, _is_same_number)


def may_be_mentioned(field: str, value: str, message: str, metadata: bytes) -> bool:
    """The same with numbers that are nearly equal, and with text that no JSON parser reads."""
    if _mentioned(field, value, message, metadata, _is_near):
        return True
    return field != "message" and _scalars(metadata) is None and _has_number(metadata, value)


Same = Callable[[str, str], bool]


def _mentioned(field: str, value: str, message: str, metadata: bytes, same: Same) -> bool:
    if field == "message":
        return value in message
    key = field.removeprefix("metadata.")
    leaves = _scalars(metadata)
    if leaves is None:
        return _contains(metadata, value)
    return any(
        leaf.path in ((key,), tuple(key.split("."))) and _is_value(leaf, value, same) for leaf in leaves
    )


def _is_value(leaf: Leaf, value: str, same: Same) -> bool:
    if leaf.is_string or leaf.text == value:
        return leaf.text == value and (leaf.is_string or leaf.text != "null")
    return bool(_NUMBER.fullmatch(leaf.text) and _NUMBER.fullmatch(value) and same(leaf.text, value))


def _is_same_number(one: str, other: str) -> bool:
    if {"." in one, "e" in one.lower(), "." in other, "e" in other.lower()} == {False}:
        return int(one) == int(other)
    return float(one) == float(other) and not math.isinf(float(one))


def _is_near(one: str, other: str) -> bool:
    if _is_same_number(one, other):
        return True
    if math.isinf(float(one)) or math.isinf(float(other)):
        return True
    return math.isclose(float(one), float(other), rel_tol=1e-13, abs_tol=1e-290)


@lru_cache(ROWS_AT_ONCE)
def _scalars(metadata: bytes) -> tuple[Leaf, ...] | None:
    """The scalars of a row's metadata, read once for all subjects; None when the text is no JSON."""
    try:
        return tuple(_leaves(metadata.decode("utf-8", "replace")))
    except UnreadableError:
        return None


def _has_number(metadata: bytes, value: str) -> bool:
    numbers = re.findall(r"-?[0-9][0-9.eE+-]*", metadata.decode("utf-8", "replace"))
    matches = (each for each in numbers if _NUMBER.fullmatch(each))
    return bool(_NUMBER.fullmatch(value)) and any(_is_near(each, value) for each in matches)


def _contains(metadata: bytes, value: str) -> bool:
    """Also in a string with escapes, wherever it begins."""
    text = metadata.decode("utf-8", "replace")
    if value in text:
        return True
    # A raw control character in such a string is dropped: then a value that has one is found as text only.
    return any(value in each for each in _strings(text))


@lru_cache(ROWS_AT_ONCE)
def _strings(text: str) -> tuple[str, ...]:
    """All that looks like a string in text that is no JSON, without its escapes."""
    return tuple(map(_unescaped, re.findall(r'"(?:[^"\\]|\\.)*"?', text, re.DOTALL)))


def _unescaped(string: str) -> str:
    """As the most lenient reader would: a backslash that escapes nothing is passed over."""
    plain = re.sub(r"[\x00-\x1f]", "", string)
    said = re.sub(r"\\(u[0-9a-fA-F]{4}|.|$)", _character, plain, flags=re.DOTALL)
    pairs = said.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return re.sub("[\ud800-\udfff]", "", pairs)


def _character(escape: re.Match[str]) -> str:
    what = escape[1]
    if len(what) == 5:
        return chr(int(what[1:], 16))
    return {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}.get(what, what)


def _leaves(text: str) -> Iterator[Leaf]:
    """All scalars of a JSON object, one bracket after the other, with a stack instead of calls."""
    at = _skip(text, 0)
    path: list[str | None] = []
    closers: list[str] = []
    if text[at : at + 1] != "{":
        raise UnreadableError
    while True:
        at = _skip(text, at)
        character = text[at : at + 1]
        if character in ("{", "["):
            closers.append("}" if character == "{" else "]")
            path.append(None)
            at = _skip(text, at + 1)
            if text[at : at + 1] != closers[-1]:
                at = _to_value(text, at, path, closers)
                continue
        elif character == '"':
            string, at = _string(text, at)
            yield Leaf(tuple(path), string, True)
        else:
            match = re.compile(r"[^\s{}\[\],:\"]+").match(text, at)
            if not match or not (match[0] in ("true", "false", "null") or _NUMBER.fullmatch(match[0])):
                raise UnreadableError
            yield Leaf(tuple(path), match[0], False)
            at = match.end()
        at = _skip(text, at)
        while closers and text[at : at + 1] == closers[-1]:
            closers.pop()
            path.pop()
            at = _skip(text, at + 1)
        if not closers:
            if at != len(text):
                raise UnreadableError
            return
        if text[at : at + 1] != ",":
            raise UnreadableError
        at = _to_value(text, at + 1, path, closers)


def _to_value(text: str, at: int, path: list[str | None], closers: list[str]) -> int:
    """Past the key, in an object."""
    if closers[-1] == "]":
        return at
    key, at = _string(text, _skip(text, at))
    at = _skip(text, at)
    if text[at : at + 1] != ":":
        raise UnreadableError
    path[-1] = key
    return at + 1


def _string(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] != '"':
        raise UnreadableError
    try:
        string, end = json.decoder.scanstring(text, at + 1, True)
        string.encode()
    except ValueError:
        raise UnreadableError from None
    return string, end


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at
