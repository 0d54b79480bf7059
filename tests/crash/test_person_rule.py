"""One rule says which rows mention a person: in the engine, in staged rows and in quarantined ones."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from backports import zstd
from obstore.store import MemoryStore

from bench.in_process import load
from functions.privacy.erasure.objects import Quarantined
from functions.privacy.erasure.place import ErasureClock
from functions.privacy.erasure.rows import EventRows
from functions.privacy.erasure.subject import MESSAGE, Subject
from functions.query.bindings import Bindings
from functions.query.compile import filters
from functions.query.language.names import METADATA
from functions.query.language.syntax_tree import ContainsText, Equals, FieldRef, Filter
from functions.query.tokens import Scalar
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.quarantine import QuarantineHeader, document_key, pack, unpack
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from tests.crash.erasing import PATIENCE_SECONDS
from tests.crash.person_rows import Sample, sample, subjects
from tests.crash.person_scan import may_be_mentioned, mentioned
from tests.crash.world import EXPIRES_ON, World

AN_HOUR = ErasureClock(lambda: 0.0, lambda: 3600.0)

Stored = Mapping[str, tuple[str, bytes]]
"""Id of a row -> its message and metadata as the engine gives them back."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant's rows: `lines` as they are staged, by the id that each has as its trace id."""

    tenant: TenantId
    lines: dict[str, bytes]


def staged(tenant: TenantId, row_id: str, row: Sample) -> bytes:
    """The row's line. What is no JSON comes as text, in which the engine keeps any bytes."""
    stamp = "2029-12-02T10:00:00.000001Z"
    front = {"tenant_id": tenant, "project_id": "p", "timestamp": stamp, "level": "info", "service": "",
             "message": row.message, "trace_id": row_id, "span_id": "", "received_at": stamp}  # fmt: skip
    text = row.metadata.decode("utf-8", "surrogateescape")
    metadata = text if row.is_json else json.dumps(text, ensure_ascii=False)
    line = json.dumps(front, ensure_ascii=False)[:-1] + ', "metadata": ' + metadata + "}"
    return line.encode("utf-8", "surrogateescape")


def settle(here: World, tenant: TenantId, chance: random.Random, count: int) -> Tenant:
    """Insert `count` rows by sync's own statement."""
    rows = {f"r{number}": sample(chance) for number in range(count)}
    lines = {row_id: staged(tenant, row_id, row) for row_id, row in rows.items()}
    load(here.warehouse, zstd.compress(b"\n".join(lines.values()) + b"\n"), f"batch{tenant}", EXPIRES_ON)
    return Tenant(tenant, lines)


def stored(warehouse: Warehouse, tenant: TenantId) -> dict[str, tuple[str, bytes]]:
    result = warehouse.select(
        "SELECT trace_id, message, hex(metadata) AS metadata FROM events WHERE tenant_id = {tenant:String}",
        {"tenant": str(tenant)},
    ).rows
    return {row["trace_id"]: (row["message"], bytes.fromhex(row["metadata"])) for row in result}


def chosen(warehouse: Warehouse, condition: str, parameters: Mapping[str, object]) -> set[str]:
    statement = f"SELECT trace_id FROM events WHERE {condition}"  # noqa: S608 - made by the code under test
    rows = warehouse.select(statement, parameters).rows
    return {row["trace_id"] for row in rows}


def searched(warehouse: Warehouse, subject: Subject) -> set[str]:
    """What searches for the subject show: `eq` by each type that the value may have, or `contains`."""
    if subject.field == MESSAGE:
        wanted: list[Filter] = [ContainsText(FieldRef("column", MESSAGE), str(subject.value))]
    else:
        values = [subject.value, *_typed(subject.value)]
        wanted = [
            Equals(FieldRef("path", subject.field.removeprefix(METADATA)), (value,)) for value in values
        ]
    shown = set()
    for each in wanted:
        bindings = Bindings()
        condition = f"tenant_id = {bindings.text(subject.tenant)} AND {filters.sql(each, bindings)}"
        shown |= chosen(warehouse, condition, bindings.parameters)
    return shown


