"""The stored logs of an account, page by page, in a fixed order.

The order is that of a search: by time, then as the events were sent, by object and position in it. Rows that
were stored without these come before the others of their time, in the order of a hash; those equal to the
last row of a page are distinguished by how many of them were returned. So a page can be read again, and the
next page begins exactly after it, in any process. Only events received before the export was requested are in
it: later events change no page.

A page reads a window of time, not everything that is left: the window grows while it has few events and
shrinks when it has more than a page. So the cost of reading all pages grows with the number of events, not
with its square.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from functions.privacy.export.exclusions import NO_EXCLUSIONS, Exclusions
from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId, row_filter
from functions.shared.warehouse import TOO_LARGE_RESULT, Warehouse, WarehouseRefusedError

ROWS_A_PAGE = 5_000
MAX_PAGE_BYTES = 32 * 1024 * 1024
"""The limit for an answer of the engine. An event has 1 MiB at the most, so a page of one row always fits."""

NANOSECONDS = 1_000_000_000
FIRST_WINDOW = 3600 * NANOSECONDS
LEAST_WINDOW = NANOSECONDS
MOST_WINDOW = 40 * 86_400 * NANOSECONDS

_HASHED = (
    "received_at", "level", "service", "project_id", "message", "trace_id", "span_id", "metadata",
)  # fmt: skip
_ROW_HASH = f"if(object_id = '', sipHash64({', '.join(_HASHED)}), 0)"

_WITHIN = """{owned} AND received_at < fromUnixTimestamp64Micro({{cut:Int64}}, 'UTC')
    AND timestamp >= fromUnixTimestamp64Nano({{since:Int64}}, 'UTC')
    AND timestamp < fromUnixTimestamp64Nano({{until:Int64}}, 'UTC')"""

_FIRST = f"""
SELECT toString(toUnixTimestamp64Nano(min(timestamp))) AS instant, count() AS rows FROM events WHERE {_WITHIN}
"""  # noqa: S608

_STATEMENT = f"""
SELECT toString(toUnixTimestamp64Nano(timestamp)) AS instant, toString(toUnixTimestamp64Micro(received_at))
    AS received, level, service, project_id, message, trace_id, span_id, metadata, object_id,
    position, toString({_ROW_HASH}) AS row_hash
FROM events
WHERE {_WITHIN}
    AND (timestamp > fromUnixTimestamp64Nano({{{{since:Int64}}}}, 'UTC') OR object_id > {{{{object:String}}}}
        OR (object_id = {{{{object:String}}}} AND (position > {{{{position:UInt32}}}}
            OR (position = {{{{position:UInt32}}}} AND {_ROW_HASH} >= {{{{row_hash:UInt64}}}}))))
