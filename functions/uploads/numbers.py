"""Text that is a number, as CSV and AWS access logs write it."""

import re
from typing import Any

from msgspec import Raw

_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_WORDS = {"true": True, "false": False, "True": True, "False": False, "TRUE": True, "FALSE": False}


def typed(text: str) -> Any:
    """`text` as the JSON value it most likely is: a number, digit by digit, true, false, or the text.

    Numbers that a double cannot hold, and numbers with leading zeros, as in codes, stay text.
    """
    if _NUMBER.fullmatch(text):
        return Raw(text.encode())
    return _WORDS.get(text, text)


def number(text: str) -> Any:
    """`text` if it is a number, digit by digit; else the text."""
    return Raw(text.encode()) if _NUMBER.fullmatch(text) else text
