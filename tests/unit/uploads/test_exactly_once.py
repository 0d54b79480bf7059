"""Published three times, read by two at once, killed at any write, out of time: each row once."""

import gzip
import json
import random
from collections import Counter

import pytest
from backports import zstd

from functions.shared.accounts.account_status import AccountStatus
from functions.shared.buckets.drop_bucket import FileGoneError
from functions.uploads import file_reader
from functions.uploads.records import Records, opened
from functions.uploads.register import FORGET_FILES_AFTER_DAYS
from tests.unit.uploads.samples import COMPRESSIONS, FORMS, hadoop
from tests.unit.uploads.world import ACME, GLOBEX, KilledError, World

LINES = [f"2026-01-02 03:04:05,{number % 1000:03d} INFO line {number}" for number in range(3000)]
TEXT = "\n".join(LINES).encode()
KILLED_LINES = 500
"""Three parts."""
TEXT_FORMS = ("lines", "csv", "json array", "ndjson", "concatenated")
TEXT_COMPRESSIONS = ("none", "gzip", "gzip members", "zstd", "zstd frames", "bzip2")


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of some hundred rows, cut from windows of some kilobytes; written down after each."""
    for module in ("windows", "json_values"):
        monkeypatch.setattr(f"functions.uploads.formats.{module}.WINDOW_BYTES", 8 * 1024)
    monkeypatch.setattr("functions.uploads.formats.parquet_file.BATCH_ROWS", 100)
    monkeypatch.setattr(file_reader, "PART_ROWS", 200)
    monkeypatch.setattr(file_reader, "CHECKPOINT_EVERY_SECONDS", 0)


@pytest.mark.parametrize("count", [40, pytest.param(1000, marks=pytest.mark.soak)])
def test_so_many_files_in_any_order_each_published_three_times(here: World, count: int) -> None:
    random_ = random.Random(7)
    names = [f"day={number % 28:02d}/{random_.getrandbits(64):016x}.log" for number in range(count)]
    bodies = [here.put(name, f"row of {name}\n".encode(), random_.choice((ACME, GLOBEX))) for name in names]
    shown = bodies * 3
    random_.shuffle(shown)

    assert here.deliver(*shown) == []
    rows = here.messages(ACME) + here.messages(GLOBEX)
    assert sorted(rows) == sorted(f"row of {name}" for name in names)
    assert len(here.statuses(ACME)) + len(here.statuses(GLOBEX)) == count
    assert {each["state"] for each in here.statuses(ACME)} == {"done"}


def test_a_later_file_with_an_earlier_name_is_not_ignored(here: World) -> None:
    for name in ("2026/12/31.log", "2026/01/01.log", "zzz", "aaa", "AAA"):
        here.drop(name, name.encode())
    assert sorted(here.messages()) == ["2026/01/01.log", "2026/12/31.log", "AAA", "aaa", "zzz"]


def test_another_file_under_the_same_name_is_another_file(here: World) -> None:
    here.drop("x", b"one\n")
    assert here.deliver(here.put("x", b"two\n")) == []
    assert here.deliver(here.put("x", b"one\n")) == [], "and the first one again adds nothing"
    assert sorted(here.messages()) == ["one", "two"]


def test_a_file_that_was_forgotten_is_read_though_its_entry_is_not_deleted_yet(here: World) -> None:
    """DynamoDB takes days for what is over."""
    here.drop("x", b"one\n")
    here.later = (FORGET_FILES_AFTER_DAYS + 1) * 86_400
    assert here.deliver(here.put("x", b"one\n")) == []
    assert [each["state"] for each in here.statuses()] == ["done"]
    assert here.messages() == ["one", "one"]


def test_what_was_gone_before_it_was_read_is_read_when_it_is_put_again(here: World) -> None:
    body = here.put("x", b"one\n")
    here.s3.delete_object(Bucket="drop", Key="dropin/v1/tenant=acme/x")
    assert here.deliver(body, body) == []
    assert here.status("x")["error"]["code"] == "gone"
    assert here.deliver(here.put("x", b"one\n"), body) == []
    shown = here.status("x")
    assert (shown["state"], shown["rows_stored"], shown["error"]) == ("done", 1, None)
    assert here.messages() == ["one"]


def test_what_an_account_could_not_take_is_read_when_it_is_put_again(here: World) -> None:
    takes = AccountStatus("managed_15", 15, 10**7)
    here.account(GLOBEX, AccountStatus("managed_15", 15, 10**7, accepts_until=1, end_reason="trial_ended"))
    body = here.put("x", b"one\n", GLOBEX)
    assert here.deliver(body, body) == []
    first = here.status("x", GLOBEX)
    assert (first["state"], first["error"]["code"]) == ("failed", "trial_ended")
    here.account(GLOBEX, takes)
    assert here.deliver(here.put("x", b"one\n", GLOBEX), body) == []
    shown = here.status("x", GLOBEX)
    assert (shown["state"], shown["error"], shown["id"]) == ("done", None, first["id"])
    assert shown["received_at"] > first["received_at"], "its days are counted from now on"
    assert here.messages(GLOBEX) == ["one"]
    assert here.messages() == []


@pytest.mark.usefixtures("small_parts")
def test_what_was_half_read_when_it_went_and_came_back_is_there_once(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts of it are staged that no checkpoint lists."""
    body = here.put("x", TEXT)
    with monkeypatch.context() as patch:
        patch.setattr(file_reader.FileReader, "_stops_at", _die)
        with pytest.raises(KilledError):
            here.deliver(body)
    here.later += 1000
    here.s3.delete_object(Bucket="drop", Key="dropin/v1/tenant=acme/x")
    assert here.deliver(body) == []
    assert (here.status("x")["state"], len(here.rows()) > 0) == ("failed", True)
    assert here.deliver(here.put("x", TEXT)) == []
    assert (here.status("x")["state"], here.messages()) == ("done", LINES)


