"""Where a page of a search ended: opaque to clients, harmless when tampered with.

A cursor names the last row given by its place in an order that never changes for rows that are there:
time, then batch, then a hash of the row; and how many rows of exactly that place were given, since equal
rows are separate rows. It also keeps the time range, so that later pages do not move with the clock, and a
digest of the search it belongs to. Its values only ever become bound parameters beside the tenant's filter,
which comes from the key: a forged cursor finds nothing its forger could not search for.
"""

import base64
import binascii
from dataclasses import dataclass

import msgspec

VERSION = 1


class CursorError(ValueError):
    """Not a cursor of ours."""


@dataclass(frozen=True, slots=True)
class Position:
    """A row's place: `instant` in nanoseconds since 1970, and how many rows of this place were `given`."""

    instant: int
    batch_id: str
    row_hash: int
    given: int


class Cursor(msgspec.Struct, array_like=True, frozen=True):
    """`since` and `until` in nanoseconds since 1970; `digest` of the search."""

    version: int
    digest: str
    since: int
    until: int
    position: Position


_DECODER = msgspec.json.Decoder(Cursor)
_LIMIT = 2**63


def encode(cursor: Cursor) -> str:
    """The cursor's text, safe in a URL."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def decode(text: str) -> Cursor:
    """The cursor behind `text`.

    Raises
    ------
    CursorError: it was not made by `encode`, or its numbers are out of range.
    """
    try:
        cursor = _DECODER.decode(base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, msgspec.MsgspecError) as fault:
        raise CursorError("not a cursor") from fault
    position = cursor.position
    sound = (
        cursor.version == VERSION
        and 0 <= cursor.since < _LIMIT
        and 0 <= cursor.until < _LIMIT
        and 0 <= position.instant < _LIMIT
        and 0 <= position.row_hash < 2**64
        and 1 <= position.given < _LIMIT
    )
    if not sound:
        raise CursorError("a cursor with values out of range")
    return cursor
