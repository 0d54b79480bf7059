"""A file that leads nowhere ends, at the same row for each attempt; a file of ordinary rows never does."""

import bz2
import gzip
import io
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.tenancy import TenantId
from functions.uploads import file_processor, file_reader, progress_limits
from functions.uploads.file_reader import FileReader
from functions.uploads.files import File
from functions.uploads.formats.json_scan import Skipper, value_end
from functions.uploads.progress_limits import (
    BYTES_A_SKIP_SECOND,
    FREE_BYTES,
    FREE_CPU_SECONDS,
    FREE_SKIP_SECONDS,
    CpuBudget,
    is_idle,
    is_skipping_spent,
)
from functions.uploads.records import TextRecords
from functions.uploads.streams import contract
from functions.uploads.streams.contract import ResumePoint, ResumePoints
from tests.unit.uploads.bombs import EMPTY_BZIP2, EMPTY_GZIP, EMPTY_ZSTD, SKIPPABLE_ZSTD
from tests.unit.uploads.test_streams import stream
from tests.unit.uploads.world import GLOBEX, World

FILE = File(
    TenantId("acme"),
    "u",
    DroppedFile("drop", "x", "e", 1000),
    datetime(2026, 1, 1, tzinfo=UTC),
    "p",
    30,
    "keep",
)


def test_rows_and_the_file_itself_pay_for_text() -> None:
    assert not is_idle(FREE_BYTES + 16_000, FILE)
    assert is_idle(FREE_BYTES + 16_001, FILE)
    assert not is_idle(FREE_BYTES + 1_000_000, replace(FILE, raw_bytes=100_000))
    assert is_idle(0, replace(FILE, refused=300_000))


def test_cpu_time_counts_from_where_reading_continued_and_is_paid_for_by_what_was_read() -> None:
    now = [1000.0]
    budget = CpuBudget(lambda: now[0])
    assert not budget.is_spent(replace(FILE, raw_bytes=10**9))
    now[0] += FREE_CPU_SECONDS + 1
    assert budget.is_spent(replace(FILE, raw_bytes=10**9))
    assert not budget.is_spent(replace(FILE, raw_bytes=10**9 + 10**6))


ROWS = b"".join(b"2026-01-02 03:04:05,%03d INFO row %d\n" % (n % 1000, n) for n in range(600))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of a hundred rows, written down after each; next to nothing is free."""
    monkeypatch.setattr("functions.uploads.formats.windows.WINDOW_BYTES", 4096)
    monkeypatch.setattr(file_reader, "PART_ROWS", 100)
    monkeypatch.setattr(file_reader, "CHECKPOINT_EVERY_SECONDS", 0)
    monkeypatch.setattr(progress_limits, "FREE_BYTES", 1000)


@pytest.mark.usefixtures("small")
def test_a_file_without_end_gives_the_rows_before_and_its_neighbour_is_read(here: World) -> None:
    body = zstd.compress(ROWS + b"\n" * 10_000_000 + b"never\n")
    status = here.drop("x", body)
    assert (status["state"], status["error"]["code"]) == ("partly", "no_progress")
    assert (status["rows_stored"], len(here.messages())) == (600, 600)
    assert here.drop("x", ROWS, GLOBEX)["state"] == "done"


@pytest.mark.usefixtures("small")
def test_it_ends_at_the_same_row_however_often_reading_was_put_down(here: World) -> None:
    body = zstd.compress((ROWS + b"\n" * 1_000_000) * 2 + ROWS + b"\n" * 20_000_000 + ROWS)
    here.drop("x", body)
    at_once = sorted(each.key.rpartition("p0")[2] for each in here.staging.under("staged/"))
    here.staging.delete([each.key for each in here.staging.under("")])
    here.seconds = 0.0
    status = here.drop("y", body)
    in_steps = sorted(each.key.rpartition("p0")[2] for each in here.staging.under("staged/"))
    assert status["error"]["code"] == "no_progress"
    assert status["rows_stored"] == 1800
    assert at_once == in_steps


def test_a_file_that_takes_the_machine_too_long_keeps_whole_parts_only(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.uploads.formats.windows.WINDOW_BYTES", 4096)
    monkeypatch.setattr(file_reader, "PART_ROWS", 250)
    calls = [0]

    def spent(_self: CpuBudget, _file: File) -> bool:
        calls[0] += 1
        return calls[0] == 5

    monkeypatch.setattr(CpuBudget, "is_spent", spent)
    status = here.drop("x", ROWS)
    assert (status["state"], status["error"]["code"]) == ("partly", "no_progress")
    assert status["rows_stored"] == len(here.rows()) > 0


LONG = b"".join(
    b"2026-01-02 03:04:05,678 INFO row %d of %r\n" % (n, random.Random(n).randbytes(40)) for n in range(6000)
)


class Skips:
    """Each skip takes `seconds` by both clocks of a Reading; `runs` counts them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
        self.runs, now, skip = 0, [0.0], TextRecords.skip

        def slow(records: TextRecords, may_continue: Callable[[], bool]) -> bool:
            self.runs += 1
            now[0] += seconds
            return skip(records, may_continue)

        monkeypatch.setattr(TextRecords, "skip", slow)
        clock = partial(FileReader, clock=lambda: now[0], cpu_clock=lambda: now[0])
        monkeypatch.setattr(file_processor, "FileReader", clock)
        monkeypatch.setattr(file_reader, "PART_ROWS", 1000)


