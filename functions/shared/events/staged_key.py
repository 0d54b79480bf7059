"""The canonical staged object: its key, the facts in the key, and its body.

Key: ``staged/v1/tenant=<id>/day=<YYYY-MM-DD>/<id>-r<rows>-b<bytes>-x<YYYYMMDD>.ndjson.zst``

- `day` is the UTC day of receipt; `<id>` is time-ordered, its rest random or derived from the request; or it
  is derived from a file and the number of its part.
- `-r` is the row count, `-b` the rows' bytes before zstd and `-x` the day they expire. So a notification or a
  listing is enough to plan a batch, and a batch to meter it: no HEAD, no GET (docs/adr/0003).
- A key is written once (`If-None-Match: *`) and therefore identifies its rows.

Body: one or more zstd frames of NDJSON; each line has `COLUMNS` and nothing else.
"""

import os
import re
import time
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId, staged_prefix

SCHEMA_VERSION = "1"
SUFFIX = ".ndjson.zst"

ID_CHARACTERS = 26
"""The length of an id that ingest made; an id derived from another object's is longer."""

COLUMNS = {
    "tenant_id": "String",
    "project_id": "String",
    "timestamp": "DateTime64(9, 'UTC')",
    "received_at": "DateTime64(6, 'UTC')",
    "level": "String",
    "service": "String",
    "message": "String",
    "trace_id": "String",
    "span_id": "String",
    "metadata": "String",
    "object_id": "String",
    "position": "UInt32",
}
"""Columns of a staged row with their ClickHouse types. The insert adds `batch_id` and `expires_on`."""

IDENTITY = ("object_id", "position")
"""The columns that identify a row and order rows of equal time (docs/adr/0039); older rows lack them."""

_KEY = re.compile(
    r"staged/v1/tenant=(?P<tenant>[^/]+)/day=(?P<day>\d{4}-\d\d-\d\d)/"
    r"(?P<id>[0-9A-Za-z]+)-r(?P<rows>[1-9]\d*)-b(?P<bytes>[1-9]\d*)-x(?P<expires>\d{8})\.ndjson\.zst"
)
MAX_CACHED_KEYS = 16_384
"""More keys than one invocation of sync receives: it parses each key several times."""

_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"

_ID = re.compile(rf"[{_BASE32}]{{{ID_CHARACTERS}}}(?:p\d+)?", re.ASCII)
_TIME_CHARACTERS = 10


class StagedKey(NamedTuple):
    """The parsed key of a staged object. `raw_bytes`: of the rows as NDJSON, the billed volume."""

    tenant: TenantId
    day: date
    object_id: str
    rows: int
    raw_bytes: int
    expires_on: date

    def __str__(self) -> str:
        return (
            f"{staged_prefix(self.tenant)}day={self.day.isoformat()}/"
            f"{self.object_id}-r{self.rows}-b{self.raw_bytes}-x{self.expires_on:%Y%m%d}{SUFFIX}"
        )

    def expired_by(self, today: date) -> bool:
        """Whether the rows are past retention on `today`."""
        return self.expires_on < today

    @classmethod
    @lru_cache(maxsize=MAX_CACHED_KEYS)
    def parse(cls, key: str) -> "StagedKey":
        """Parse `key` (already URL-decoded).

        Raises
        ------
        PermanentError: the key does not have this format; a retry cannot help.
        """
        match = _KEY.fullmatch(key)
        if not match:
            raise PermanentError("the key is not that of a staged object")
        expires = match["expires"]
        try:
            return cls(
                tenant=TenantId(match["tenant"]),
                day=date.fromisoformat(match["day"]),
                object_id=match["id"],
                rows=int(match["rows"]),
                raw_bytes=int(match["bytes"]),
                expires_on=date(int(expires[:4]), int(expires[4:6]), int(expires[6:])),
            )
        except ValueError as fault:
            raise PermanentError("the key of a staged object names no real day") from fault


class _IdClock:
    """Unix time in nanoseconds that never repeats and never goes back in this process."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        self._last = max(time.time_ns(), self._last + 1)
        return self._last


_id_clock = _IdClock()


def time_ordered_id(now_ms: int | None = None) -> str:
    """26 characters that sort by time as text: 48 bits of Unix milliseconds, then 80 bits.

    These are the nanoseconds within the millisecond (20 bits) and 60 random bits; with `now_ms` all are
    random. Ids that one process makes one after another are in order, those of two processes as far as their
    clocks agree.
    """
    if now_ms is not None:
        return base32((now_ms << 80) | int.from_bytes(os.urandom(10), "big"))
    milliseconds, nanoseconds = divmod(_id_clock.next(), 1_000_000)
    return base32(milliseconds << 80 | nanoseconds << 60 | int.from_bytes(os.urandom(8), "big") >> 4)


def milliseconds_of(object_id: str) -> int:
    """The Unix milliseconds in an id of `time_ordered_id`, or in the id of a file's part.

    Raises
    ------
    ValueError: the text does not begin with such an id.
    """
    if not _ID.fullmatch(object_id):
        raise ValueError("not a time-ordered id")
    number = 0
    for character in object_id[:_TIME_CHARACTERS]:
        number = number << 5 | _BASE32.index(character)
    return number


def base32(number: int) -> str:
    """`number` (below 2**130) as 26 characters that sort as the number does."""
    return "".join(_BASE32[(number >> shift) & 31] for shift in range(125, -5, -5))


def is_staged(key: str) -> bool:
    """Whether `key` is that of a staged object."""
    try:
        StagedKey.parse(key)
    except PermanentError:
        return False
    return True
