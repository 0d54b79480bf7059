r"""JSON text as a flat list of tokens: one grammar for Python and for ClickHouse. Pure.

A token is a *pair* (a key, a colon and a scalar value, `"id": 7`; without the value when an object or array
follows), a string alone, one bracket, or characters that no JSON has outside of strings. The grammar is a
regular expression that `re` and RE2 read alike. Both sides therefore see the same tokens in any text, also
where JSON parsers differ or fail: numbers beyond a double, duplicate keys, deep nesting, text cut off.
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

import msgspec

SPACE = r"[ \t\r\n]*"
STRING = r'"[^"\\]*(?:\\(?s:.)[^"\\]*)*"'
_SCALAR = r'[^ \t\r\n"\x7b\x7d\[\]:,]+'
_UNCLOSED_STRING = r'"(?s:.*)'
_BRACKET = r"[\x7b\x7d\[\]]"
_NO_JSON = r'[^ \t\r\n,0-9A-Za-z+.\-"\x7b\x7d\[\]]+'

OBJECT = rf"^{SPACE}\x7b"
"""The beginning of a text that may be an object."""

STRINGS = f"{STRING}|{_UNCLOSED_STRING}"
TOKENS = rf"{STRING}{SPACE}:{SPACE}(?:{STRING}|{_SCALAR})?|{STRINGS}|{_BRACKET}|{_NO_JSON}"
SEPARATOR = rf"{SPACE}:{SPACE}"
"""Between the key of a pair and its value."""

_PLAIN = r'[^"\\\x00-\x1f]*'
_HEX = "[0-9a-fA-F]"
_CHARACTER = rf"u(?:[0-9abcefABCEF]{_HEX}{{3}}|[dD][0-7]{_HEX}{{2}})"
_TWO_HALVES = rf"u[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}}"
_ESCAPE = rf'\\(?:["\\/bfnrt]|{_CHARACTER}|{_TWO_HALVES})'
_VALID_STRING = rf'"{_PLAIN}(?:{_ESCAPE}{_PLAIN})*"'
_VALID_SCALAR = "true|false|null|-?[0-9][0-9.eE+-]*"

SIGNS = rf"{STRINGS}|{_BRACKET}|[:,]|{_SCALAR}"
"""Everything except white space, for the form of the whole text."""

DECODABLE = f"^{_VALID_STRING}$"
"""A string that every JSON parser decodes to the same text."""

NUMBER_OR_LITERAL = f"^(?:{_VALID_SCALAR})$"
MARKS = ("{", "}", "[", "]", ":", ",")
A_STRING, A_SCALAR, NO_SIGN = "s", "v", "x"
"""The letter in the form of a text for each sign that is not in MARKS."""

MALFORMED = (
    r"x|[sv\x7d\]][sv\x7b\[]|[\x7b\[,:],|,[:\x7d\]]|:[:\x7d\]]"
    r"|\x7b[^s\x7d]|\x7bs[^:]|,[sv]\x7d|\[s?:|[v\x7d\]]:|:s:"
)
"""In a form: neighbours that valid JSON never has."""

ESCAPES = rf"({_ESCAPE})|\\(?:u[dD][89a-fA-F]{_HEX}{{2}})?|[\x00-\x1f]"
"""Valid escapes as a group, and everything a string may not have: half of a surrogate pair, a backslash that
escapes nothing, a control character."""

CHANGED_BY_REPAIR = r"[\\\x00-\x1f]"
"""What a string has that is another text after its invalid content is removed and its escapes are decoded."""

CONTROL_CHARACTERS = r"[\x00-\x1f]"
"""They are removed first: one may interrupt an escape."""

_object = re.compile(OBJECT)
_tokens = re.compile(TOKENS)
_strings = re.compile(STRINGS)
_string = re.compile(STRING)
_pair = re.compile(rf"({STRING}){SEPARATOR}")
_decodable = re.compile(DECODABLE)
_escapes = re.compile(ESCAPES)
_control_characters = re.compile(CONTROL_CHARACTERS)
_changed_by_repair = re.compile(CHANGED_BY_REPAIR)
_signs = re.compile(SIGNS)
_malformed = re.compile(MALFORMED)
_number_or_literal = re.compile(NUMBER_OR_LITERAL)
_no_text = re.compile("[\udc80-\udcff]+")

_STEPS = {"{": 1, "[": 1, "}": -1, "]": -1}


def text_of(content: bytes) -> str:
    """`content` with one U+FFFD for each run of bytes that are not UTF-8, like ClickHouse's toValidUTF8."""
    return _no_text.sub("\ufffd", content.decode("utf-8", "surrogateescape"))


