"""Quarantine the rows that ClickHouse rejects, with a reason, so that all other rows of the batch are loaded.

ClickHouse itself is asked which rows it rejects; a check of our own would be a second set of rules. For each
object with rejected rows, these go into a quarantine document and the good rows into a new staged object.
Both keys are derived from the object's own key: a retry after a crash writes the same objects.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock

from backports import zstd

from functions.shared import journal
from functions.shared.errors import RetryableError
from functions.shared.events.encoding import billed_bytes
from functions.shared.events.staged_key import StagedKey
from functions.shared.frames import DecodedTooLargeError, decoded
from functions.shared.quarantine import QuarantineHeader, document_key, pack
from functions.sync.ledger import Batch
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.notifications import StagedObject
from functions.sync.plan import MAX_ROWS, function_of

REFUSED_ROWS = frozenset({6, 25, 26, 27, 33, 38, 41, 53, 69, 72, 117, 130, 131, 271, 321, 441, 561, 636})
"""ClickHouse's codes for data it cannot read or accept. Any other code is caused by the table."""

MAX_DECODED_BYTES = 128 * 1024 * 1024
"""Per object: rows of 64 MB, the limit of ingest, with our columns."""

MEMORY_BUDGET_BYTES = 192 * 1024 * 1024
"""Memory for all threads that sift in this process."""

A_ROW_BYTES = 64
"""Memory that a row needs besides its text, as a Python object in a list."""

_CLEANED = "q"


class MemoryBudgetError(RetryableError):
    """Other threads are sifting, and no memory is left for this object."""


class MemoryBudget:
    """Memory for decoded objects, shared by threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._taken = 0
        self._lock = Lock()

    @contextmanager
    def rows(self, body: bytes, max_rows: int) -> Iterator[list[bytes]]:
        """The lines of `body`, while memory is reserved for them; a body that is not zstd is one bad row.

        Raises
        ------
        DecodedTooLargeError: it never fits, or has more rows than `max_rows`.
        MemoryBudgetError: no memory is free now.
        """
        text, taken = self._taken_in(body, max_rows)
        try:
            yield [line for line in text.split(b"\n") if line]
        finally:
            with self._lock:
                self._taken -= taken

    def _taken_in(self, body: bytes, max_rows: int) -> tuple[bytes, int]:
        """The text of `body`, and the bytes of memory reserved for it and its rows."""
        with self._lock:
            try:
                text, needed = _measured(body, self._max_bytes - self._taken, max_rows)
            except DecodedTooLargeError:
                if self._taken:
                    raise MemoryBudgetError("no room to sift in") from None
                raise
            self._taken += needed
            return text, needed


def _measured(body: bytes, max_bytes: int, max_rows: int) -> tuple[bytes, int]:
    """The text of `body`, and the bytes of memory that it needs with its rows.

    Raises
    ------
    DecodedTooLargeError: these are more than `max_bytes`, or more rows than `max_rows`.
    """
    try:
        text = decoded(body, min(MAX_DECODED_BYTES, max_bytes))
    except zstd.ZstdError:
        text = body.replace(b"\n", b"")
    rows = text.count(b"\n")
    needed = len(text) + A_ROW_BYTES * rows
    if rows > max_rows or needed > max_bytes:
        raise DecodedTooLargeError("the object holds more rows than its key says, or than there is room for")
    return text, needed


_memory_budget = MemoryBudget(MEMORY_BUDGET_BYTES)


class RowQuarantine:
    """Removes rejected rows from a batch's objects."""

    def __init__(self, staged: StagingBucket, loader: EventsTable) -> None:
        self._staged = staged
        self._loader = loader

    def quarantine_rejected(
        self, batch: Batch, engine_code: int, raise_if_over: Callable[[], None] = lambda: None
    ) -> list[StagedObject]:
        """The batch's members; each one with rejected rows is replaced by an object of its good rows.

        The members are unchanged when ClickHouse rejects none of them by itself. `raise_if_over` is called
        before each query: a ClickHouse that rejects everything is queried twice for each row.

        Raises
        ------
        DecodedTooLargeError, MemoryBudgetError: see MemoryBudget. Also the errors of StagingBucket, of the
            warehouse and of `raise_if_over`.
        """

        def accepts(frames: bytes) -> bool:
            raise_if_over()
            return self._loader.accepts(frames)

        bodies = self._staged.bodies(batch.members)
        bad = rejected_positions(bodies, lambda some: accepts(b"".join(some)))
        members: list[StagedObject | None] = list(batch.members)
        for position in bad:
            member = batch.members[position]
            with _memory_budget.rows(
                bodies[position], min(StagedKey.parse(member.key).rows, MAX_ROWS)
            ) as rows:
                members[position] = self._cleaned(batch, member, rows, engine_code, accepts)
        return [each for each in members if each is not None]

    def _cleaned(
        self,
        batch: Batch,
        member: StagedObject,
        rows: list[bytes],
        engine_code: int,
        accepts: Callable[[bytes], bool],
    ) -> StagedObject | None:
        """A staged object of the good rows; None when there are none."""
        bad = rejected_positions(rows, lambda some: accepts(_frame(some)))
        self._quarantine(batch, member, rows, bad, engine_code)
        left_out = frozenset(bad)
        good = [row for position, row in enumerate(rows) if position not in left_out]
        if not good:
            return None
        key = StagedKey.parse(member.key)
        lines = _lines(good)
        cleaned = key._replace(
            object_id=key.object_id + _CLEANED, rows=len(good), raw_bytes=billed_bytes(good)
        )
        return self._staged.put(str(cleaned), zstd.compress(lines, 1))

    def _quarantine(
        self, batch: Batch, member: StagedObject, rows: list[bytes], bad: list[int], engine_code: int
    ) -> None:
        key = StagedKey.parse(member.key)
        header = QuarantineHeader(
            reason="ClickHouse rejected these rows",
            engine_code=engine_code,
            source=member.key,
            batch_id=batch.batch_id,
            positions=bad,
            rows=len(bad),
            expires_on=key.expires_on,
            quarantined_at=datetime.now(UTC),
        )
        self._staged.put(document_key(key.tenant, key.object_id), pack(header, [rows[at] for at in bad]))
        journal.measure(
            function_of(batch.manifest.destination),
            {"QuarantinedRows": (len(bad), "Count")},
            tenant_id=key.tenant,
            key=member.key,
            engine_code=engine_code,
        )


def rejected_positions(things: Sequence[bytes], accepts: Callable[[Sequence[bytes]], bool]) -> list[int]:
    """The positions of the items in `things` that `accepts` rejects, in order.

    `accepts` gets several items at once and must return False exactly when one of them is bad; k bad items
    among n cost about 2·k·log2(n) calls.
    """
    if not things or accepts(things):
        return []
    if len(things) == 1:
        return [0]
    middle = len(things) // 2
    left = rejected_positions(things[:middle], accepts)
    right = rejected_positions(things[middle:], accepts)
    return left + [middle + position for position in right]


def _frame(rows: Sequence[bytes]) -> bytes:
    return zstd.compress(_lines(rows), 1)


def _lines(rows: Sequence[bytes]) -> bytes:
    return b"\n".join(rows) + b"\n"
