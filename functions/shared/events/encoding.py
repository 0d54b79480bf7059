"""Encode the rows of a staged object as NDJSON, each with its identity: object and position.

The identity is the last part of a row's text and is not billed: volume counts what was sent and the columns
that all rows have had since the first release.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

_encoder = msgspec.json.Encoder()

_IDENTITY = re.compile(rb',"object_id":"[0-9A-Za-z]*","position":\d+(?=\}$)')
_IDENTITY_BYTES = len(',"object_id":"","position":')


class EncodedRows(Struct, gc=False):
    """`lines`: NDJSON. `raw_bytes`: the billed volume, their length without the identities."""

    lines: bytes
    raw_bytes: int


def encode_rows(rows: Sequence[Any], object_id: str, first: int) -> EncodedRows:
    """Encode `rows`, structs with the fields of Row, as the rows of `object_id` from position `first` on."""
    for position, row in enumerate(rows, first):
        row.object_id = object_id
        row.position = position
    lines = _encoder.encode_lines(rows)
    return EncodedRows(lines, len(lines) - _identity_bytes(object_id, first, len(rows)))


def billed_bytes(rows: Iterable[bytes]) -> int:
    """The billed volume of staged rows: each with its newline and without its identity, if it has one."""
    return sum(len(row) + 1 - _length_of_identity(row) for row in rows)


def _length_of_identity(row: bytes) -> int:
    found = _IDENTITY.search(row, max(0, len(row) - _LONGEST_IDENTITY))
    return found.end() - found.start() if found else 0


_LONGEST_IDENTITY = 200
"""Bytes; ours have about 70."""


def _identity_bytes(object_id: str, first: int, count: int) -> int:
    return count * (_IDENTITY_BYTES + len(object_id)) + _digits(first + count) - _digits(first)


def _digits(end: int) -> int:
    """How many digits the numbers from 0 to `end` - 1 have together."""
    total, more_than = end, 10
    while more_than < end:
        total += end - more_than
        more_than *= 10
    return total
