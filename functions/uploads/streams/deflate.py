"""Find resume points in the middle of a deflate stream, with only zlib of the standard library.

The state of a decompressor cannot be stored. But a block of RFC 1951 needs only the 32 KiB of text before it,
and zlib accepts those as a dictionary. zlib can neither report where a block begins nor begin within a byte.
So (docs/adr/0021):

- Where blocks begin is *found*: after an empty stored block, which flushes leave, and at any bit that could
  begin a block with its own tables, of which one in about ten thousand is false. Every find is *proven*:
  decoding from there must give the same text as the decompressor that decoded everything before.
- Within a byte: empty blocks of 10 and 93 bits, put before it, end at any wanted bit.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

WINDOW_BYTES = 32 * 1024
PROVEN_BYTES = 4096
"""The text that both decompressors must have in common, unless the stream ends before."""

_SYNC = b"\x00\x00\xff\xff"
_MAX_TRIED = 40
"""Candidates that are decoded before a search is abandoned: it never takes longer than a second."""

_FIRST_LOOK_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Entry:
    """A block that begins at bit `bits` of byte `at` of the searched data.

    `text` is the text between the beginning of that data and the block.
    """

    at: int
    bits: int
    text: bytes


def entered(data: bytes, bits: int) -> bytes:
    """`data`, whose block begins at bit `bits` of its first byte, changed so that zlib can begin there."""
    if not bits:
        return data
    blocks, length = _padding(bits)
    whole, rest = divmod(length, 8)
    joined = (blocks >> (8 * whole)) | (data[0] >> rest << rest)
    return (blocks & ((1 << (8 * whole)) - 1)).to_bytes(whole, "little") + bytes((joined,)) + data[1:]


def decompressor(window: bytes) -> "zlib._Decompress":
    """A decompressor for raw deflate, with the text before as its dictionary."""
    return (
        zlib.decompressobj(-zlib.MAX_WBITS, zdict=window) if window else zlib.decompressobj(-zlib.MAX_WBITS)
    )


def find(before: "zlib._Decompress", window: bytes, data: bytes, within: int, most_text: int) -> Entry | None:
    """A block that begins in the first `within` bytes of `data`, at most `most_text` bytes of text later.

    `before` is the state at the beginning of `data`, and is not changed; `window` is the text before `data`.
    """
    tried = 0
    for at, bits in _candidates(data, within):
        if not _is_plausible(data[at : at + _FIRST_LOOK_BYTES], bits):
            continue
        tried += 1
        entry = _proven(before.copy(), window, data, at, bits)
        if entry and len(entry.text) <= most_text:
            return entry
        if tried == _MAX_TRIED:
            return None
    return None


def _proven(walked: "zlib._Decompress", window: bytes, data: bytes, at: int, bits: int) -> Entry | None:
    """The entry at that place, if both decompressors give the same text after it."""
    end = at + 1 if bits else at
    text = walked.decompress(data[:end])
    if walked.unconsumed_tail or walked.eof:
        return None
    jumped = decompressor((window + text)[-WINDOW_BYTES:])
    try:
        found = jumped.decompress(entered(data[at:], bits), 0)
    except zlib.error:
        return None
    following = walked.decompress(data[end:], 0)
    is_long_enough = len(following) >= PROVEN_BYTES or walked.eof
    return Entry(at, bits, text) if is_long_enough and found == following else None


def _is_plausible(data: bytes, bits: int) -> bool:
    try:
        decompressor(bytes(WINDOW_BYTES)).decompress(entered(data, bits), PROVEN_BYTES)
    except zlib.error:
        return False
    return True


def _candidates(data: bytes, within: int) -> Iterator[tuple[int, int]]:
    """Places where a block might begin: after flushes, then at any well-formed header of tables."""
    start = data.find(_SYNC, 0, within)
    while start >= 0:
        yield start + len(_SYNC), 0
        start = data.find(_SYNC, start + 1, within)
    number = int.from_bytes(data[: within + 16], "little")
    for bits in range(8):
        shifted = (number >> bits).to_bytes(min(len(data), within + 16), "little")
        for match in _HEADER.finditer(shifted, 0, within):
            if _has_complete_code(shifted, match.start()):
                yield match.start(), bits


_HEADER = re.compile(
    b"(?=[%b][%b])"
    % (
        re.escape(bytes(4 | lengths << 3 for lengths in range(30))),
        re.escape(bytes(distances | rest << 5 for distances in range(30) for rest in range(8))),
    ),
    re.DOTALL,
)
"""BFINAL 0, BTYPE 2, HLIT and HDIST at most 29."""


def _weight(lengths: int) -> int:
    """The share of a code that four code lengths of three bits each use, in 128ths."""
    return sum(128 >> length for shift in (0, 3, 6, 9) if (length := lengths >> shift & 7))


_WEIGHTS = tuple(map(_weight, range(4096)))


def _has_complete_code(shifted: bytes, at: int) -> bool:
    """Whether the lengths of the code that describes the tables use it completely."""
    number = int.from_bytes(shifted[at : at + 10], "little") >> 13
    lengths = number >> 4 & ((1 << 3 * ((number & 15) + 4)) - 1)
    weight = 0
    while lengths:
        weight += _WEIGHTS[lengths & 4095]
        lengths >>= 12
    return weight == 128


def _bits(*fields: tuple[int, int]) -> tuple[int, int]:
    """Pack values of the given widths from the lowest bit on; return the number and its length."""
    number = length = 0
    for value, width in fields:
        number |= value << length
        length += width
    return number, length


_EMPTY_FIXED = _bits((0, 1), (1, 2), (0, 7))
_EMPTY_DYNAMIC = _bits(
    (0, 1), (2, 2), (0, 5), (0, 5), (15, 4),
    *(((1, 3) if symbol in (18, 1) else (0, 3)) for symbol in
      (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)),
    (1, 1), (127, 7),  # 138 lengths of 0
    (1, 1), (107, 7),  # 118 more
    (0, 1), (0, 1),    # the end of the block and one distance, of a bit each
    (0, 1),            # the end of the block
)  # fmt: skip


def _padding(bits: int) -> tuple[int, int]:
    """Empty blocks that end at bit `bits` of a byte: a number and its length in bits."""
    blocks, length = _EMPTY_DYNAMIC if bits % 2 else (0, 0)
    while length % 8 != bits:
        blocks |= _EMPTY_FIXED[0] << length
        length += _EMPTY_FIXED[1]
    return blocks, length
