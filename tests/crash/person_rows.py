"""Rows and subjects to try the person rule on, made from a seed: ordinary ones, and every kind of trap."""

import json
import random
from dataclasses import dataclass

from functions.privacy.erasure.subject import Subject
from functions.shared.tenancy import TenantId

KEYS = (
    "email", "user_id", "user.id", "a.b.c", "a..b", ".", "é", 'quo"te', "back\\slash", "n", "duration_ms",
    "nul\0", "UPPER", "😀", "a/b", "x{y}:[z]", "tab\t", "trace.id",
)  # fmt: skip
TEXTS = (
    "bob@example.org", "Bob@Example.org", "u1", "u10", "é", "e\u0301", 'quo"te', "back\\slash", "a/b", "😀",
    "\0", "tab\tbed", "line\nbreak", "{}", "[1]", "{p:String}", "' OR 1=1 --", "null", "true", "false", "NaN",
    "x" * 1000, "\u2028", "\x7f", "\ufffd", "\\u0041", "%", '"', ":", ",", " ",
)  # fmt: skip
NUMBERS = (
    "0", "-0", "7", "-7", "7.0", "7.5", "1e3", "1000", "1000.0", "0.1", "1e-400", "1e999", "-1.5e400",
    "6.9999999999999999", "9007199254740993", "9007199254740992", "12345678901234567", "12345678901234568",
    "18446744073709551616", "123456789012345678901234567890", "1e22", "70e-1", "0.00003", "3e-5", "1e+3",
    "0.30000000000000004", "100000e-2", "999", "999.99999999999999999", "1e0000000000000000000000003",
    "1e99999999999999999999",
)  # fmt: skip
LITERALS = ("true", "false", "null")

DEEP = 150
VERY_DEEP = 1_100
"""Of DEEP ingest accepts as much; of VERY_DEEP the engine parses nothing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A row's message and the JSON text of its metadata; `is_json` when ingest would accept it."""

    message: str
    metadata: bytes
    is_json: bool


def subjects(chance: random.Random, tenant: TenantId, count: int) -> list[Subject]:
    """`count` subjects, a fifth of them by their messages."""
    made = []
    for number in range(count):
        value = chance.choice(TEXTS if chance.random() < 0.6 else NUMBERS + LITERALS)
        if number % 5 == 0:
            # As the form asks for three characters: with fewer all rows would go at once.
            value = chance.choice([text for text in (*TEXTS, *NUMBERS) if len(text) >= 3])
            made.append(Subject(tenant, "message", value))
        else:
            made.append(Subject(tenant, f"metadata.{chance.choice(KEYS)}", value))
    return made


def sample(chance: random.Random) -> Sample:
    """A row; one in six has metadata that is no JSON."""
    metadata = _object(chance, chance.choice((0, 1, 2, 3, 3))).encode()
    if chance.random() < 0.01:
        metadata = _deep(chance).encode()
    is_json = chance.random() < 0.84
    if not is_json:
        metadata = _broken(chance, metadata)
    return Sample(_message(chance), metadata, is_json)


def _message(chance: random.Random) -> str:
    return f"{chance.choice(TEXTS)} {chance.choice(('', 'said', chance.choice(TEXTS + NUMBERS)))}"


def _object(chance: random.Random, deeper: int) -> str:
    members = [_member(chance, deeper) for _ in range(chance.choice((0, 1, 1, 2, 3)))]
    if chance.random() < 0.3:
        key = chance.choice(KEYS)
        for _ in range(2):
            twin = f"{_string(chance, key)}:{_value(chance, 0)}"
            members.insert(chance.randint(0, len(members)), twin)
    return "{" + ",".join(members) + _space(chance) + "}"


def _member(chance: random.Random, deeper: int) -> str:
    return f"{_space(chance)}{_key(chance)}{_space(chance)}:{_space(chance)}{_value(chance, deeper)}"


def _key(chance: random.Random) -> str:
    key = chance.choice(KEYS)
    parts = [key] if chance.random() < 0.4 else key.split(".")
    return _string(chance, chance.choice(parts))


def _value(chance: random.Random, deeper: int) -> str:
    kind = chance.random()
    if deeper and kind < 0.4:
        return _object(chance, deeper - 1)
    if deeper and kind < 0.5:
        return "[" + ",".join(_value(chance, deeper - 1) for _ in range(chance.randint(0, 3))) + "]"
    if kind < 0.75:
        return _string(chance, chance.choice(TEXTS))
    if kind < 0.8:
        return _string(chance, chance.choice(NUMBERS))
    return chance.choice(NUMBERS if kind < 0.95 else LITERALS)


def _string(chance: random.Random, text: str) -> str:
    """`text` in one of JSON's spellings."""
    way = chance.random()
    if way < 0.5:
        return json.dumps(text, ensure_ascii=False)
    if way < 0.7:
        return json.dumps(text)
    return '"' + "".join(_character(chance, each) for each in text) + '"'


def _character(chance: random.Random, character: str) -> str:
    plain = json.dumps(character, ensure_ascii=False)[1:-1]
    if chance.random() < 0.6:
        return "\\/" if character == "/" else plain
    units = character.encode("utf-16-be")
    form = "\\u{:04X}" if chance.random() < 0.5 else "\\u{:04x}"
    return "".join(form.format(int.from_bytes(units[at : at + 2])) for at in range(0, len(units), 2))


def _space(chance: random.Random) -> str:
    return chance.choice(("", "", "", "", " ", "\t", "  "))


def _deep(chance: random.Random) -> str:
    """Brackets about a person: deeper than ingest accepts, and than the engine parses."""
    depth = chance.choice((DEEP, VERY_DEEP))
    wall = "[" * depth + _value(chance, 0) + "]" * depth
    return f'{{"wall":{wall},{_member(chance, 0)}}}'


def _broken(chance: random.Random, text: bytes) -> bytes:
    at = chance.randint(0, len(text))
    match chance.randrange(8):
        case 0:
            return text[:at]
        case 1:
            return text[:at] + chance.choice((b"\xff", b"\xe2\x82", b"\xed\xa0\x80", b"\xf0\x9f")) + text[at:]
        case 2:
            return (
                text[:at]
                + chance.choice((b'"', b"}", b"{", b"[", b"\\", b":", b"'", b"\0", b"\n"))
                + text[at:]
            )
        case 3:
            return b"[" + text + b"]"
        case 4:
            return text + b" " + _object(chance, 1).encode()
        case 5:
            return b"\xef\xbb\xbf" + text
        case 6:
            return text.replace(b'"', b"'")
        case _:
            return text.replace(b'"}', b'\\ud800"}').replace(b'":', b'\\q":', 1)