def _die(*_arguments: object) -> bool:
    raise KilledError


@pytest.mark.parametrize(
    ("form", "after"),
    [
        ("lines", False),
        ("lines", True),
        ("csv", False),
        ("json array", True),
        ("parquet", False),
        ("parquet", True),
    ],
)
@pytest.mark.usefixtures("small_parts")
def test_killed_at_any_write_and_taken_up_again(here: World, form: str, after: bool) -> None:
    lines = hadoop(KILLED_LINES)
    body = FORMS[form](lines) if form == "parquet" else gzip.compress(FORMS[form](lines))
    writes = 0
    while True:
        name = f"{form}-{writes}-{after}"
        shown = here.put(name, body, ACME)
        here.put(name, b"globex's\n", GLOBEX)
        here.mortal.writes_left, here.mortal.writes, here.mortal.after = writes, 0, after
        try:
            here.deliver(shown)
            survived = True
        except KilledError:
            survived = False
        here.mortal.writes_left = None
        here.sqs.bodies.clear()
        # The message is redelivered when its consumer's time is long over, and once more for good measure.
        here.later += 1000
        assert here.deliver(shown, shown) == []
        state = here.status(name)
        assert (state["state"], state["rows_stored"], state["rows_refused"]) == ("done", KILLED_LINES, 0)
        assert Counter(here.messages()) == Counter(line for line, _ in lines)
        assert here.rows(GLOBEX) == []
        if survived:
            break
        writes += 1
        _empty(here)
    assert writes >= 8


def _empty(here: World) -> None:
    here.staging.delete([each.key for each in here.staging.under("")])


@pytest.mark.parametrize(
    ("form", "compression", "parts"),
    [
        ("parquet", "none", 1),
        ("parquet", "none", 2),
        *((form, compression, 1) for form in TEXT_FORMS for compression in TEXT_COMPRESSIONS),
        *((form, "none", 2) for form in TEXT_FORMS),
        *(("lines", compression, 2) for compression in TEXT_COMPRESSIONS if compression != "none"),
    ],
)
@pytest.mark.usefixtures("small_parts")
def test_a_file_that_outlasts_its_invocations_is_whole_in_the_end(
    here: World, monkeypatch: pytest.MonkeyPatch, form: str, compression: str, parts: int
) -> None:
    lines = hadoop(900)
    body = COMPRESSIONS[compression](FORMS[form](lines))
    invocations = _little_time(monkeypatch, parts)
    shown = here.drop("long", body)

    assert (shown["state"], shown["rows_stored"], shown["progress"]) == ("done", 900, 1.0)
    assert [row["message"] for row in here.rows()] == [line for line, _ in lines]
    assert len(invocations) >= 900 // 250 // parts
    assert list(here.staging.under("uploads/")) == [], "nothing is left of where it went on"


def _little_time(monkeypatch: pytest.MonkeyPatch, parts: int) -> list[int]:
    """Each invocation has time for so many parts; counts the invocations."""
    invocations: list[int] = []
    run = file_reader.FileReader.run

    def counted(self: file_reader.FileReader) -> bool:
        invocations.append(self.file.parts)
        limit = self.file.parts + parts
        monkeypatch.setattr(self, "_seconds_left", lambda: 0.0 if self.file.parts >= limit else 300.0)
        return run(self)

    monkeypatch.setattr(file_reader.FileReader, "run", counted)
    return invocations


