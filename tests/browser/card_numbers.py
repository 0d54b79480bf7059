"""Card numbers in what is kept: runs of 13 to 19 digits that an issuer could have given out.

A run is digits alone, or in groups of three or more with one kind of separator between, as a person types
it, a form encodes it, a table prints it. It counts as a card's when its prefix and length are an issuer's
and its last digit is the right check digit. Other digits are recognised by what a card can
never be:

- part of a word: ids and hashes are letters and digits together; a number that touches a letter is one;
- a UUID: its groups are none that a card has;
- the decimals of a fraction;
- a time: milli-, micro- and nanoseconds since 1970 begin with 1 until the year 2033, as no card does.

Text that hides one is looked into as well: URL encoding, JSON escapes, base64.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import unquote_plus

_RUN = re.compile(
    r"(?<![0-9A-Za-z_])(?<!\d[.,])(?<!\d[-+ ])"
    r"(?:\d{13,19}|\d{3,7}(?P<separator>[-+ .\u00a0])\d{3,7}(?:(?P=separator)\d{3,7}){0,4})"
    r"(?![0-9A-Za-z_])(?![-+ ]\d)"
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
_ISSUERS = (
    ("visa", r"4", (13, 16, 19)),
    ("mastercard", r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)),
    ("american express", r"3[47]", (15,)),
    ("discover", r"6011|64[4-9]|65", (16, 17, 18, 19)),
    ("diners club", r"30[0-5]|36|3[89]", (14, 16)),
    ("jcb", r"352[89]|35[3-8]", (16, 17, 18, 19)),
    ("unionpay", r"62", (16, 17, 18, 19)),
    ("maestro", r"50[123]|5[6-9]|6304|67", (13, 14, 15, 16, 17, 18, 19)),
)


def cards_in(content: bytes) -> list[str]:
    """Every card number in `content`, as digits alone."""
    return sorted({digits for text in _readings(content) for digits in _in_text(text)})


def is_a_cards(digits: str) -> bool:
    """Whether an issuer could have given this number out."""
    known = any(re.match(prefix, digits) and len(digits) in lengths for _, prefix, lengths in _ISSUERS)
    return known and _passes_luhn(digits)


def _in_text(text: str) -> Iterator[str]:
    for run in _RUN.finditer(_UUID.sub(" uuid ", text)):
        digits = re.sub(r"\D", "", run[0])
        if is_a_cards(digits):
            yield digits


def _readings(content: bytes) -> Iterator[str]:
    """The text as it is, with its URL encoding and JSON escapes undone, and what base64 in it says."""
    text = content.decode("utf-8", "replace")
    yield text
    yield unquote_plus(text)
    yield re.sub(r"\\+(?:u00|x)([0-9a-fA-F]{2})", lambda match: chr(int(match[1], 16)), text).replace(
        "\\", " "
    )
    for token in _BASE64.findall(text):
        try:
            inside = base64.b64decode(token + "=" * (-len(token) % 4))
        except binascii.Error:
            continue
        said = inside.decode("utf-8", "replace")
        yield said
        yield unquote_plus(said)


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