@pytest.mark.usefixtures("small")
def test_all_skipping_for_a_file_is_bounded_and_its_neighbour_is_read(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    skips = Skips(monkeypatch, FREE_SKIP_SECONDS * 0.6)
    here.seconds = 0.0
    status = here.drop("x", gzip.compress(LONG))
    assert (status["state"], status["error"]["code"]) == ("partly", "resume_too_slow")
    assert skips.runs == 2
    assert status["rows_stored"] == len(here.rows()) > 1000
    assert here.messages() == LONG.decode("latin-1").splitlines()[: status["rows_stored"]]
    here.seconds = 300.0
    assert here.drop("x", gzip.compress(LONG), GLOBEX)["state"] == "done"


def test_rows_and_the_file_itself_pay_for_skipping() -> None:
    spent = replace(FILE, skip_ms=1000 * FREE_SKIP_SECONDS + 1000)
    assert is_skipping_spent(spent)
    assert not is_skipping_spent(replace(spent, skip_ms=1000 * FREE_SKIP_SECONDS))
    assert not is_skipping_spent(replace(spent, raw_bytes=BYTES_A_SKIP_SECOND // 2, bytes_read=5_000_000))


@pytest.mark.usefixtures("small")
def test_skipping_that_an_invocation_has_no_time_for_is_tried_twice(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.uploads.text.SKIPPED_UNASKED_BYTES", 1000)
    skips = Skips(monkeypatch, 0.0)
    here.seconds = 0.0
    status = here.drop("x", gzip.compress(LONG))
    assert (status["state"], status["error"]["code"]) == ("partly", "resume_too_slow")
    assert skips.runs == 3
    assert status["rows_stored"] == len(here.rows()) > 0
    assert here.originals(), "the rest can be uploaded again"
    here.drop("x", LONG, GLOBEX)
    assert here.status("x", GLOBEX)["state"] == "done", "plain text needs no skipping"


@pytest.mark.usefixtures("small")
def test_the_time_of_skipping_is_not_the_time_of_a_part(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the invocation would end after its first part, and so would each that follows."""
    skips = Skips(monkeypatch, 100.0)
    body = here.put("x", gzip.compress(LONG))
    here.seconds = 0.0
    assert not here._invoke(body, 1)
    here.seconds = 200.0
    assert here.deliver(*here.sqs.bodies[:1]) == []
    assert here.status("x")["state"] == "done"
    assert skips.runs == 2


def test_parquet_shows_its_bytes_within_a_row_group_too(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_reader, "PART_ROWS", 100)
    monkeypatch.setattr("functions.uploads.formats.parquet_file.BATCH_ROWS", 100)
    out = io.BytesIO()
    rows = [random.Random(number).randbytes(20).hex() for number in range(400)]
    pq.write_table(pa.table({"message": rows}), out, row_group_size=400)
    body, seen = here.put("x", out.getvalue()), []
    here.put("y", b"line\n", GLOBEX)
    here.seconds = 0.0
    bodies = [body]
    while bodies:
        assert not here._invoke(bodies.pop(), 1)
        bodies, here.sqs.bodies = here.sqs.bodies, []
        seen.append(here.status("x")["bytes_read"])

    size = len(out.getvalue())
    assert here.status("x")["state"] == "done"
    assert here.messages() == rows
    assert seen == sorted(set(seen)), "each invocation shows more than the one before"
    assert seen[-1] == size
    assert [round(each / size * 4) for each in seen[:3]] == [1, 2, 3]
    assert here.statuses(GLOBEX) == []


@pytest.mark.parametrize(
    ("empty", "compress"),
    [
        (EMPTY_GZIP, gzip.compress),
        (EMPTY_ZSTD, zstd.compress),
        (SKIPPABLE_ZSTD, zstd.compress),
        (EMPTY_BZIP2, bz2.compress),
    ],
)
def test_empty_members_are_read_up_to_a_limit_and_the_limit_holds_from_any_mark(
    monkeypatch: pytest.MonkeyPatch, empty: bytes, compress: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(contract, "MAX_EMPTY_MEMBERS", 100)
    line = b"x" * 70_000
    assert text_of(stream(compress(line) + empty * 90)) == (line, "")
    body = compress(line) + empty * 60 + compress(b"y" * 100) + empty * 60
    assert text_of(stream(body)) == (line + b"y" * 100, "no_progress")
    first = stream(body)
    done = len(first.read())
    while done < len(line):
        done += len(first.read())
    mark = first.mark(done)
    rest, code = text_of(stream(body, mark))
    assert code == "no_progress"
    assert (line + b"y" * 100)[mark.text_at :] == rest


def text_of(found: contract.Stream) -> tuple[bytes, str]:
    """All that it gives, and the code of the fault that ends it."""
    pieces = []
    try:
        while piece := found.read():
            pieces.append(piece)
    except contract.BrokenFileError as fault:
        return b"".join(pieces), fault.code
    return b"".join(pieces), ""


def test_small_members_with_lines_in_them_are_read_however_many() -> None:
    """As a program leaves them that compresses line by line."""
    line = b"2026-01-02 03:04:05,678 INFO a line that a program wrote, of some length\n"
    members = contract.MAX_EMPTY_MEMBERS // 100
    text, code = text_of(stream(gzip.compress(line) * members))
    assert (len(text), code) == (members * len(line), "")


def test_ways_back_are_few_however_small_the_members() -> None:
    marks = ResumePoints(ResumePoint(), 1_000_000)
    for at in range(0, 5_000_000, 10):
        if marks.wants(at):
            marks.add(ResumePoint(text_at=at))
    assert len(marks._marks) < 20
    assert 0 <= 4_999_990 - marks.before(4_999_990).text_at < contract.MARK_EVERY_BYTES


STRUCTURE = st.text('[]{}"\\a, ', max_size=60).map(str.encode)


def reference_end(data: bytes) -> int | None:
    """Where the value ends, character by character."""
    depth, in_string, escaped = 0, False, False
    for at, byte in enumerate(data):
        character = chr(byte)
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        else:
            depth += (character in "[{") - (character in "]}")
        if not in_string and depth == 0:
            return at + 1
    return None


@given(st.sampled_from([b"[", b"{", b'"']), STRUCTURE, st.integers(1, 9), st.sampled_from([1, 3, 1000]))
def test_the_end_of_a_value_is_found_as_if_character_by_character(
    first: bytes, rest: bytes, step: int, few: int
) -> None:
    data = first + rest
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("functions.uploads.formats.json_scan._FEW_TOKENS", few)
        patch.setattr("functions.uploads.formats.json_scan._PIECE_BYTES", step)
        assert value_end(data, 0) == reference_end(data)
    skipper, at = Skipper(), 0
    while at < len(data) and not skipper.ended:
        at += skipper.skip(data[at : at + step])
    assert (at if skipper.ended else None) == reference_end(data)