ORDER BY timestamp, object_id, position, {_ROW_HASH} LIMIT {{{{given:UInt64}}}}, {{{{size:UInt64}}}}
"""  # noqa: S608 - our own names; values are bound


class OldPositionError(PermanentError):
    """The export was begun in another order of events: it begins again."""


@dataclass(frozen=True, slots=True)
class LogPeriod:
    """Events of [since, until) in nanoseconds since 1970, received before `cut`, in microseconds."""

    since: int
    until: int
    cut: int


@dataclass(frozen=True, slots=True)
class LogPosition:
    """Where the next page begins: after `given` rows of this place and hash; `window` to read."""

    instant: int
    object_id: str = ""
    position: int = 0
    row_hash: int = 0
    given: int = 0
    window: int = FIRST_WINDOW

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "LogPosition":
        """The position that `to_json` wrote.

        Raises
        ------
        OldPositionError: a version before this order wrote it.
        """
        stored = json.loads(text)
        if "batch_id" in stored:
            raise OldPositionError("a position in another order")
        return cls(**stored)


@dataclass(frozen=True, slots=True)
class LogPage:
    """Events as an export has them, and where the next page begins; None after the last."""

    lines: list[bytes]
    after: LogPosition | None


class Logs:
    """The events of one tenant in a warehouse, whose errors pass through."""

    def __init__(
        self,
        warehouse: Warehouse,
        tenant: TenantId,
        period: LogPeriod,
        rows_a_page: int = ROWS_A_PAGE,
        exclusions: Exclusions = NO_EXCLUSIONS,
    ) -> None:
        self._warehouse = warehouse
        self._tenant = tenant
        self._period = period
        self._rows_a_page = rows_a_page
        self._exclusions = exclusions

    def page(self, position: LogPosition | None = None) -> LogPage:
        """The events from `position` on; None for the first page. A page may be empty and not be the last."""
        here = position or LogPosition(self._period.since)
        end = min(here.instant + here.window, self._period.until)
        if here.instant >= self._period.until:
            return LogPage([], None)
        size = self._rows_a_page
        while True:
            try:
                rows = self._rows(here, end, size)
                break
            except WarehouseRefusedError as refusal:
                if refusal.engine_code != TOO_LARGE_RESULT or size == 1:
                    raise
                size = max(1, size // 8)
        lines = [_line(row) for row in rows if not self._is_excluded(row)]
        return LogPage(lines, self._after(here, end, rows, size))

    def _is_excluded(self, row: dict[str, Any]) -> bool:
        return self._exclusions.has_row(row["message"], row["metadata"], int(row["received"]))

    def _rows(self, here: LogPosition, end: int, size: int) -> list[dict[str, Any]]:
        owned, parameters = row_filter(self._tenant)
        return self._warehouse.select(
            _STATEMENT.format(owned=owned),
            {
                **parameters,
                "cut": self._period.cut,
                "since": here.instant,
                "until": end,
                "object": here.object_id,
                "position": here.position,
                "row_hash": here.row_hash,
                "given": here.given,
                "size": size,
            },
            {"max_result_bytes": MAX_PAGE_BYTES, "readonly": 1},
        ).rows

    def _after(
        self, here: LogPosition, end: int, rows: Sequence[dict[str, Any]], size: int
    ) -> LogPosition | None:
        if len(rows) < size:
            following = self._first_from(end) if end < self._period.until else None
            window = min(here.window * 2, MOST_WINDOW)
            return None if following is None else LogPosition(following, window=window)
        last = _place(rows[-1])
        given = sum(_place(row) == last for row in rows)
        if last == (here.instant, here.object_id, here.position, here.row_hash):
            given += here.given
        window = max(here.window // 2, LEAST_WINDOW)
        return replace(LogPosition(*last), given=given, window=window)

    def _first_from(self, instant: int) -> int | None:
        """The time of the first event from `instant` on; None if there is none: years may be empty."""
        owned, parameters = row_filter(self._tenant)
        until = {"cut": self._period.cut, "since": instant, "until": self._period.until}
        found = self._warehouse.select(
            _FIRST.format(owned=owned), {**parameters, **until}, {"readonly": 1}
        ).rows
        return int(found[0]["instant"]) if int(found[0]["rows"]) else None


def _place(row: dict[str, Any]) -> tuple[int, str, int, int]:
    return int(row["instant"]), row["object_id"], int(row["position"]), int(row["row_hash"])


def _line(row: dict[str, Any]) -> bytes:
    """One line of NDJSON, as a search shows the event; metadata is the JSON that was sent."""
    document = {
        "timestamp": _moment(int(row["instant"]), 9),
        "received_at": _moment(int(row["received"]) * 1000, 6),
        **{name: row[name] for name in ("level", "service", "project_id", "message", "trace_id", "span_id")},
    }
    front = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    # JSON may have line breaks between its values; inside its strings it has none.
    metadata = (row["metadata"] or "{}").replace("\n", " ").replace("\r", " ")
    return f'{front[:-1]},"metadata":{metadata}}}\n'.encode("utf-8", "replace")


def _moment(nanoseconds: int, digits: int) -> str:
    seconds, rest = divmod(nanoseconds, NANOSECONDS)
    fraction = f"{rest:09}"[:digits]
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction}Z"
