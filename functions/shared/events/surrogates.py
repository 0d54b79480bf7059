"""Replace unpaired escaped surrogates, as truncated emoji leave them."""

import re
from itertools import product

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_LONE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_BACKSLASH = rb"\\"
_STAND_INS = tuple(map(bytes, product(range(0xF8, 0x100), repeat=2)))
"""As long as an escaped backslash, and never valid UTF-8."""


def replace_lone_surrogates(body: bytes) -> bytes:
    """Replace each in the JSON `body` by U+FFFD. No change if it holds all of _STAND_INS, as no text does."""
    stand_in = _SURROGATE.search(body) and next((each for each in _STAND_INS if each not in body), None)
    if not stand_in:
        return body
    # The second of two backslashes begins no escape. All steps run in C: a body can have millions of them.
    # Latin-1 maps every byte to one character: joining bytes takes 80 bytes more for each piece.
    plain = body.replace(_BACKSLASH, stand_in).decode("latin-1")
    return r"\ufffd".join(_LONE.split(plain)).encode("latin-1").replace(stand_in, _BACKSLASH)
