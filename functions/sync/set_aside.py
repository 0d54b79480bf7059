"""Rows that the warehouse refuses leave their batch, with a reason, so that all others can be loaded.

The warehouse itself is asked which rows those are; guessing at its rules would be a second set of rules. For
each object that holds some, the bad rows go into a quarantine document and the good ones into a new staged
object, both under keys derived from the object's own: doing it again after a crash writes the same.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from backports import zstd

from functions.shared import journal
from functions.shared.quarantine import Header, document_key, pack
from functions.shared.staging import StagedKey
from functions.sync.ledger import Batch
from functions.sync.load import Loader, Staged
from functions.sync.notifications import StagedObject
from functions.sync.plan import function_of
from functions.sync.sift import refused

REFUSED_ROWS = frozenset({6, 25, 26, 27, 33, 38, 41, 53, 69, 72, 117, 130, 131, 271, 321, 441, 561, 636})
"""ClickHouse's codes for data it cannot read or take. With any other the table is at fault, not the rows."""

_CLEANED = "q"


class SetAside:
    """Takes refused rows out of a batch's objects."""

    def __init__(self, staged: Staged, loader: Loader) -> None:
        self._staged = staged
        self._loader = loader

    def sifted(self, batch: Batch, engine_code: int) -> list[StagedObject]:
        """The batch's members, those with refused rows replaced by what is left of them.

        The same members come back when the warehouse refuses none of them by itself.
        """
        bodies = self._staged.bodies(batch.members)
        bad = refused(bodies, lambda some: self._loader.accepts(b"".join(some)))
        members: list[StagedObject | None] = list(batch.members)
        for position in bad:
            members[position] = self._cleaned(batch, batch.members[position], bodies[position], engine_code)
        return [each for each in members if each is not None]

    def _cleaned(
        self, batch: Batch, member: StagedObject, body: bytes, engine_code: int
    ) -> StagedObject | None:
        """A staged object of the good rows; None when there are none."""
        rows = _rows(body)
        bad = refused(rows, lambda some: self._loader.accepts(_frame(some)))
        self._quarantine(batch, member, rows, bad, engine_code)
        good = [row for position, row in enumerate(rows) if position not in set(bad)]
        if not good:
            return None
        key = StagedKey.parse(member.key)
        cleaned = replace(key, object_id=key.object_id + _CLEANED, rows=len(good))
        return self._staged.put(str(cleaned), _frame(good))

    def _quarantine(
        self, batch: Batch, member: StagedObject, rows: list[bytes], bad: list[int], engine_code: int
    ) -> None:
        key = StagedKey.parse(member.key)
        header = Header(
            reason="ClickHouse refused these rows",
            engine_code=engine_code,
            source=member.key,
            batch_id=batch.batch_id,
            positions=bad,
            rows=len(bad),
            expires_on=key.expires_on,
            set_aside_at=datetime.now(UTC),
        )
        self._staged.put(document_key(key.tenant, key.object_id), pack(header, [rows[at] for at in bad]))
        journal.measure(
            function_of(batch.manifest.destination),
            {"QuarantinedRows": (len(bad), "Count")},
            tenant_id=key.tenant,
            key=member.key,
            engine_code=engine_code,
        )


def _rows(body: bytes) -> list[bytes]:
    """The object's lines; one that is no zstd is a single row that nobody can read."""
    try:
        return [line for line in zstd.decompress(body).split(b"\n") if line]
    except zstd.ZstdError:
        return [body.replace(b"\n", b"")]


def _frame(rows: Sequence[bytes]) -> bytes:
    return zstd.compress(b"\n".join(rows) + b"\n", 1)