def values_under(path: Sequence[str], text: str) -> Iterator[str]:
    """The values of the last key of `path` in objects to which the keys before it lead, duplicates included.

    A value is a scalar as written there, or "" for an object or an array, which follows in `text`.
    """
    return (value for value, _ in _found(path, text))


def members(text: str, key: str) -> Iterator[str]:
    """The values of `key` in the outermost object as written there, objects and arrays whole."""
    for value, end in _found((key,), text):
        yield value or text[end : _end_of_value(text, end)]


def _found(path: Sequence[str], text: str) -> Iterator[tuple[str, int]]:
    """The values, and the end of each. `matched`: how many keys of the path lead to the current token."""
    depth = matched = 0
    for match in _tokens.finditer(text):
        token = match[0]
        if step := _STEPS.get(token):
            depth += step
            matched = max(0, min(matched, depth))
        elif token[0] == '"' and 1 <= depth <= min(len(path), matched + 1):
            pair = _pair.match(token)
            if not pair:
                continue
            is_key = is_text(pair[1], path[depth - 1])
            if depth < len(path):
                matched = depth if is_key else depth - 1
            elif is_key:
                yield token[pair.end() :], match.end()


def is_json_object(text: str) -> bool | None:
    """Whether a strict parser reads `text` as one object; None if it is nested too deep for the parser."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except RecursionError:
        return None
    except msgspec.DecodeError:
        return False
    return _object.match(text) is not None


def is_one_object(text: str) -> bool:
    """Whether `text` is one JSON object and nothing else, by its brackets and by each sign's neighbours."""
    if is_json_object(text):
        return True  # checking its signs gives the same result, more slowly
    signs = _signs.findall(text)
    if not signs or signs[0] != "{" or _malformed.search("".join(map(_form, signs))):
        return False
    depths = list(accumulate(_STEPS.get(sign, 0) for sign in signs))
    return depths[-1] == 0 and depths.index(0) == len(depths) - 1


def _form(sign: str) -> str:
    if sign in MARKS:
        return sign
    if _decodable.fullmatch(sign):
        return A_STRING
    return A_SCALAR if _number_or_literal.fullmatch(sign) else NO_SIGN


def _end_of_value(text: str, begin: int) -> int:
    """The end of the object or array whose bracket is the first token from `begin` on."""
    depth = 0
    for match in _tokens.finditer(text, begin):
        depth += _STEPS.get(match[0], 0)
        if depth <= 0:
            return match.end()
    return len(text)


def contains(text: str, wanted: str) -> bool:
    """Whether `wanted` is anywhere in `text`, or in a string of it after invalid escapes are removed."""
    if wanted in text:
        return True
    changed = (match[0] for match in _strings.finditer(text) if _changed_by_repair.search(match[0]))
    return any(wanted in (decoded(_repaired(string)) or "") for string in changed)


def _repaired(string: str) -> str:
    """`string` without invalid content, and closed if the text ends inside it."""
    valid = _escapes.sub(r"\1", _control_characters.sub("", string))
    return valid if _string.fullmatch(valid) else f'{valid}"'


def decoded(string: str) -> str | None:
    """The text of a string token; None when its escapes are not valid."""
    if "\\" not in string:
        return string[1:-1]
    return str(json.loads(string)) if _decodable.fullmatch(string) else None


def is_text(string: str, wanted: str) -> bool:
    """Whether a string token decodes to `wanted`."""
    return decoded(string) == wanted