def _typed(value: str) -> list[Scalar]:
    try:
        typed = json.loads(value)
    except ValueError:
        return []
    if isinstance(typed, bool):
        return [typed]
    if isinstance(typed, int):
        # Beyond 64 bits it is sought as text, and as a double only where doubles distinguish whole numbers.
        return [typed, *([float(typed)] if abs(typed) < 2**53 else [])] if -(2**63) <= typed < 2**64 else []
    return [typed] if isinstance(typed, float) and abs(typed) < 1e300 else []


def quarantine(bucket: PlatformBucket, here: Tenant, rows_a_document: int = 50) -> None:
    lines = list(here.lines.values())
    for begin in range(0, len(lines), rows_a_document):
        some = lines[begin : begin + rows_a_document]
        header = QuarantineHeader(
            "refused", 27, "s", "b", list(range(len(some))), len(some), date(2030, 1, 1), datetime.now(UTC)
        )
        bucket.create(document_key(here.tenant, f"d{begin}"), pack(header, some))


def left_in_quarantine(bucket: PlatformBucket, here: Tenant) -> set[str]:
    ids = {line: row_id for row_id, line in here.lines.items()}
    left: set[str] = set()
    for each in bucket.under(f"quarantine/v1/tenant={here.tenant}/"):
        document = bucket.get(each.key)
        assert document
        left |= {ids[row] for row in unpack(bytes(document.body))[1]}
    return left


def differ(subject: Subject, rows: Stored, one: set[str], other: set[str]) -> str:
    """Some of the rows in which `one` and `other` differ."""
    shown = [(each, str(rows.get(each))[:400]) for each in one ^ other][:3]
    return f"{subject.field} {subject.value[:40]!r}: {shown}"


def compare(here: World, seed: int, rows: int, people: int) -> int:
    """Hold all rules against each other, then erase; how many rows were erased."""
    chance = random.Random(seed)
    acme, globex = TenantId(f"acme-{seed}"), TenantId(f"globex-{seed}")
    ours, theirs = settle(here, acme, chance, rows), settle(here, globex, chance, rows // 4)
    before, neighbours = stored(here.warehouse, acme), stored(here.warehouse, globex)
    assert len(before) == rows
    quarantined = Tenant(acme, dict(list(ours.lines.items())[: rows // 4]))
    erased: set[str] = set()
    for subject in subjects(chance, acme, people):
        meant = chosen(here.warehouse, *subject.condition())
        by_line = {row_id for row_id, line in ours.lines.items() if subject.rule().matches_line(line)}
        by_scan = {row_id for row_id, row in before.items() if mentioned(subject.field, subject.value, *row)}
        at_most = {
            row_id for row_id, row in before.items() if may_be_mentioned(subject.field, subject.value, *row)
        }
        bucket = PlatformBucket(MemoryStore())
        quarantine(bucket, quarantined)
        quarantine(bucket, theirs)
        place = Quarantined(bucket, subject, AN_HOUR)
        held = {row_id for row_id in by_line if row_id in quarantined.lines}
        assert by_line - erased == meant, differ(subject, before, by_line - erased, meant)
        assert by_scan - erased <= meant, differ(subject, before, by_scan - erased, meant & by_scan)
        assert meant <= at_most, differ(subject, before, meant, meant & at_most)
        assert searched(here.warehouse, subject) <= meant, subject
        assert place.count() == len(held)
        place.remove()
        assert left_in_quarantine(bucket, quarantined) == set(quarantined.lines) - held
        assert left_in_quarantine(bucket, theirs) == set(theirs.lines)
        assert EventRows(here.warehouse, PATIENCE_SECONDS).erase(subject)
        erased |= meant
        left = stored(here.warehouse, acme)
        assert set(left) == set(before) - erased
        assert not [row for row in left.values() if mentioned(subject.field, subject.value, *row)]
        assert not searched(here.warehouse, subject)
    assert stored(here.warehouse, globex) == neighbours
    return len(erased)


def test_all_rules_mean_the_same_rows_and_no_scan_finds_one_after_the_erasure(here: World) -> None:
    """1,000 rows and 20 people; another tenant's rows stay, to the byte."""
    assert compare(here, seed=1, rows=1_000, people=20) > 100


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 4))
def test_all_rules_mean_the_same_rows_of_20_000_and_50_people(here: World, seed: int) -> None:
    assert compare(here, seed=seed, rows=20_000, people=50) > 1_000