@pytest.mark.usefixtures("small_parts")
def test_a_status_shows_how_much_of_a_file_is_read(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _little_time(monkeypatch, 1)
    body = here.put("long", TEXT)
    seen = []
    while body:
        assert here._invoke(body, 1) is False
        body = here.sqs.bodies.pop() if here.sqs.bodies else ""
        shown = here.status("long")
        seen.append((shown["state"], shown["progress"], shown["rows_stored"]))
    assert [state for state, _, _ in seen] == ["reading"] * (len(seen) - 1) + ["done"]
    assert [each[1:] for each in seen] == sorted(each[1:] for each in seen)
    assert 0 < seen[0][1] <= 1
    assert seen[-1] == ("done", 1.0, 3000)


def test_a_message_of_a_file_being_read_is_redelivered_and_nothing_is_read_twice(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = here.put("x", TEXT)
    meanwhile: list[list[str]] = []

    def read(*arguments: object) -> object:
        if not meanwhile:
            meanwhile.append([])
            meanwhile[0] = here.deliver(body)
        return opened(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(file_reader, "opened", read)
    assert here.deliver(body) == []
    assert meanwhile == [[body]]
    assert here.messages() == LINES


@pytest.mark.usefixtures("small_parts")
def test_two_who_read_the_same_file_at_once_write_the_same_objects(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is so slow that its lease is over: what it writes down after that does not count."""
    body = here.put("x", zstd.compress(TEXT))
    others: list[list[str]] = []

    def read(*arguments: object) -> object:
        if not others:
            others.append([])
            here.later += 1000
            others[0] = here.deliver(body)
        return opened(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(file_reader, "opened", read)
    assert here.deliver(body) == [body], "it is redelivered, and finds that all is done"
    assert others == [[]]
    assert here.deliver(body) == []
    assert here.messages() == LINES
    assert here.status("x")["rows_stored"] == 3000


@pytest.mark.parametrize("dies", ["at the beginning", "later"])
@pytest.mark.usefixtures("small_parts")
def test_a_file_that_kills_its_readers_is_abandoned(
    here: World, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    body = here.put("x", TEXT)
    run = file_reader.FileReader._stage

    def killed(self: file_reader.FileReader, part: file_reader.FilePart) -> None:
        if dies == "at the beginning" or self.file.parts == 2:
            raise KilledError
        run(self, part)

    monkeypatch.setattr(file_reader.FileReader, "_stage", killed)
    for _ in range(5):
        with pytest.raises(KilledError):
            here.deliver(body)
        here.later += 1000
        assert here.status("x")["state"] == "reading"
    assert here.deliver(body) == []
    shown = here.status("x")
    assert shown["error"]["code"] == "unreadable"
    assert shown["state"] == ("failed" if dies == "at the beginning" else "partly")
    assert shown["rows_stored"] == len(here.rows())


@pytest.mark.usefixtures("small_parts")
def test_nothing_is_left_of_where_a_file_went_on_that_vanished_meanwhile(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept of its place holds text of it."""
    run = file_reader.FileReader._stops_at

    def gone() -> None:
        raise FileGoneError("gone")

    def vanish(self: file_reader.FileReader, records: Records) -> bool:
        monkeypatch.setattr(file_reader, "CHECKPOINT_EVERY_SECONDS", 0 if self.file.parts == 3 else 1000)
        if self.file.parts == 3:
            monkeypatch.setattr(records, "next", gone)
        return run(self, records)

    monkeypatch.setattr(file_reader.FileReader, "_stops_at", vanish)
    assert here.deliver(here.put("x", TEXT)) == []
    shown = here.status("x")
    assert (shown["state"], shown["error"]["code"]) == ("partly", "gone")
    assert shown["rows_stored"] == len(here.rows())
    assert list(here.staging.under("uploads/")) == []


def test_what_two_files_have_in_common_is_nothing(here: World) -> None:
    records = [json.dumps({"message": "same", "timestamp": "2026-01-01T00:00:00Z"})] * 3
    for name in ("a", "b"):
        for tenant in (ACME, GLOBEX):
            here.drop(name, "\n".join(records).encode(), tenant)
    assert [len(here.rows(tenant)) for tenant in (ACME, GLOBEX)] == [6, 6]


@pytest.mark.parametrize("form", ["lines", "csv", "json array", "concatenated", "parquet"])
@pytest.mark.usefixtures("small_parts")
def test_parts_are_the_same_for_each_reader(here: World, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """Read at once or from checkpoint to checkpoint: the objects have the same rows, and the same names."""
    body = FORMS[form](hadoop(700))
    body = body if form == "parquet" else gzip.compress(body)
    here.drop("x", body)
    at_once = [each.key.rpartition("p0")[2] for each in here.staging.under("staged/")]
    here.staging.delete([each.key for each in here.staging.under("")])
    _little_time(monkeypatch, 1)
    here.drop("y", body)
    in_steps = [each.key.rpartition("p0")[2] for each in here.staging.under("staged/")]
    assert sorted(at_once) == sorted(in_steps)
    assert len(at_once) >= 3
