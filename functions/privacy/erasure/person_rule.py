"""Which rows mention a person, in Python. functions.privacy.erasure.person_sql is the same rule as SQL.

A row mentions the person when its message contains the value, or when its metadata has the value under the
key. The key is found by tokens (functions.privacy.erasure.json_tokens), never by a JSON parser: each of
several equal keys counts, whatever numbers or nesting the metadata has elsewhere. In doubt the row is erased:
metadata that is not one JSON object, which ingest never writes, mentions everything that it contains.

Text is compared character by character, decoded from its escapes, without Unicode normalisation; upper and
lower case differ. Numbers are compared by functions.privacy.erasure.json_numbers; `null` is no value.
"""

import re
from dataclasses import dataclass, field

from functions.privacy.erasure.json_numbers import Number
from functions.privacy.erasure.json_tokens import (
    contains,
    decoded,
    is_json_object,
    is_one_object,
    is_text,
    members,
    text_of,
    values_under,
)

NULL = "null"
UNICODE_ESCAPE = "\\u"
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r"}
_SHORT_ESCAPES["\t"] = "\\t"

_CONTROL_CHARACTER = r"[\x00-\x1f]|\\[bfnrt]"
"""As it stands, or as a staged row has it: text that is no JSON may have one within the value."""

MAX_PATH_PARTS = 96

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonRule:
    """`key`: of metadata; None for the message. `value` is never empty."""

    key: str | None
    value: str
    number: Number | None = field(init=False)
    _needed: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        number = None if self.key is None else Number.wanted(self.value)
        needed = [re.escape(needle) for needle in self.needles]
        needed.append(_CONTROL_CHARACTER)
        if number:
            needed.append(rf":[ \t\r\n]*{number.spelling}")
        object.__setattr__(self, "number", number)
        object.__setattr__(self, "_needed", re.compile("|".join(needed)))

    @property
    def paths(self) -> list[Path]:
        """The paths that the key may mean in the metadata: `a.b` is the key "a.b", or b in the object a."""
        if self.key is None:
            return []
        parts = tuple(self.key.split("."))
        return [(self.key,)] if len(parts) == 1 else [(self.key,), parts]

    @property
    def needles(self) -> list[str]:
        """Every valid JSON with the value in a string contains one of these, however it is escaped."""
        escapes = [short for character, short in _SHORT_ESCAPES.items() if character in self.value]
        return [self.value, UNICODE_ESCAPE, *escapes]

    def matches_line(self, line: bytes) -> bool:
        """Whether a staged or quarantined row, one line of NDJSON, mentions the person.

        A line that is no JSON object mentions whatever it contains.
        """
        text = text_of(line)
        if not self._may_match(text):
            return False
        if self.key is None:
            matches = any(self.value in _content(raw) for raw in members(text, "message"))
        else:
            matches = any(self.matches_metadata(_content(raw)) for raw in members(text, "metadata"))
        return matches or (not _is_row(text) and contains(text, self.value))

    def matches_row(self, message: str, metadata: str) -> bool:
        """Whether a stored row mentions the person."""
        return self.value in message if self.key is None else self.matches_metadata(metadata)

    def matches_metadata(self, text: str) -> bool:
        """Whether the JSON text of a row's metadata has the value under the key."""
        if not self._may_match(text):
            return False
        if any(self._is_value(value) for path in self.paths for value in values_under(path, text)):
            return True
        return not is_one_object(text) and contains(text, self.value)

    def _may_match(self, text: str) -> bool:
        """A cheap filter: false for most rows, true for every row that mentions the person."""
        return self._needed.search(text) is not None

    def _is_value(self, token: str) -> bool:
        if token.startswith('"'):
            return is_text(token, self.value)
        if token == self.value:
            return token != NULL
        return self.number is not None and self.number.equals(token)


def _is_row(line: str) -> bool:
    """Whether a line is one JSON object, nested at any depth."""
    is_object = is_json_object(line)
    return is_one_object(line) if is_object is None else is_object


def _content(raw: str) -> str:
    """The value of a column as the engine stores it: decoded text, or JSON as it is."""
    text = decoded(raw) if raw.startswith('"') else None
    return raw if text is None else text
