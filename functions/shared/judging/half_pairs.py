"""Escaped surrogates that lack their other half, as cut-off emoji leave them."""

import re
from secrets import token_hex

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_LONE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_BACKSLASH = rb"\\"
_STAND_IN = b"\xff" + token_hex(4).encode()
"""Not UTF-8, and a sender cannot know it: it is in no body."""


def without_half_pairs(body: bytes) -> bytes:
    """`body`, JSON, with U+FFFD for each."""
    if not _SURROGATE.search(body):
        return body
    # The second of two backslashes begins no escape. All steps run in C: a body can hold millions of halves.
    plain = body.replace(_BACKSLASH, _STAND_IN)
    return rb"\ufffd".join(_LONE.split(plain)).replace(_STAND_IN, _BACKSLASH)
