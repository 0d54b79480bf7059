"""One table of field names: what judges events, what reads files, and what the docs say agree with it."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from functions.shared.events import bulk
from functions.shared.events.aliases import read_as_event
from functions.shared.events.judge import judge
from functions.shared.events.names import (
    DECIDED_BY_VALUE,
    FIELDS,
    FILE_ENVELOPES,
    OTEL_NUMBERS,
    OTHER_NAMES,
    OWN_NAME_ONLY,
    SYSLOG_NUMBERS,
    names_of,
    plain_name,
)
from functions.shared.events.row import ReceiptContext, Row
from functions.shared.events.staged_key import COLUMNS
from functions.shared.tenancy import TenantId
from functions.uploads.formats.csv_rows import CsvHeader
from functions.uploads.formats.json_records import row_of
from functions.uploads.records import opened

RECEIPT = ReceiptContext(TenantId("acme"), "default", datetime(2026, 11, 23, 12, 30, tzinfo=UTC), 30)

OURS_ALONE = {"tenant_id", "received_at", "object_id", "position"}
"""Columns that no sender may set."""

VALUES: dict[str, Any] = {
    "message": "hello",
    "timestamp": "2026-11-23T10:00:00Z",
    "level": "error",
    "service": "api",
    "project_id": "shop",
    "trace_id": "t1",
    "span_id": "s1",
    "metadata": {"a": 1},
}


class InMemory:
    """A file's bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size_bytes = len(data)

    def read(self, start: int, length: int) -> bytes:
        return self._data[start : start + length]


OTHERS = [(field, name) for field, names in OTHER_NAMES.items() for name in names]


def table_after(page: str, heading: str) -> dict[str, tuple[str, ...]]:
    """The first table after `heading`: each name of its first column -> the names of its second."""
    text = Path(page).read_text()
    table = text[text.index("\n|", text.index(heading)) :].strip().partition("\n\n")[0]
    cells = [line.strip("|").split("|") for line in table.splitlines()[2:]]
    named = [(re.findall(r"`([^`]+)`", cell[0]), re.findall(r"`([^`]+)`", cell[1])) for cell in cells]
    return {field: tuple(names) for fields, names in named for field in fields}


def test_a_sender_may_set_every_column_but_those_that_we_set() -> None:
    assert {*FIELDS} == COLUMNS.keys() - OURS_ALONE
    assert {*FIELDS} == {*Row.__struct_fields__} - OURS_ALONE


@pytest.mark.parametrize("field", FIELDS)
def test_reference_and_fast_path_read_each_field_by_its_name_alone(field: str) -> None:
    ours = {"message": "hello", field: VALUES[field]}
    assert bulk.rows_of(json.dumps([ours]).encode(), False, RECEIPT)
    row = judge(json.dumps(ours).encode(), RECEIPT)
    assert isinstance(row, Row)
    assert msgspec.json.decode(row.metadata) == (VALUES[field] if field == "metadata" else {})
    other = {"message": "hello", f"{field}_": VALUES[field]}
    assert bulk.rows_of(json.dumps([other]).encode(), False, RECEIPT) is None
    row = judge(json.dumps(other).encode(), RECEIPT)
    assert isinstance(row, Row)
    assert msgspec.json.decode(row.metadata) == {f"{field}_": VALUES[field]}


def sent(field: str, name: str) -> Any:
    """A value that a record has under that name."""
    return 17 if name in OTEL_NUMBERS else 3 if name in SYSLOG_NUMBERS else VALUES[field]


@pytest.mark.parametrize(("field", "name"), OTHERS)
def test_events_and_files_have_each_field_under_each_of_its_names(field: str, name: str) -> None:
    for spelling in (name, name.upper()):
        record = json.dumps({spelling: sent(field, name), "other": 1}).encode()
        for row in (judge(record, RECEIPT, read_as_event), row_of(record, RECEIPT)):
            assert isinstance(row, Row)
            assert getattr(row, field).startswith(VALUES[field].rstrip("Z"))
            assert msgspec.json.decode(row.metadata)["other"] == 1
        if name not in DECIDED_BY_VALUE:
            header = CsvHeader(["other", spelling])
            column = header.own.get(field) if field.endswith("_id") else getattr(header, field, None)
            assert (header.times if field == "timestamp" else [column]) == [1]


def test_a_name_belongs_to_one_field_and_is_in_the_form_that_names_are_compared_in() -> None:
    every = [name for field in FIELDS for name in names_of(field)]
    assert len(every) == len(set(every))
    assert [plain_name(name) for name in every] == every
    assert {*FIELDS} == OTHER_NAMES.keys() | {*OWN_NAME_ONLY}


@pytest.mark.parametrize("envelope", FILE_ENVELOPES)
def test_an_object_with_an_array_of_events_is_read_event_by_event(envelope: str) -> None:
    events = [{"message": "a"}, {"message": "b"}]
    file = InMemory(json.dumps({envelope: events}).encode())
    batch = opened(file, RECEIPT).next()
    assert batch
    assert len(batch.rows) == 2


def test_the_page_about_names_lists_every_name_in_the_order_in_which_they_are_tried() -> None:
    page = Path("docs/field-names.md").read_text()
    listed = re.findall(r"^- `(\w+)`: (`.+(?:\n  `.+)*)$", page, re.MULTILINE)
    assert {field: tuple(re.findall(r"`([^`]+)`", names)) for field, names in listed} == OTHER_NAMES


def test_the_page_about_the_api_lists_every_field_of_an_event() -> None:
    assert tuple(table_after("docs/api.md", "### Event fields")) == FIELDS
