"""Escaped surrogates that lack their other half, as cut-off emoji leave them."""

import re

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(
    rb"(?P<fine>\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\\u[dD][89a-fA-F][0-9a-fA-F]{2}", re.DOTALL
)


def without_half_pairs(body: bytes) -> bytes:
    """`body`, JSON, with U+FFFD for each."""
    if not _SURROGATE.search(body):
        return body
    mended = bytearray(body)
    for match in _ESCAPE.finditer(body):
        if not match["fine"]:
            mended[match.start() : match.end()] = b"\\ufffd"
    return bytes(mended)
