"""The cursor of a tail: opaque to clients, harmless when tampered with.

It has a place in the commit log of each store that the caller reads, and a digest of tenant and filter. Its
values select batches of the caller's own destination, and rows next to the tenant filter that comes from the
key: a forged cursor finds nothing that its sender could not search for.
"""

import base64
import binascii
import time
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from functions.query.errors import cursor_expired
from functions.query.results.cursor import CursorPosition, Store
from functions.query.tailing.commit_reader import CommitPosition
from functions.shared.forms import invalid
from functions.shared.tables.ledger import COMMITS_A_PAGE

VERSION = 1

MAX_AGE_SECONDS = 24 * 3600
"""Far below the days for which a page of the commit log is kept."""

_Page = Annotated[int, Meta(ge=0, lt=2**53)]
_Index = Annotated[int, Meta(ge=0, le=COMMITS_A_PAGE)]
_BatchId = Annotated[str, Meta(pattern=r"^[0-9a-f]{0,64}$")]


class StorePlace(Struct, array_like=True, frozen=True):
    """How far a store was read: up to `index` of `page`, whose first batch is `first`.

    `until` and `after`: the batches from there to `until` are being shown, up to the row `after`.
    """

    store: Store
    page: _Page
    index: _Index
    first: _BatchId
    until: _Index = 0
    after: CursorPosition | None = None

    @property
    def position(self) -> CommitPosition:
        return CommitPosition(self.page, self.index, self.first)


class TailCursor(Struct, array_like=True, frozen=True):
    """`made_at`: Unix seconds."""

    version: int
    digest: str
    made_at: int
    places: tuple[StorePlace, ...]


_DECODER = msgspec.json.Decoder(TailCursor)
_LIMIT = 2**63


def encode(digest: str, places: tuple[StorePlace, ...], now: float | None = None) -> str:
    """The cursor's text, safe in a URL."""
    made_at = int(time.time() if now is None else now)
    content = msgspec.json.encode(TailCursor(VERSION, digest, made_at, places))
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode(
    text: str, digest: str, stores: tuple[Store, ...], now: float | None = None
) -> tuple[StorePlace, ...]:
    """The places in the cursor `text` of a tail with that digest over `stores`.

    Raises
    ------
    HttpError: 400 `invalid_cursor`; 410 `cursor_expired` when the tail must start again.
    """
    try:
        cursor = _DECODER.decode(base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise invalid("cursor", "must be the 'cursor' of a response of this route") from None
    if cursor.version != VERSION or not all(map(_is_sound, cursor.places)):
        raise invalid("cursor", "must be the 'cursor' of a response of this route")
    if cursor.digest != digest:
        raise invalid("cursor", "belongs to another tail: send it with the parameters of that tail")
    age = (time.time() if now is None else now) - cursor.made_at
    if age > MAX_AGE_SECONDS or tuple(each.store for each in cursor.places) != stores:
        raise cursor_expired()
    return cursor.places


def _is_sound(place: StorePlace) -> bool:
    after = place.after
    if after is None:
        return place.until == 0
    return (
        place.until > place.index
        and after.store == place.store
        and 0 <= after.instant < _LIMIT
        and 0 <= after.position < 2**32
        and 0 <= after.row_hash < 2**64
        and 1 <= after.given < _LIMIT
    )
