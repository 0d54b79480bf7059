"""The cursor of a search page: opaque to clients, harmless when tampered with.

A cursor names the last returned row by its sort key: time, object, position in the object, and for a row
without identity a hash of its columns (functions.query.results.row_order). It counts how many rows of exactly
that key were returned, because equal rows without identity are separate rows. It also stores the time range,
so that later pages do not move with the clock, and a digest of its search. Its values are only used as bound
parameters, next to the tenant filter that comes from the key: a forged cursor finds nothing that its sender
could not search for.

A position also names the store of the row, because a search may read two
(functions.query.searching.both_stores): the rows that were returned are skipped in that store only.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Literal

import msgspec

VERSION = 3

Store = Literal["byoc", "managed"]
"""The customer's ClickHouse, or ours; rows of the same sort key are in this order, in `desc` reversed."""

BYOC: Store = "byoc"
MANAGED: Store = "managed"


class CursorError(ValueError):
    """The text is not a cursor that `encode` made."""


class OldCursorError(CursorError):
    """A cursor of an earlier version of this module, whose order of rows was another."""


@dataclass(frozen=True, slots=True)
class CursorPosition:
    """A row's sort key: `instant` in nanoseconds since 1970; `given` counts its returned rows."""

    instant: int
    object_id: str
    position: int
    row_hash: int
    given: int
    store: Store = MANAGED


class Cursor(msgspec.Struct, array_like=True, frozen=True):
    """`since` and `until` in nanoseconds since 1970; `digest` of the search."""

    version: int
    digest: str
    since: int
    until: int
    position: CursorPosition


_DECODER = msgspec.json.Decoder(Cursor)
_ANY_VERSION = msgspec.json.Decoder(tuple[int, str, int, int, dict[str, str | int]])
_LIMIT = 2**63


def encode(cursor: Cursor) -> str:
    """The cursor's text, safe in a URL."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def decode(text: str) -> Cursor:
    """The cursor in `text`.

    Raises
    ------
    OldCursorError: an earlier version made it.
    CursorError: `encode` did not make it, or its numbers are out of range.
    """
    try:
        content = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
        if _ANY_VERSION.decode(content)[0] < VERSION:
            raise OldCursorError("a cursor of an earlier version")
        cursor = _DECODER.decode(content)
    except CursorError:
        raise
    except (ValueError, binascii.Error, msgspec.MsgspecError) as fault:
        raise CursorError("not a cursor") from fault
    position = cursor.position
    sound = (
        cursor.version == VERSION
        and 0 <= cursor.since < _LIMIT
        and 0 <= cursor.until < _LIMIT
        and 0 <= position.instant < _LIMIT
        and 0 <= position.position < 2**32
        and 0 <= position.row_hash < 2**64
        and 1 <= position.given < _LIMIT
    )
    if not sound:
        raise CursorError("a cursor with values out of range")
    return cursor
